package import TaskModel

/// What the broker knows of a task, for `GET /tasks/{id}` and `taskq get`.
package struct TaskView: Hashable, Sendable {
    package enum State: UInt8, Hashable, Sendable, CaseIterable {
        case pending = 0
        case leased = 1
        case parked = 2
        case completed = 3
        case cancelled = 4
        case deadLettered = 5

        /// The word on the outside: JSON, tables, logs.
        package var label: String {
            switch self {
            case .pending: "pending"
            case .leased: "leased"
            case .parked: "parked"
            case .completed: "completed"
            case .cancelled: "cancelled"
            case .deadLettered: "dead-lettered"
            }
        }

        /// What a waiter waits for.
        package var isFinal: Bool {
            switch self {
            case .pending, .leased: false
            case .parked, .completed, .cancelled, .deadLettered: true
            }
        }
    }

    package var id: TaskID
    package var state: State
    package var queue: String
    /// The group's name, the queue's own where the post gave none.
    package var group: String
    package var sequence: TaskSequence
    package var finishedAt: WallTime?
    package var receives: UInt32
    package var maxAttempts: UInt32
    /// Why a waiting task waits, in words; empty otherwise.
    package var waitingBecause: String
    package var deadReason: DeadLetterReason?
    /// Encoded attempts, oldest first (``AttemptRecord/decodeHistory(_:)``).
    package var history: ArraySlice<UInt8>
    /// The processor's result as JSON, or empty.
    package var result: ArraySlice<UInt8>
    package var resultError: String

    package init(
        id: TaskID, state: State, queue: String, group: String, sequence: TaskSequence,
        finishedAt: WallTime? = nil,
        receives: UInt32, maxAttempts: UInt32, waitingBecause: String = "",
        deadReason: DeadLetterReason? = nil,
        history: ArraySlice<UInt8> = [], result: ArraySlice<UInt8> = [], resultError: String = ""
    ) {
        self.id = id
        self.state = state
        self.queue = queue
        self.group = group
        self.sequence = sequence
        self.finishedAt = finishedAt
        self.receives = receives
        self.maxAttempts = maxAttempts
        self.waitingBecause = waitingBecause
        self.deadReason = deadReason
        self.history = history
        self.result = result
        self.resultError = resultError
    }
}

package enum LookupAnswer: Hashable, Sendable {
    case found(TaskView)
    /// Never accepted, as far as the broker can know.
    case unknown
    /// Finished and forgotten, or never accepted: not newer than the newest id that was forgotten.
    case forgotten
    /// ``Limits/waitersMax`` requests wait already.
    case tooManyWaiters
}

/// The broker as a whole, for `taskq status`.
package struct BrokerStatus: Hashable, Sendable {
    package var instance: JournalInstance
    package var uptimeMilliseconds: UInt64
    package var durableLSN: LogSequenceNumber
    package var journalBytes: UInt64
    package var liveBytes: UInt64
    package var syncs: UInt64
    package var queues: [QueueStatus]

    package init(
        instance: JournalInstance, uptimeMilliseconds: UInt64, durableLSN: LogSequenceNumber,
        journalBytes: UInt64,
        liveBytes: UInt64, syncs: UInt64, queues: [QueueStatus]
    ) {
        self.instance = instance
        self.uptimeMilliseconds = uptimeMilliseconds
        self.durableLSN = durableLSN
        self.journalBytes = journalBytes
        self.liveBytes = liveBytes
        self.syncs = syncs
        self.queues = queues
    }
}

/// One queue: guarantee K's counters and gauges, and what holds it up.
package struct QueueStatus: Hashable, Sendable {
    package var name: String
    package var counters: QueueCounters
    package var pending: UInt64
    package var leased: UInt64
    package var parked: UInt64
    package var dead: UInt64
    package var groups: UInt64
    /// Groups whose head waits for a retry or is parked.
    package var blockedGroups: UInt64
    /// Milliseconds of journal time since the oldest pending task was accepted, to the minute; 0 if none.
    package var oldestAgeMilliseconds: UInt64
    package var pauses: QueuePauses
    package var workers: UInt32
    /// Why nothing is being delivered though something waits; empty where deliveries flow.
    package var waitingBecause: String

    package init(
        name: String, counters: QueueCounters, pending: UInt64, leased: UInt64, parked: UInt64, dead: UInt64,
        groups: UInt64, blockedGroups: UInt64, oldestAgeMilliseconds: UInt64, pauses: QueuePauses,
        workers: UInt32,
        waitingBecause: String
    ) {
        self.name = name
        self.counters = counters
        self.pending = pending
        self.leased = leased
        self.parked = parked
        self.dead = dead
        self.groups = groups
        self.blockedGroups = blockedGroups
        self.oldestAgeMilliseconds = oldestAgeMilliseconds
        self.pauses = pauses
        self.workers = workers
        self.waitingBecause = waitingBecause
    }
}
