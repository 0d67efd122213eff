import TaskModel

extension Journal {
    /// True when enough was written since the last checkpoint, or one would let segments go, and none is
    /// being written.
    package var checkpointIsDue: Bool {
        guard failure == nil, !isCheckpointing, clocks.raw.boottimeMilliseconds >= nextCheckpoint else {
            return false
        }
        if bytesSinceCheckpoint >= max(options.segmentBytes, liveBytes / 8) { return true }
        // On a full disk space comes back only by checkpoints, perhaps while nothing can be written: two let
        // the dead segments go.
        let held = diskBytes - keptDeadBytes
        return (isFull || bytesSinceCheckpoint > 0 && held > diskBytesWanted) && isAnySegmentDead
    }

    /// What the disk may hold: twice what is live, and two segments.
    private var diskBytesWanted: Int { 2 * liveBytes + 2 * options.segmentBytes }

    /// Those that a backup reads do not count: no checkpoint would let them go.
    private var isAnySegmentDead: Bool {
        segments.contains { number, segment in
            number != active.number && segment.liveRecords == 0 && kept?.segments.contains(number) != true
        }
    }

    /// Fixes what a checkpoint covers: everything committed.
    ///
    /// Nothing may be staged. Copy the state now; then another thread calls
    /// ``CheckpointJob/write(livePayloads:records:)``, and its result comes to ``finishCheckpoint(_:)``.
    package mutating func beginCheckpoint() throws(JournalError) -> CheckpointJob {
        try checkUsable()
        precondition(stagedRecords == 0, "a checkpoint was begun with records staged")
        precondition(!isCheckpointing, "a checkpoint was begun before the last one ended")
        isCheckpointing = true
        bytesSinceCheckpoint = 0
        var facts: [SegmentFact] = []
        for (number, segment) in segments where number != active.number {
            facts.append(
                SegmentFact(
                    number: number, madeBytes: segment.madeBytes, validBytes: segment.validBytes,
                    chain: segment.chain,
                    lastLSN: segment.lastLSN))
        }
        facts.append(
            SegmentFact(
                number: active.number, madeBytes: active.madeBytes, validBytes: active.offset,
                chain: active.chain,
                lastLSN: durableLSN))
        facts.sort { $0.number < $1.number }
        let newest = (checkpoints.map(\.name) + staleCheckpoints).max()
        let ordinal = newest.map { $0.covered == durableLSN ? $0.ordinal + 1 : 0 } ?? 0
        let header = CheckpointHeader(
            instance: instance, covered: durableLSN, ordinal: ordinal, clocks: clocks, segment: active.number,
            offset: active.offset)
        return CheckpointJob(storage: storage, header: header, segments: facts)
    }

    /// Takes a checkpoint in use and deletes what no checkpoint needs; gives the numbers of the deleted
    /// segments.
    @discardableResult
    package mutating func finishCheckpoint(_ result: CheckpointResult) throws(JournalError) -> [UInt32] {
        try checkUsable()
        isCheckpointing = false
        nextCheckpoint = 0
        switch result.outcome {
        case .written(let checkpoint):
            checkpoints.insert(checkpoint, at: 0)
            while checkpoints.count > 2 { staleCheckpoints.append(checkpoints.removeLast().name) }
            return try deleteWhatIsNotNeeded()
        case .full:
            becomeFull()
            bytesSinceCheckpoint = Int.max / 2
            nextCheckpoint = clocks.raw.boottimeMilliseconds + Self.fullDiskPause
            nextPreparation = nextCheckpoint + Self.fullDiskPause
            // Without checkpoints no space ever comes back: a prepared segment is given up for one, but not
            // where it would let nothing go.
            if isAnySegmentDead, let last = prepared.popLast() { try discard(last) }
            return []
        case .failed(let error):
            throw fail(error)
        }
    }

    /// A segment goes when it lies wholly before the older of the two checkpoints, neither points into it,
    /// nothing live is in it now, and no backup reads it.
    private mutating func deleteWhatIsNotNeeded() throws(JournalError) -> [UInt32] {
        guard checkpoints.count == 2 else { return [] }
        let needed = checkpoints[0].segments.union(checkpoints[1].segments)
        let covered = checkpoints[1].name.covered
        let deletable = segments.filter { number, segment in
            number < active.number && segment.lastLSN <= covered && segment.liveRecords == 0
                && !needed.contains(number) && kept?.segments.contains(number) != true
        }
        let stale = staleCheckpoints.filter { $0 != kept?.checkpoint }
        guard !deletable.isEmpty || !stale.isEmpty else { return [] }
        do throws(JournalError) {
            for name in stale { try storage.unlink(JournalName.checkpointFile(name)) }
            staleCheckpoints.removeAll { stale.contains($0) }
            for number in deletable.keys.sorted() {
                try storage.unlink(JournalName.segmentFile(number: number))
                files.remove(number)
                segments[number] = nil
            }
            try storage.syncDirectory()
        } catch {
            throw fail(error)
        }
        if !deletable.isEmpty { nextPreparation = 0 }
        return deletable.keys.sorted()
    }
}
