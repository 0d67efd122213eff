import BinaryCoding
import TaskModel

extension Recovery {
    /// Replays every batch after the checkpoint.
    ///
    /// LSNs without a gap prove that nothing between two batches is missing, a handover that its segment is
    /// there; whether something is missing at the very end is for ``settleTail()`` to judge.
    mutating func replay(into sink: inout some JournalRecoverySink) throws(JournalError) {
        let reread = distrustCache()
        progress.total = progress.done + segments[tail...].reduce(0) { $0 + $1.madeBytes }
        lastWritten = tail
        var target: UInt32?
        for index in tail..<segments.count {
            if segments[index].number == target {
                (tail, target) = (index, nil)
                // Where a recovery cut its torn first batch and could not sync that, the cache shows zeros.
                if index > reread { segments[index].file.dropCache() }
            }
            var cursor = SegmentCursor(
                segment: segments[index].number, madeBytes: segments[index].madeBytes,
                seed: segments[index].seed,
                file: segments[index].file, from: segments[index].validBytes)
            batches: while true {
                switch try cursor.next() {
                case .batch(let header):
                    guard header.firstLSN == expected, index == tail, target == nil else {
                        throw discontinuity(index, cursor.batchOffset, header, missing: target)
                    }
                    try apply(header, cursor, index, into: &sink)
                    if header.kind == .handover { target = cursor.handoverTarget }
                case .end(let isZero):
                    segments[index].endIsZero = isZero
                    break batches
                }
            }
        }
        guard let target else { return }
        throw .damaged(JournalDamage(.segmentMissing, segment: target, offset: 0, firstLSN: expected))
    }

    /// Sees to it that the last segment with batches is read from the disk (W3), and says which that is.
    ///
    /// After a sync that failed, the cache may show what the disk does not hold, and only the last batch can
    /// be such. Which segment that is may be asked of the cache: where it shows zeros, nothing was ever
    /// written, unless the segment before was handed over to it.
    private func distrustCache() -> Int {
        var index = segments.count - 1
        while index > tail {
            let place = SegmentHeader.bytes
            let file = segments[index].file
            let first = try? file.bytes(BatchHeader.bytes, at: place)  // ignoring: replay fails on it.
            guard let first, first.allSatisfy({ $0 == 0 }) else { break }
            index -= 1
        }
        segments[index].file.dropCache()
        return index
    }

    private mutating func apply(
        _ header: BatchHeader, _ cursor: SegmentCursor, _ index: Int,
        into sink: inout some JournalRecoverySink
    ) throws(JournalError) {
        let time = header.clocks.journal
        var lsn = header.firstLSN.rawValue
        var unknown: JournalDamage.Kind?
        let isWhole =
            header.records == 0
            || cursor.withBatch { bytes, owner, ownerOffset in
                var walk = BatchWalk(
                    bytes, owner: owner, ownerOffset: ownerOffset, segment: cursor.segment,
                    batchOffset: cursor.batchOffset)
                for _ in 0..<header.records {
                    guard let item = walk.next() else { return false }
                    do throws(DecodingFailure) {
                        let position = RecordPosition(
                            lsn: LogSequenceNumber(rawValue: lsn), span: item.span, time: time)
                        sink.apply(try walk.record(item), at: position)
                    } catch {
                        if case .unknown(let kind, let value) = error {
                            unknown = .unknownContent(kind: kind, value: value)
                        }
                        return false
                    }
                    lsn += 1
                }
                return walk.isAtEnd
            }
        guard isWhole else {
            let first = LogSequenceNumber(rawValue: lsn)
            throw damage(unknown ?? .record, index, cursor.batchOffset, from: first, to: nil)
        }
        expected = header.endLSN
        clocks = header.clocks
        lastIsSeal = header.kind != .records
        lastWritten = index
        segments[index].validBytes = cursor.offset
        segments[index].chain = Checksum.chained(segments[index].chain, header.checksum)
        if header.records > 0 { segments[index].lastLSN = LogSequenceNumber(rawValue: expected.rawValue - 1) }
        report.replayedRecords += header.records
        replayedBytes += header.length
        progress.advance(by: header.length)
    }

    /// A good batch that is not the one that should come next: what is missing stood where the good ones
    /// ended.
    private func discontinuity(
        _ index: Int, _ offset: Int, _ header: BatchHeader, missing target: UInt32?
    ) -> JournalError {
        let last =
            header.firstLSN > expected ? LogSequenceNumber(rawValue: header.firstLSN.rawValue - 1) : nil
        if let target, target < segments[index].number {
            return .damaged(
                JournalDamage(.segmentMissing, segment: target, offset: 0, firstLSN: expected, lastLSN: last))
        }
        guard index > tail else { return damage(.gap, index, offset, from: expected, to: last) }
        if header.firstLSN == expected, segments[tail].endIsZero {
            return damage(.handoverMissing, tail, segments[tail].validBytes, from: expected, to: nil)
        }
        if segments[tail].endIsZero {
            return damage(.gap, tail, segments[tail].validBytes, from: expected, to: last)
        }
        return damage(.batch, tail, segments[tail].validBytes, from: expected, to: lastBad() ?? last)
    }

    /// The last LSN before the next good batch of the segment that replay has come to a stop in.
    private func lastBad() -> LogSequenceNumber? {
        let segment = segments[tail]
        let probe = try? SegmentTail.probe(  // ignoring: the damage is then said to reach further.
            segment.file, segment: segment.number, madeBytes: segment.madeBytes, seed: segment.seed,
            from: segment.validBytes, expecting: expected)
        guard case .batchBehind(let first) = probe, first > expected else { return nil }
        return LogSequenceNumber(rawValue: first.rawValue - 1)
    }
}
