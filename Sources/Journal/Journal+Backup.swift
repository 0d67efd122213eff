package import TaskModel

/// A copy is taken by another process while this one writes on: what it reads is named here and kept until it
/// says that it is done.
extension Journal {
    /// Names everything that is durable now, and deletes none of it until ``endBackup()``.
    ///
    /// At most one at a time. A full disk ends it: see ``keepsBackup``.
    package mutating func beginBackup() throws(JournalError) -> JournalContents {
        try checkUsable()
        precondition(kept == nil, "a backup was begun before the last one ended")
        let checkpoint = checkpoints.first
        // A checkpoint's own segment is the last that it points into; replay goes on from there.
        let first = checkpoint?.segments.max() ?? 0
        let numbers = segments.keys.filter { $0 >= first || checkpoint?.segments.contains($0) == true }
        let contents = JournalContents(
            instance: instance, lastLSN: durableLSN,
            checkpoint: checkpoint.map { JournalName.checkpointFile($0.name) },
            segments: numbers.sorted().compactMap { number in
                segments[number].map {
                    JournalContents.Segment(
                        number: number, madeBytes: $0.madeBytes,
                        endBytes: number == active.number ? active.offset : $0.validBytes)
                }
            })
        kept = KeptFiles(checkpoint: checkpoint?.name, segments: Set(numbers))
        return contents
    }

    /// What was kept for a backup is deleted with the next checkpoint, where nothing else needs it.
    package mutating func endBackup() { kept = nil }

    /// Whether everything that ``beginBackup()`` named is still there.
    ///
    /// False as soon as the disk is full: answers to workers need the room more.
    package var keepsBackup: Bool { kept != nil }

    /// Bytes of segments that hold nothing live and stay for a backup alone.
    var keptDeadBytes: Int {
        guard let kept else { return 0 }
        return kept.segments.reduce(0) { sum, number in
            guard number != active.number, let segment = segments[number], segment.liveRecords == 0 else {
                return sum
            }
            return sum + segment.madeBytes
        }
    }
}

/// Files that a backup reads.
struct KeptFiles: Hashable, Sendable {
    let checkpoint: CheckpointName?
    let segments: Set<UInt32>
}
