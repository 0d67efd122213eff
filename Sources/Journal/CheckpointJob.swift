import Glibc
package import TaskModel

/// Writes one checkpoint; run on any thread but the journal's.
package struct CheckpointJob: Sendable {
    let storage: any JournalStorage
    let header: CheckpointHeader
    /// Every segment with a covered batch, ascending.
    let segments: [SegmentFact]

    /// Writes the file and makes it durable.
    ///
    /// `livePayloads` are the places, in any order, of the payload records of every task that is waiting,
    /// leased, parked or dead; `records` says everything else about the state, which must be that of
    /// ``Journal/durableLSN`` at ``Journal/beginCheckpoint()``.
    package func write(
        livePayloads: some Sequence<RecordSpan>, records: some Sequence<SnapshotRecord>
    ) -> CheckpointResult {
        do throws(JournalError) {
            return CheckpointResult(outcome: .written(try make(livePayloads, records)))
        } catch {
            let name = JournalName.unfinishedFile(JournalName.checkpointFile(header.name))
            try? storage.unlink(name)  // ignoring: the next start removes it.
            if case .storage(_, _, let errno) = error, errno == ENOSPC || errno == EDQUOT {
                return CheckpointResult(outcome: .full)
            }
            return CheckpointResult(outcome: .failed(error))
        }
    }

    private func make(
        _ livePayloads: some Sequence<RecordSpan>, _ records: some Sequence<SnapshotRecord>
    ) throws(JournalError) -> GoodCheckpoint {
        var places: [UInt64] = []
        places.reserveCapacity(livePayloads.underestimatedCount)
        for span in livePayloads { places.append(UInt64(span.segment) << 32 | UInt64(span.offset)) }
        places.sort()

        let name = JournalName.checkpointFile(header.name)
        let unfinished = JournalName.unfinishedFile(name)
        var writer = CheckpointWriter(file: try storage.create(unfinished), header: header)
        var pointed: Set<UInt32> = [header.segment]
        for record in records {
            if let span = record.span { pointed.insert(span.segment) }
            try writer.append(record)
        }
        try writer.append(places: places, pointed: &pointed)
        let listed = segments.filter { pointed.contains($0.number) }
        guard listed.count == pointed.count else {
            let missing = pointed.subtracting(listed.map(\.number)).min() ?? 0
            throw .damaged(
                JournalDamage(.segmentMissing, segment: missing, offset: 0, firstLSN: header.covered))
        }
        try writer.finish(listed)
        try storage.rename(unfinished, to: name)
        try storage.syncDirectory()
        return GoodCheckpoint(name: header.name, segments: pointed)
    }
}

/// A checkpoint that is durable and whole, and the segments that it points into.
struct GoodCheckpoint: Hashable, Sendable {
    let name: CheckpointName
    let segments: Set<UInt32>
}

/// What became of a checkpoint, for ``Journal/finishCheckpoint(_:)``.
package struct CheckpointResult: Sendable {
    enum Outcome: Sendable {
        case written(GoodCheckpoint)
        /// The disk was full.
        ///
        /// The journal gives up a prepared segment and wants another try.
        case full
        case failed(JournalError)
    }

    let outcome: Outcome

    /// Why there is no checkpoint; nil also where the disk was full, since the journal then tries again.
    package var error: JournalError? {
        switch outcome {
        case .failed(let error): error
        case .written, .full: nil
        }
    }
}

/// Puts a checkpoint's blocks into its file.
private struct CheckpointWriter: ~Copyable {
    private let file: any JournalFile
    private let seed: UInt32
    private var output = EncodingBuffer(capacity: CheckpointBlock.payloadBytes * 5 / 4)
    /// One record on its way into a block, whose length stands before it.
    private var scratch = EncodingBuffer(capacity: 1 << 10)
    private var offset = 0
    private var block: CheckpointBlock?
    private var blockStart = 0
    private var blocks: UInt32 = 0
    private var chain: UInt32 = 0
    private var recordCount: UInt64 = 0
    private var placeCount: UInt64 = 0

    init(file: any JournalFile, header: CheckpointHeader) {
        self.file = file
        seed = header.seed
        header.write(to: &output)
    }

    /// Ends the block being filled if it is full or of another kind, and begins one.
    private mutating func turn(to kind: CheckpointBlock) throws(JournalError) {
        if block == kind, output.count - blockStart < CheckpointBlock.payloadBytes { return }
        try endBlock()
        block = kind
        blockStart = output.count
        output.putZeros(CheckpointBlock.headerBytes)
    }

    private mutating func endBlock() throws(JournalError) {
        guard let kind = block else { return }
        block = nil
        output.overwrite(UInt32(output.count - blockStart - CheckpointBlock.headerBytes), at: blockStart + 4)
        output.overwrite(kind.rawValue, at: blockStart + 8)
        let crc = Checksum.crc32c(
            UnsafeRawBufferPointer(rebasing: output.bytes[(blockStart + 4)...]),
            seed: Checksum.chained(seed, blocks))
        output.overwrite(crc, at: blockStart)
        chain = Checksum.chained(chain, crc)
        blocks += 1
        try file.writeFully(output.bytes, at: offset)
        offset += output.count
        output.removeAll()
    }

    mutating func append(_ record: SnapshotRecord) throws(JournalError) {
        try turn(to: .records)
        scratch.removeAll()
        scratch.put(record)
        output.putVariable(UInt64(scratch.count))
        output.putRaw(scratch.bytes)
        recordCount += 1
    }

    /// One or more blocks per segment: the segment, then offsets, each as the distance from the one before.
    mutating func append(places: [UInt64], pointed: inout Set<UInt32>) throws(JournalError) {
        var segment: UInt32 = 0
        var previous: UInt32 = 0
        for place in places {
            let own = UInt32(truncatingIfNeeded: place >> 32)
            let isFull = output.count - blockStart >= CheckpointBlock.payloadBytes
            if own != segment || isFull {
                try endBlock()
                try turn(to: .livePayloads)
                output.putVariable(UInt64(own))
                if own != segment { pointed.insert(own) }
                segment = own
                previous = 0
            }
            let offset = UInt32(truncatingIfNeeded: place)
            precondition(
                offset > previous, "two live payloads at one place of segment \(own), offset \(offset)")
            output.putVariable(UInt64(offset - previous))
            previous = offset
            placeCount += 1
        }
    }

    /// The segments, the footer, and everything synced.
    mutating func finish(_ segments: [SegmentFact]) throws(JournalError) {
        try turn(to: .segments)
        for segment in segments { output.put(segment) }
        try turn(to: .footer)
        output.put(blocks)
        output.put(chain)
        output.put(recordCount)
        output.put(placeCount)
        try endBlock()
        try file.sync()
    }
}

extension EncodingBuffer {
    mutating func put(_ segment: SegmentFact) {
        putVariable(UInt64(segment.number))
        putVariable(UInt64(segment.madeBytes))
        putVariable(UInt64(segment.validBytes))
        put(segment.chain)
        putVariable(segment.lastLSN.rawValue)
    }
}
