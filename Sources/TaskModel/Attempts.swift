/// How one delivery of a task ended, other than by an ack.
package enum AttemptOutcome: Hashable, Sendable {
    /// The processor ended with this exit status.
    case exited(status: UInt8)
    /// A signal that taskq did not send ended the processor.
    case signalled(Int32)
    case timedOut
    /// The kernel killed the processor for its memory.
    case outOfMemory
    /// The processor said no.
    case nacked
    /// The processor asked for the dead-letter queue.
    case rejected
    /// What the processor answered was not an answer.
    case badAnswer
    /// The worker died or went away for longer than `reattach`.
    case workerLost
    case leaseExpired
    /// The admin's or the broker's own act (redrive, dead-letter a parked group, retention).
    case operatorAct

    package var label: String {
        switch self {
        case .exited(let status): "exit \(status)"
        case .signalled(let number): "signal \(number)"
        case .timedOut: "timeout"
        case .outOfMemory: "oom"
        case .nacked: "nack"
        case .rejected: "rejected"
        case .badAnswer: "bad answer"
        case .workerLost: "worker-lost"
        case .leaseExpired: "lease-expired"
        case .operatorAct: "operator"
        }
    }
}

/// One attempt that did not end in an ack, as kept with the task and shown in the dead-letter queue.
package struct AttemptRecord: Hashable, Sendable {
    /// Bounds that ``encode(to:)`` cuts to, in bytes.
    package static let reasonBytesMax = 1_024
    package static let stderrBytesMax = 4_096
    /// Attempts kept with a task; of more than these the newest stay.
    package static let keptMax = 16

    /// Counted deliveries up to and with this one; 0 for what happened without a delivery.
    package var number: UInt32
    package var outcome: AttemptOutcome
    package var startedAt: WallTime
    /// From the delivery to its end, milliseconds.
    package var durationMilliseconds: UInt64
    package var worker: String
    /// The processor's own words, or ours.
    package var reason: String
    /// The last bytes the processor wrote to stderr during the attempt; not necessarily UTF-8.
    package var stderrTail: ArraySlice<UInt8>

    package init(
        number: UInt32,
        outcome: AttemptOutcome,
        startedAt: WallTime,
        durationMilliseconds: UInt64,
        worker: String,
        reason: String,
        stderrTail: ArraySlice<UInt8>
    ) {
        self.number = number
        self.outcome = outcome
        self.startedAt = startedAt
        self.durationMilliseconds = durationMilliseconds
        self.worker = worker
        self.reason = reason
        self.stderrTail = stderrTail
    }
}

/// A worker's report of a delivery that ended without an ack.
package struct Failure: Hashable, Sendable {
    package var outcome: AttemptOutcome
    package var durationMilliseconds: UInt64
    /// The processor's own delay before the retry; nil leaves it to the queue's back-off.
    package var retryAfterMilliseconds: UInt64?
    package var reason: String
    package var stderrTail: ArraySlice<UInt8>

    package init(
        outcome: AttemptOutcome, durationMilliseconds: UInt64, retryAfterMilliseconds: UInt64? = nil,
        reason: String = "", stderrTail: ArraySlice<UInt8> = []
    ) {
        self.outcome = outcome
        self.durationMilliseconds = durationMilliseconds
        self.retryAfterMilliseconds = retryAfterMilliseconds
        self.reason = reason
        self.stderrTail = stderrTail
    }
}
