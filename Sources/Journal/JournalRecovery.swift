package import TaskModel

/// Takes what the journal recovers: the broker's state machine, or a collector in tests.
///
/// Order of calls: every ``restore(_:)``, then every ``restorePayload(_:span:)``, one ``finishRestore()``,
/// then every ``apply(_:at:)``. A journal without a checkpoint begins with ``finishRestore()``.
package protocol JournalRecoverySink {
    /// One record of the checkpoint, in the order in which they were handed to
    /// ``CheckpointJob/write(livePayloads:records:)``.
    mutating func restore(_ record: SnapshotRecord)
    /// One live payload record of the checkpoint, in the order of places.
    ///
    /// The payload is left empty; `span` finds it.
    mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan)
    /// The checkpoint is complete.
    mutating func finishRestore()
    /// One record after the checkpoint, in LSN order.
    ///
    /// Its byte strings may be slices of a larger buffer: copy what stays.
    mutating func apply(_ record: JournalRecord, at position: RecordPosition)
}

package struct RecoveryProgress: Hashable, Sendable {
    package let bytesDone: Int
    package let bytesTotal: Int
}

/// What opening the journal found, for the log.
package struct RecoveryReport: Hashable, Sendable {
    /// The directory was empty, and a new journal was made.
    package var isNew = false
    /// LSN that the checkpoint covers; 0 without one.
    package var checkpointLSN = LogSequenceNumber(rawValue: 0)
    package var restoredPayloads = 0
    package var replayedRecords = 0
    /// The last batch was a seal, or the journal was empty: nothing after it can be missing.
    package var wasSealed = true
    package var warnings: [RecoveryWarning] = []
    /// Of the last record; 0 where there is none.
    package var lastLSN = LogSequenceNumber(rawValue: 0)
    /// The clocks of the last batch; nil where there is none.
    package var lastJournalTime: JournalTime?
    package var lastWallTime: WallTime?

    package init() {}
}

package enum RecoveryWarning: Hashable, Sendable {
    /// The end of the journal was a batch that never became durable, and was cut: what a crash in the middle
    /// of a write leaves.
    ///
    /// If the journal was not sealed, damage to its very last batch would look the same.
    case tornTailCut(segment: UInt32, offset: Int, bytes: Int, firstLSN: LogSequenceNumber)
    /// A checkpoint is damaged; an older one, or the journal from its first record, was used.
    case badCheckpointSkipped(file: String)
    /// The last segment was shorter than made and was filled up with zeros again.
    case lastSegmentExtended(segment: UInt32, fromBytes: Int)
    /// Bytes behind the last batch of a sealed segment are not zero; no record is missing.
    case strayBytes(segment: UInt32, offset: Int)
}
