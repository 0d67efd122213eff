package import TaskModel

/// A look at a whole journal that changes nothing in it: for `taskq journal verify` and `stat`.
///
/// Reads every segment to its end, also those that recovery would not need, and every checkpoint, and then
/// runs the recovery itself into a sink of the caller's, which can check its own sums. With a broker at work
/// in the directory the end of the journal moves under the reader, and files go: what is then found wrong has
/// to be found again in a second look before it is believed.
package struct JournalVerification: Sendable {
    package struct Segment: Hashable, Sendable {
        package let number: UInt32
        package let madeBytes: Int
        /// Where the last valid batch ends.
        package fileprivate(set) var validBytes = SegmentHeader.bytes
        package fileprivate(set) var batches = 0
        package fileprivate(set) var records = 0
        /// Nil for a segment without a record.
        package fileprivate(set) var firstLSN: LogSequenceNumber?
        package fileprivate(set) var lastLSN: LogSequenceNumber?
        /// The last batch is a seal, or hands over to the next segment.
        package fileprivate(set) var endsInSeal = false
        /// Nothing but zeros behind the last valid batch.
        package fileprivate(set) var restIsZero = true
        /// Records whose own checksum fails within a batch whose checksum holds; never but by an error in
        /// writing.
        package fileprivate(set) var badRecords: [RecordSpan] = []
    }

    package struct CheckpointFile: Hashable, Sendable {
        package let file: String
        package let covered: LogSequenceNumber
        package let isGood: Bool
        package let livePayloads: Int
        package let segments: [UInt32]
    }

    package private(set) var segments: [Segment] = []
    package private(set) var checkpoints: [CheckpointFile] = []
    /// Segments that could not be looked at at all.
    package private(set) var unreadable: [JournalError] = []
    /// There is nothing of a journal in the directory.
    package let isAbsent: Bool
    package private(set) var instance: JournalInstance?
    /// What opening the journal would say, or the reason why it would refuse.
    package let recovery: Result<RecoveryReport, JournalError>
    /// What a copy of the journal needs; nil where opening it would be refused.
    package let contents: JournalContents?
    /// The last LSN of a backup, as its note says; nil where the directory is none, or was cut short.
    package let backupLSN: LogSequenceNumber?

    /// What keeps the journal from being whole, the worst first; warnings are not among it.
    package var problems: [String] {
        var problems: [String] = []
        if case .failure(let error) = recovery { problems.append("\(error)") }
        problems += unreadable.map { "\($0)" }.filter { !problems.contains($0) }
        problems += checkpoints.filter { !$0.isGood }.map { "\($0.file) is damaged" }
        problems += segments.flatMap(\.badRecords).map { "\(JournalError.damagedRecord($0))" }
        return problems
    }

    package var isWhole: Bool {
        guard case .success = recovery else { return false }
        return unreadable.isEmpty && checkpoints.allSatisfy(\.isGood)
            && segments.allSatisfy(\.badRecords.isEmpty)
    }

    package init(
        _ storage: any JournalStorage, sink: inout some JournalRecoverySink
    ) throws(JournalError) {
        let listing = try JournalListing(storage)
        backupLSN = listing.isBackup ? try JournalCopy.notedLSN(in: storage) : nil
        isAbsent = listing.isEmpty && listing.instances.isEmpty
        for number in listing.segments {
            do throws(JournalError) {
                let (segment, owner) = try Self.look(at: number, in: storage)
                segments.append(segment)
                instance = owner
            } catch {
                unreadable.append(error)
            }
        }
        for name in listing.checkpoints {
            var checkpoint: Checkpoint?
            if case .success(let good) = try Checkpoint.load(name, from: storage) { checkpoint = good }
            checkpoints.append(
                CheckpointFile(
                    file: JournalName.checkpointFile(name), covered: name.covered, isGood: checkpoint != nil,
                    livePayloads: checkpoint?.livePayloads.values.reduce(0) { $0 + $1.count } ?? 0,
                    segments: checkpoint?.segments.map(\.number) ?? []))
        }
        do throws(JournalError) {
            let inspected = try Recovery.inspect(storage, listing, sink: &sink)
            recovery = .success(inspected.report)
            contents = inspected.contents
        } catch {
            recovery = .failure(error)
            contents = nil
        }
    }

    private static func look(at number: UInt32, in storage: any JournalStorage) throws(JournalError)
        -> (Segment, JournalInstance)
    {
        let file = try storage.open(JournalName.segmentFile(number: number), forWriting: false)
        let header = try Recovery.header(of: file, number: number)
        let seed = SegmentSeed(instance: header.instance, segment: number)
        var segment = Segment(number: number, madeBytes: header.madeBytes)
        var cursor = SegmentCursor(
            segment: number, madeBytes: header.madeBytes, seed: seed, file: file, from: SegmentHeader.bytes)
        while case .batch(let batch) = try cursor.next() {
            segment.add(batch, cursor, seed)
        }
        let rest = try SegmentTail.probe(
            file, segment: number, madeBytes: header.madeBytes, seed: seed, from: segment.validBytes,
            expecting: LogSequenceNumber(rawValue: 0))
        segment.restIsZero = rest == .clean
        return (segment, header.instance)
    }
}

extension JournalVerification.Segment {
    fileprivate mutating func add(_ header: BatchHeader, _ cursor: SegmentCursor, _ seed: SegmentSeed) {
        validBytes = cursor.offset
        batches += 1
        records += header.records
        endsInSeal = header.kind != .records
        if header.records > 0 {
            firstLSN = firstLSN ?? header.firstLSN
            lastLSN = LogSequenceNumber(rawValue: header.endLSN.rawValue - 1)
        }
        badRecords += cursor.withBatch { bytes, owner, ownerOffset in
            var walk = BatchWalk(
                bytes, owner: owner, ownerOffset: ownerOffset, segment: cursor.segment,
                batchOffset: cursor.batchOffset)
            var bad: [RecordSpan] = []
            for _ in 0..<header.records {
                guard let item = walk.next() else { break }
                if !walk.isTrue(item, seed: seed) { bad.append(item.span) }
            }
            return bad
        }
    }
}
