package import TaskModel

/// A record read again from the journal; what compaction moved is unwrapped.
package struct StoredRecord: Hashable, Sendable {
    /// Never `moved`.
    package let record: JournalRecord

    package init(_ record: JournalRecord) {
        self.record = record
    }

    /// The task with its payload, from an `accepted` record or an edited redrive.
    package var task: AcceptedTask? {
        switch record {
        case .accepted(let task): task
        case .redriven(let redrive): redrive.edited
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .delivered, .released, .attemptFailed,
            .completed,
            .deadLettered, .parked, .unparked, .cancelled, .purged, .historyForgotten, .moved:
            nil
        }
    }

    /// The encoded history of attempts that the record carries.
    package var history: ArraySlice<UInt8>? {
        switch record {
        case .attemptFailed(let failure): failure.history
        case .parked(let parking): parking.history
        case .completed(let completion): completion.summary.history
        case .deadLettered(let dead): dead.summary.history
        case .cancelled(let cancellation): cancellation.summary.history
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .released, .unparked,
            .redriven,
            .purged, .historyForgotten, .moved:
            nil
        }
    }
}
