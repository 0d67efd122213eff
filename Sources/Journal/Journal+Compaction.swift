import TaskModel

extension Journal {
    /// The segment whose live records should be moved, or nil: only while the disk is full, or holds more
    /// than twice what is live and two segments, those without anything live not counted since the next
    /// checkpoints delete them.
    ///
    /// Scan it, stage a `moved` record for each item that the state still points to, and release the old
    /// place. The segment goes with the second checkpoint after that.
    package func compactionCandidate() -> UInt32? {
        var held = prepared.reduce(active.madeBytes) { $0 + $1.madeBytes }
        var best: (number: UInt32, live: Int, made: Int, records: Int)?
        for (number, segment) in segments where number != active.number && segment.liveRecords > 0 {
            held += segment.madeBytes
            let isBetter = best.map { best in
                let (own, other) = (segment.liveBytes * best.made, best.live * segment.madeBytes)
                return own < other || (own == other && number < best.number)
            }
            if isBetter ?? true {
                best = (number, segment.liveBytes, segment.madeBytes, segment.liveRecords)
            }
        }
        guard let best, 2 * best.live < best.made else { return nil }
        // On a full disk every segment counts that can be emptied into what room there is, with some left for
        // answers.
        if isFull {
            let moving = best.live + best.records * Self.movedBytes + options.answerBytes / 8
            return moving < availableBytes ? best.number : nil
        }
        return held > 2 * liveBytes + 2 * options.segmentBytes ? best.number : nil
    }

    /// What a moved record takes beyond the record in it, and its part of a batch header, bytes.
    private static var movedBytes: Int { 48 }

    /// Reads a sealed segment's records that tasks may point to, from any thread, in portions.
    package func scan(segment number: UInt32) throws(JournalError) -> SegmentScan {
        guard let segment = segments[number], let file = files.file(number) else {
            throw .gone(RecordSpan(segment: number, offset: 0, length: 0))
        }
        let end = number == active.number ? active.offset : segment.validBytes
        return SegmentScan(
            cursor: SegmentCursor(
                segment: number, madeBytes: segment.madeBytes, seed: files.seed(number), file: file,
                from: SegmentHeader.bytes),
            end: end)
    }
}
