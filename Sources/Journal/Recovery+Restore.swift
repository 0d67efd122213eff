import BinaryCoding
import TaskModel

extension Recovery {
    /// The newest checkpoint that is whole; nil to begin with the first record.
    ///
    /// Both newest bad is the end: older ones are not trusted, since segments that only they need may be
    /// gone.
    mutating func chooseCheckpoint() throws(JournalError) -> Checkpoint? {
        var chosen: Checkpoint?
        var bad: [String] = []
        for name in checkpointNames.reversed().prefix(2) {
            if let checkpoint = try load(name) {
                let pointed = Set(checkpoint.segments.map(\.number)).union([checkpoint.header.segment])
                checkpoints.append(GoodCheckpoint(name: name, segments: pointed))
                chosen = chosen ?? checkpoint
            } else {
                bad.append(JournalName.checkpointFile(name))
                staleCheckpoints.append(name)
                report.warnings.append(.badCheckpointSkipped(file: JournalName.checkpointFile(name)))
            }
        }
        staleCheckpoints += checkpointNames.dropLast(2)
        if let chosen { return chosen }
        // With no checkpoint but perhaps a first one, nothing was ever deleted, and the segments tell
        // everything.
        guard checkpointNames.count < 2 else { throw .noGoodCheckpoint(bad: bad) }
        guard segments[0].number == 1 else {
            throw .damaged(JournalDamage(.segmentMissing, segment: 1, offset: 0, firstLSN: expected))
        }
        return nil
    }

    private func load(_ name: CheckpointName) throws(JournalError) -> Checkpoint? {
        let fileName = JournalName.checkpointFile(name)
        switch try Checkpoint.load(name, from: storage) {
        case .success(let checkpoint):
            guard checkpoint.header.instance == instance else { throw .foreignFile(file: fileName) }
            return checkpoint
        case .failure(.bad): return nil
        case .failure(.version(let version)): throw .unsupportedVersion(file: fileName, version: version)
        }
    }

    /// Feeds the checkpoint to the sink, verifying on the way every covered batch of every segment it points
    /// into.
    mutating func restore(
        _ checkpoint: Checkpoint, into sink: inout some JournalRecoverySink
    ) throws(JournalError) {
        let header = checkpoint.header
        report.checkpointLSN = header.covered
        clocks = header.clocks
        try feedRecords(of: checkpoint, into: &sink)
        progress.total = checkpoint.segments.reduce(0) { $0 + $1.validBytes }
        for index in segments.indices where segments[index].number < header.segment {
            // What the checkpoint does not point into is before it all the same.
            segments[index].lastLSN = header.covered
        }
        for fact in checkpoint.segments {
            guard let index = segments.firstIndex(where: { $0.number == fact.number }) else {
                throw .damaged(
                    JournalDamage(
                        .segmentMissing, segment: fact.number, offset: 0,
                        firstLSN: LogSequenceNumber(rawValue: 0), lastLSN: fact.lastLSN))
            }
            let live = checkpoint.livePayloads[fact.number] ?? []
            try restore(fact, index: index, live: live, into: &sink)
        }
        guard let last = segments.firstIndex(where: { $0.number == header.segment }),
            segments[last].validBytes == header.offset
        else {
            throw .damaged(
                JournalDamage(
                    .segmentMissing, segment: header.segment, offset: header.offset, firstLSN: header.covered)
            )
        }
        tail = last
        expected = LogSequenceNumber(rawValue: header.covered.rawValue + 1)
    }

    private func feedRecords(
        of checkpoint: Checkpoint, into sink: inout some JournalRecoverySink
    ) throws(JournalError) {
        do throws(DecodingFailure) {
            try checkpoint.forEachRecord { sink.restore($0) }
        } catch {
            // Every checksum holds: these bytes were written so, but not by this version.
            guard case .unknown(let kind, let value) = error else {
                throw .noGoodCheckpoint(bad: [JournalName.checkpointFile(checkpoint.header.name)])
            }
            throw .damaged(
                JournalDamage(
                    .unknownContent(kind: kind, value: value), segment: checkpoint.header.segment,
                    offset: checkpoint.header.offset, firstLSN: checkpoint.header.covered))
        }
    }

    private mutating func restore(
        _ fact: SegmentFact, index: Int, live: [UInt32], into sink: inout some JournalRecoverySink
    ) throws(JournalError) {
        let segment = segments[index]
        guard fact.validBytes <= segment.madeBytes, fact.madeBytes == segment.madeBytes else {
            throw Self.wrongLength(fact.number, found: segment.madeBytes, made: fact.madeBytes)
        }
        var cursor = SegmentCursor(
            segment: segment.number, madeBytes: segment.madeBytes, seed: segment.seed, file: segment.file,
            from: SegmentHeader.bytes)
        var next: LogSequenceNumber?
        var chain: UInt32 = 0
        var taken = 0
        while cursor.offset < fact.validBytes {
            let place = cursor.offset
            guard case .batch(let header) = try cursor.next() else {
                throw damage(
                    .batch, index, place, from: next ?? LogSequenceNumber(rawValue: 0), to: fact.lastLSN)
            }
            if let next, next != header.firstLSN {
                throw damage(.gap, index, place, from: next, to: fact.lastLSN)
            }
            next = header.endLSN
            chain = Checksum.chained(chain, header.checksum)
            lastIsSeal = header.kind != .records
            try restoreLive(in: cursor, live, &taken, into: &sink)
            progress.advance(by: header.length)
        }
        guard cursor.offset == fact.validBytes, chain == fact.chain else {
            throw damage(.chainChecksum, index, cursor.offset, from: fact.lastLSN, to: nil)
        }
        guard taken == live.count else {
            throw damage(
                .livePlace, index, Int(live[taken]), from: LogSequenceNumber(rawValue: 0), to: fact.lastLSN)
        }
        segments[index].validBytes = fact.validBytes
        segments[index].chain = chain
        segments[index].lastLSN = fact.lastLSN
    }

    /// Gives the sink those of the batch's records whose places are next in `live`.
    private mutating func restoreLive(
        in cursor: SegmentCursor, _ live: [UInt32], _ taken: inout Int,
        into sink: inout some JournalRecoverySink
    ) throws(JournalError) {
        let end = cursor.offset
        guard taken < live.count, Int(live[taken]) < end else { return }
        let position = taken
        let restored = cursor.withBatch { bytes, owner, ownerOffset -> Int? in
            var walk = BatchWalk(
                bytes, owner: owner, ownerOffset: ownerOffset, segment: cursor.segment,
                batchOffset: cursor.batchOffset)
            var taken = position
            while taken < live.count, Int(live[taken]) < end {
                guard let item = walk.next(), item.span.offset <= live[taken] else { return nil }
                guard item.span.offset == live[taken] else { continue }
                do throws(DecodingFailure) {
                    if walk.isAccepted(item) {
                        sink.restorePayload(try walk.acceptedTask(item), span: item.span)
                    } else {
                        guard let task = try walk.rarePayloadTask(item) else { return nil }
                        sink.restorePayload(task, span: item.span)
                    }
                } catch {
                    return nil
                }
                taken += 1
            }
            return taken
        }
        guard let restored else {
            throw .damaged(
                JournalDamage(
                    .livePlace, segment: cursor.segment, offset: Int(live[taken]),
                    firstLSN: LogSequenceNumber(rawValue: 0)))
        }
        report.restoredPayloads += restored - taken
        taken = restored
    }

    func damage(
        _ kind: JournalDamage.Kind, _ index: Int, _ offset: Int, from first: LogSequenceNumber,
        to last: LogSequenceNumber?
    ) -> JournalError {
        let segment = segments[index]
        let known =
            (try? SegmentTail.knownTasks(  // ignoring: the damage is then reported without names.
                segment.file, madeBytes: segment.madeBytes, seed: segment.seed, segment: segment.number,
                from: offset))
            ?? []
        return .damaged(
            JournalDamage(
                kind, segment: segment.number, offset: offset, firstLSN: first, lastLSN: last,
                knownTasks: known))
    }
}
