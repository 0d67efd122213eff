import BinaryCoding
package import TaskModel

/// Makes a journal of a backup: another life of it, in which no receipt of the old one is good.
///
/// Every checksum begins with the instance, so all are computed anew while the files are copied; places,
/// LSNs and all other bytes stay. A crash at any point leaves a directory that is empty but for `lock`, one
/// that no broker opens (it names an instance whose files are not all there), or the whole journal.
package struct JournalRestore: ~Copyable {
    private let contents: JournalContents
    private let source: any JournalStorage
    private let target: any JournalStorage
    private let lock: any JournalLock
    package let instance: JournalInstance
    private var pending: ArraySlice<JournalContents.Segment>
    private let checkpoint: Checkpoint?
    /// What the checkpoint says of each segment, with the chain that its batches have now.
    private var facts: [UInt32: SegmentFact] = [:]
    package private(set) var bytesDone = 0

    /// Takes a backup that was found whole by ``JournalVerification``, whose contents these are.
    ///
    /// Locks the target, which is made if it is missing: ``JournalError/locked(byPID:)`` where a broker has
    /// it, ``JournalError/notEmpty(file:)`` if anything lies in it.
    package init(
        of contents: JournalContents, in source: any JournalStorage, to target: any JournalStorage
    ) throws(JournalError) {
        let checkpoint = try contents.checkpoint.map { (name) throws(JournalError) in
            try Self.load(name, from: source)
        }
        let lock = try target.lockEmpty()
        var random: UInt64 = 0
        while random == 0 || random == contents.instance.rawValue { random = try target.random() }
        let instance = JournalInstance(rawValue: random)
        // Before anything else: with it, a directory without segments is a loss and no new journal.
        _ = try target.create(JournalName.instanceFile(instance))
        try target.syncDirectory()
        self.contents = contents
        self.source = source
        self.target = target
        self.checkpoint = checkpoint
        self.lock = lock
        self.instance = instance
        pending = contents.segments[...]
        for fact in checkpoint?.segments ?? [] { facts[fact.number] = fact }
    }

    private static func load(
        _ name: String, from source: any JournalStorage
    ) throws(JournalError) -> Checkpoint {
        guard case .checkpoint(let parsed) = JournalName(name) else { throw .foreignFile(file: name) }
        switch try Checkpoint.load(parsed, from: source) {
        case .success(let checkpoint): return checkpoint
        case .failure(.bad): throw .noGoodCheckpoint(bad: [name])
        case .failure(.version(let version)): throw .unsupportedVersion(file: name, version: version)
        }
    }

    package var bytesTotal: Int { max(bytesDone, contents.segmentBytes) }

    /// Writes the next segment under its unfinished name; false when there is none.
    package mutating func step() throws(JournalError) -> Bool {
        guard let segment = pending.popFirst() else { return false }
        let header = SegmentHeader(
            segment: segment.number, instance: instance, madeBytes: segment.madeBytes)
        let name = JournalName.unfinishedFile(JournalName.segmentFile(number: segment.number))
        let file = try SegmentPreparation(storage: target, header: header).makeZeros(name)
        try copyBatches(of: segment, to: file)
        try file.sync()
        bytesDone += segment.endBytes
        return true
    }

    private mutating func copyBatches(
        of segment: JournalContents.Segment, to file: any JournalFile
    ) throws(JournalError) {
        let from = try source.open(JournalName.segmentFile(number: segment.number), forWriting: false)
        var cursor = SegmentCursor(
            segment: segment.number, madeBytes: segment.madeBytes,
            seed: SegmentSeed(instance: contents.instance, segment: segment.number), file: from,
            from: SegmentHeader.bytes)
        let seed = SegmentSeed(instance: instance, segment: segment.number)
        var chain: UInt32 = 0
        while cursor.offset < segment.endBytes {
            guard case .batch = try cursor.next() else { throw Self.changed(segment.number, cursor.offset) }
            guard let batch = Self.resealed(cursor, seed: seed) else {
                throw Self.changed(segment.number, cursor.batchOffset)
            }
            let checksum = batch.withUnsafeBytes { $0.loadLittle(UInt32.self, at: 0) }
            try file.writeFully(batch, at: cursor.batchOffset)
            chain = Checksum.chained(chain, checksum)
            if let fact = facts[segment.number], fact.validBytes == cursor.offset {
                facts[segment.number] = SegmentFact(
                    number: fact.number, madeBytes: fact.madeBytes, validBytes: fact.validBytes,
                    chain: chain, lastLSN: fact.lastLSN)
            }
        }
        guard cursor.offset == segment.endBytes else { throw Self.changed(segment.number, cursor.offset) }
    }

    /// The backup is not what it was when it was looked at.
    private static func changed(_ segment: UInt32, _ offset: Int) -> JournalError {
        .damaged(
            JournalDamage(
                .batch, segment: segment, offset: offset, firstLSN: LogSequenceNumber(rawValue: 0)))
    }

    /// The batch given last, with the checksums that it has in the other journal; nil if its records do not
    /// fill it.
    private static func resealed(_ cursor: SegmentCursor, seed: SegmentSeed) -> [UInt8]? {
        let place = cursor.batchOffset
        return cursor.withBatch { bytes, _, _ in
            var batch = [UInt8](copying: bytes)
            let isEmpty = bytes.loadLittle(UInt32.self, at: 8) & 0xFF_FFFF == 0
            var at = isEmpty ? bytes.count : BatchHeader.bytes
            while at < bytes.count {
                guard let frame = RecordFrame(bytes, at: at) else { return nil }
                batch.seal(at..<(at + frame.length), seed: seed.record(at: place + at))
                at += frame.length
            }
            batch.seal(0..<batch.count, seed: seed.batch(at: place))
            return batch
        }
    }

    /// Gives everything its name, in an order in which no part of it is a journal.
    ///
    /// Segments from the last to the first, and the checkpoint when those are durable: a directory where one
    /// is missing is refused, since either the one before hands over to it or segment 1 is not there.
    package consuming func finish() throws(JournalError) {
        precondition(pending.isEmpty, "a restore was finished before its end")
        if let checkpoint, let name = contents.checkpoint {
            let bytes = try checkpoint.reseeded(instance, facts: facts, name: name)
            let file = try target.create(JournalName.unfinishedFile(name))
            try file.writeFully(bytes, at: 0)
            try file.sync()
        }
        try target.syncDirectory()
        for segment in contents.segments.reversed() {
            let name = JournalName.segmentFile(number: segment.number)
            try target.rename(JournalName.unfinishedFile(name), to: name)
        }
        try target.syncDirectory()
        if let name = contents.checkpoint {
            try target.rename(JournalName.unfinishedFile(name), to: name)
            try target.syncDirectory()
        }
    }
}

extension [UInt8] {
    /// Puts the checksum of a record or batch, which stands in its first four bytes, in its place.
    fileprivate mutating func seal(_ range: Range<Int>, seed: UInt32) {
        withUnsafeMutableBytes { bytes in
            let checked = UnsafeRawBufferPointer(rebasing: bytes[range.dropFirst(4)])
            let checksum = Checksum.crc32c(checked, seed: seed)
            bytes.storeBytes(of: checksum.littleEndian, toByteOffset: range.lowerBound, as: UInt32.self)
        }
    }
}

extension JournalFile {
    fileprivate func writeFully(_ bytes: [UInt8], at offset: Int) throws(JournalError) {
        let outcome = bytes.withUnsafeBytes { bytes in
            Result { () throws(JournalError) in try writeFully(bytes, at: offset) }
        }
        try outcome.get()
    }
}

extension Checkpoint {
    /// The file's bytes as those of another instance, whose segments have the chains that `facts` say.
    fileprivate func reseeded(
        _ instance: JournalInstance, facts: [UInt32: SegmentFact], name: String
    ) throws(JournalError) -> [UInt8] {
        let header = CheckpointHeader(
            instance: instance, covered: self.header.covered, ordinal: self.header.ordinal,
            clocks: self.header.clocks, segment: self.header.segment, offset: self.header.offset)
        var output = EncodingBuffer(capacity: bytes.count)
        header.write(to: &output)
        var chain: UInt32 = 0
        for (number, block) in blocks.enumerated() {
            let start = output.count
            output.putZeros(CheckpointBlock.headerBytes)
            output.overwrite(UInt32(block.payload.count), at: start + 4)
            output.overwrite(block.kind.rawValue, at: start + 8)
            output.putRaw(bytes[block.payload])
            if block.kind == .segments {
                output.truncate(to: start + CheckpointBlock.headerBytes)
                do throws(DecodingFailure) {
                    for old in try segmentFacts(of: block) {
                        guard let fact = facts[old.number] else {
                            throw DecodingFailure.malformed("a segment that the backup does not hold")
                        }
                        output.put(fact)
                    }
                } catch {
                    throw .noGoodCheckpoint(bad: [name])
                }
                precondition(
                    output.count - start - CheckpointBlock.headerBytes == block.payload.count,
                    "a chain has the same length whatever it is")
            }
            if block.kind == .footer { output.overwrite(chain, at: start + CheckpointBlock.headerBytes + 4) }
            let crc = Checksum.crc32c(
                UnsafeRawBufferPointer(rebasing: output.bytes[(start + 4)...]),
                seed: Checksum.chained(header.seed, UInt32(number)))
            output.overwrite(crc, at: start)
            chain = Checksum.chained(chain, crc)
        }
        return [UInt8](copying: output.bytes)
    }
}
