/// The facts.
///
/// What happened to tasks and queues, in the words of outcomes: applying them needs no configuration.
///
/// The state machine produces them, the journal stores them; neither imports the other.
package enum JournalRecord: Hashable, Sendable {
    /// A queue was declared, or its settings changed.
    case queueDeclared(QueueDeclaration)
    case queueDeleted(QueueNumber)
    case queuePauseChanged(QueuePauseChange)
    case accepted(AcceptedTask)
    /// A lease began.
    ///
    /// The record's LSN is its receipt, and the receive is counted from here on.
    case delivered(Delivery)
    /// A lease ended without an attempt to blame: the receive is taken back, unless `counted`.
    case released(Release)
    case attemptFailed(AttemptFailure)
    case completed(Completion)
    case deadLettered(DeadLetter)
    /// The attempts are used up and the queue parks: the task stays at its group's head and blocks it.
    case parked(Parking)
    /// An operator gave a parked task a fresh count.
    case unparked(TaskID)
    /// A dead task went back to the tail of its group.
    case redriven(Redrive)
    case cancelled(Cancellation)
    /// A dead task was deleted for good.
    case purged(TaskID)
    /// Finished tasks are forgotten, oldest first, this many, and none younger than this id time.
    case historyForgotten(HistoryForgotten)
    /// Compaction copied a record forward.
    ///
    /// Only the place changes.
    case moved(MovedRecord)
}

package struct QueuePauseChange: Hashable, Sendable {
    package var queue: QueueNumber
    package var pauses: QueuePauses
    /// Who and why, for people.
    package var actor: String
    package var reason: String

    package init(queue: QueueNumber, pauses: QueuePauses, actor: String, reason: String) {
        self.queue = queue
        self.pauses = pauses
        self.actor = actor
        self.reason = reason
    }
}

/// What an `Idempotency-Key` stands for: 128-bit digests of (API key, key) and of (stored bytes, group).
package struct DeduplicationEntry: Hashable, Sendable {
    package var key: Digest
    package var content: Digest
    /// Journal time from which the key means nothing.
    package var expires: JournalTime

    package init(key: Digest, content: Digest, expires: JournalTime) {
        self.key = key
        self.content = content
        self.expires = expires
    }
}

/// 128 bits of a hash; its maker decides which.
package struct Digest: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

package struct AcceptedTask: Hashable, Sendable {
    package var queue: QueueNumber
    package var id: TaskID
    package var sequence: TaskSequence
    /// Empty: the queue's default group.
    package var group: String
    package var deduplication: DeduplicationEntry?
    /// W3C trace context, or empty.
    package var traceparent: ArraySlice<UInt8>
    package var payload: ArraySlice<UInt8>

    package init(
        queue: QueueNumber, id: TaskID, sequence: TaskSequence, group: String,
        deduplication: DeduplicationEntry?,
        traceparent: ArraySlice<UInt8>, payload: ArraySlice<UInt8>
    ) {
        self.queue = queue
        self.id = id
        self.sequence = sequence
        self.group = group
        self.deduplication = deduplication
        self.traceparent = traceparent
        self.payload = payload
    }
}

package struct Delivery: Hashable, Sendable {
    package var id: TaskID
    package var worker: String
    package var session: SessionID
    package var deliveredAt: WallTime

    package init(id: TaskID, worker: String, session: SessionID, deliveredAt: WallTime) {
        self.id = id
        self.worker = worker
        self.session = session
        self.deliveredAt = deliveredAt
    }
}

package struct Release: Hashable, Sendable {
    package var id: TaskID
    package var receipt: LogSequenceNumber
    /// True where the receive stays counted: too many releases in a row.
    package var counted: Bool

    package init(id: TaskID, receipt: LogSequenceNumber, counted: Bool) {
        self.id = id
        self.receipt = receipt
        self.counted = counted
    }
}

package struct AttemptFailure: Hashable, Sendable {
    package var id: TaskID
    package var receipt: LogSequenceNumber
    /// Back-off from now on, milliseconds; starts anew after a restart.
    package var retryMilliseconds: UInt64
    /// The whole history up to and with this attempt, as ``AttemptRecord/history(_:adding:)`` encodes it.
    package var history: ArraySlice<UInt8>

    package init(
        id: TaskID, receipt: LogSequenceNumber, retryMilliseconds: UInt64, history: ArraySlice<UInt8>
    ) {
        self.id = id
        self.receipt = receipt
        self.retryMilliseconds = retryMilliseconds
        self.history = history
    }
}

/// What stays known of a task when it has left its queue; enough to answer `GET /tasks/{id}` from this record
/// alone.
package struct FinishedSummary: Hashable, Sendable {
    package var queue: QueueNumber
    package var sequence: TaskSequence
    package var group: String
    package var finishedAt: WallTime
    /// Counted deliveries.
    package var receives: UInt32
    package var history: ArraySlice<UInt8>

    package init(
        queue: QueueNumber, sequence: TaskSequence, group: String, finishedAt: WallTime, receives: UInt32,
        history: ArraySlice<UInt8>
    ) {
        self.queue = queue
        self.sequence = sequence
        self.group = group
        self.finishedAt = finishedAt
        self.receives = receives
        self.history = history
    }
}

package struct Completion: Hashable, Sendable {
    package var id: TaskID
    package var receipt: LogSequenceNumber
    package var summary: FinishedSummary
    /// The processor's result as JSON, or empty.
    package var result: ArraySlice<UInt8>
    /// Why a result was dropped, or empty.
    package var resultError: String

    package init(
        id: TaskID, receipt: LogSequenceNumber, summary: FinishedSummary, result: ArraySlice<UInt8>,
        resultError: String
    ) {
        self.id = id
        self.receipt = receipt
        self.summary = summary
        self.result = result
        self.resultError = resultError
    }
}

package enum DeadLetterReason: UInt8, Hashable, Sendable, CaseIterable {
    /// `max_attempts` counted deliveries failed.
    case exhausted = 0
    /// The processor said that no retry will help.
    case rejected = 1
    /// Pending past the queue's retention.
    case expired = 2
    /// An operator's decision about a parked group.
    case operatorAct = 3

    package var label: String {
        switch self {
        case .exhausted: "exhausted"
        case .rejected: "rejected"
        case .expired: "expired"
        case .operatorAct: "operator"
        }
    }
}

package struct DeadLetter: Hashable, Sendable {
    package var id: TaskID
    package var reason: DeadLetterReason
    package var summary: FinishedSummary

    package init(id: TaskID, reason: DeadLetterReason, summary: FinishedSummary) {
        self.id = id
        self.reason = reason
        self.summary = summary
    }
}

package struct Parking: Hashable, Sendable {
    package var id: TaskID
    /// True where the queue is paused with it (`halt-queue`).
    package var haltsQueue: Bool
    package var history: ArraySlice<UInt8>

    package init(id: TaskID, haltsQueue: Bool, history: ArraySlice<UInt8>) {
        self.id = id
        self.haltsQueue = haltsQueue
        self.history = history
    }
}

package struct Redrive: Hashable, Sendable {
    package var id: TaskID
    /// The new place in the order of acceptance.
    package var sequence: TaskSequence
    /// With an edited payload: the task as it is from now on.
    ///
    /// This record is then the one that carries the payload.
    package var edited: AcceptedTask?

    package init(id: TaskID, sequence: TaskSequence, edited: AcceptedTask?) {
        self.id = id
        self.sequence = sequence
        self.edited = edited
    }
}

package struct Cancellation: Hashable, Sendable {
    package var id: TaskID
    package var actor: String
    package var summary: FinishedSummary

    package init(id: TaskID, actor: String, summary: FinishedSummary) {
        self.id = id
        self.actor = actor
        self.summary = summary
    }
}

package struct HistoryForgotten: Hashable, Sendable {
    /// How many of the oldest finished tasks go.
    package var count: UInt32
    /// The largest id time, milliseconds, among everything forgotten so far.
    package var newestForgotten: UInt64

    package init(count: UInt32, newestForgotten: UInt64) {
        self.count = count
        self.newestForgotten = newestForgotten
    }
}

/// Which of a task's two places a moved record is.
package enum RecordRole: UInt8, Hashable, Sendable, CaseIterable {
    /// The record that carries the payload.
    case payload = 0
    /// The newest record that carries the history of attempts, or the final one.
    case history = 1
}

package struct MovedRecord: Hashable, Sendable {
    package var id: TaskID
    package var role: RecordRole
    /// The original record's type byte and body, verbatim.
    package var original: ArraySlice<UInt8>

    package init(id: TaskID, role: RecordRole, original: ArraySlice<UInt8>) {
        self.id = id
        self.role = role
        self.original = original
    }
}
