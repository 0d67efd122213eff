/// What a checkpoint says about the state besides the places of the live payload records.
///
/// A pending task that was never delivered has no snapshot record: its payload record and place say
/// everything.
package enum SnapshotRecord: Hashable, Sendable {
    case totals(SnapshotTotals)
    case queue(QueueSnapshot)
    /// The first sequence accepted at or after a journal time; gives tasks their age without a field per
    /// task.
    case acceptanceEpoch(AcceptanceEpoch)
    case task(TaskSnapshot)
    case finished(FinishedSnapshot)
    case deduplication(DeduplicationSnapshot)
}

package struct SnapshotTotals: Hashable, Sendable {
    package var nextSequence: TaskSequence
    package var nextQueue: QueueNumber
    /// Largest id time, milliseconds, among finished tasks that were forgotten.
    package var newestForgotten: UInt64

    package init(nextSequence: TaskSequence, nextQueue: QueueNumber, newestForgotten: UInt64) {
        self.nextSequence = nextSequence
        self.nextQueue = nextQueue
        self.newestForgotten = newestForgotten
    }
}

package struct QueueSnapshot: Hashable, Sendable {
    package var declaration: QueueDeclaration
    package var counters: QueueCounters
    package var pauses: QueuePauses
    package var pauseActor: String
    package var pauseReason: String
    package var isDeleted: Bool

    package init(
        declaration: QueueDeclaration, counters: QueueCounters, pauses: QueuePauses, pauseActor: String,
        pauseReason: String, isDeleted: Bool
    ) {
        self.declaration = declaration
        self.counters = counters
        self.pauses = pauses
        self.pauseActor = pauseActor
        self.pauseReason = pauseReason
        self.isDeleted = isDeleted
    }
}

package struct AcceptanceEpoch: Hashable, Sendable {
    package var firstSequence: TaskSequence
    package var time: JournalTime

    package init(firstSequence: TaskSequence, time: JournalTime) {
        self.firstSequence = firstSequence
        self.time = time
    }
}

/// A live task about which there is more to say than that it waits.
package struct TaskSnapshot: Hashable, Sendable {
    package enum Standing: Hashable, Sendable {
        case pending
        /// Pending with a back-off of so many milliseconds, which starts anew.
        case backingOff(milliseconds: UInt64)
        case leased(Lease)
        case parked
        /// Dead, with its rank in the order of dying.
        case dead(reason: DeadLetterReason, order: UInt64)
    }

    package struct Lease: Hashable, Sendable {
        package var receipt: LogSequenceNumber
        package var worker: String
        package var session: SessionID
        package var deliveredAt: WallTime

        package init(receipt: LogSequenceNumber, worker: String, session: SessionID, deliveredAt: WallTime) {
            self.receipt = receipt
            self.worker = worker
            self.session = session
            self.deliveredAt = deliveredAt
        }
    }

    package var id: TaskID
    /// The task's present sequence: a redrive gave it another than its payload record says.
    package var sequence: TaskSequence
    package var receives: UInt32
    package var uncountedReleases: UInt8
    package var standing: Standing
    /// The newest record with the history of attempts, if there is one.
    package var history: RecordSpan?
    /// When a dead task died; nil for others, and where an earlier version did not write it.
    package var diedAt: JournalTime?

    package init(
        id: TaskID, sequence: TaskSequence, receives: UInt32, uncountedReleases: UInt8, standing: Standing,
        history: RecordSpan?, diedAt: JournalTime? = nil
    ) {
        self.id = id
        self.sequence = sequence
        self.receives = receives
        self.uncountedReleases = uncountedReleases
        self.standing = standing
        self.history = history
        self.diedAt = diedAt
    }
}

package enum FinishedState: UInt8, Hashable, Sendable, CaseIterable {
    case completed = 0
    case cancelled = 1
}

/// A finished task that is still known.
///
/// Written in the order of finishing.
package struct FinishedSnapshot: Hashable, Sendable {
    package var id: TaskID
    package var state: FinishedState
    package var finishedAt: JournalTime
    package var queue: QueueNumber
    /// The receipt whose ack completed it, for idempotent acks; nil if cancelled.
    package var receipt: LogSequenceNumber?
    package var span: RecordSpan

    package init(
        id: TaskID, state: FinishedState, finishedAt: JournalTime, queue: QueueNumber,
        receipt: LogSequenceNumber?,
        span: RecordSpan
    ) {
        self.id = id
        self.state = state
        self.finishedAt = finishedAt
        self.queue = queue
        self.receipt = receipt
        self.span = span
    }
}

package struct DeduplicationSnapshot: Hashable, Sendable {
    package var queue: QueueNumber
    package var entry: DeduplicationEntry
    package var task: TaskID
    package var sequence: TaskSequence

    package init(queue: QueueNumber, entry: DeduplicationEntry, task: TaskID, sequence: TaskSequence) {
        self.queue = queue
        self.entry = entry
        self.task = task
        self.sequence = sequence
    }
}
