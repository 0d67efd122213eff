package import TaskModel

/// The version of the wire that this build writes, and the oldest that it reads.
package enum WireVersion {
    package static let current: UInt8 = 1
    package static let oldest: UInt8 = 1
}

/// Ties a reply to its request on one connection; chosen by the requester, never 0.
package typealias Correlation = UInt64

/// What a peer of the broker is.
package enum PeerRole: UInt8, Hashable, Sendable, CaseIterable {
    case ingest = 1
    case worker = 2
    case admin = 3
}

/// The first message of every connection.
package struct Hello: Hashable, Sendable {
    package var oldestVersion: UInt8
    package var newestVersion: UInt8
    package var role: PeerRole
    /// For people and for leases: a worker's name is stable over its restarts (`worker@tasks`).
    package var name: String
    package var session: SessionID
    /// The queue that a worker serves; empty for the others.
    package var queue: String
    /// Receipts that a worker holds: running, or finished and not yet confirmed.
    package var receipts: [Receipt]

    package init(
        oldestVersion: UInt8 = WireVersion.oldest, newestVersion: UInt8 = WireVersion.current, role: PeerRole,
        name: String, session: SessionID, queue: String = "", receipts: [Receipt] = []
    ) {
        self.oldestVersion = oldestVersion
        self.newestVersion = newestVersion
        self.role = role
        self.name = name
        self.session = session
        self.queue = queue
        self.receipts = receipts
    }
}

/// A task to be put on a queue.
package struct Enqueue: Hashable, Sendable {
    package var correlation: Correlation
    package var queue: String
    /// Empty: the queue's default group.
    package var group: String
    package var id: TaskID
    /// Set when the post had an `Idempotency-Key`.
    package var key: KeyDigests?
    package var traceparent: ArraySlice<UInt8>
    package var payload: ArraySlice<UInt8>

    /// The digests of (API key, `Idempotency-Key`) and of (stored bytes without the task's id, group).
    package struct KeyDigests: Hashable, Sendable {
        package var key: Digest
        package var content: Digest
        package init(key: Digest, content: Digest) {
            self.key = key
            self.content = content
        }
    }

    package init(
        correlation: Correlation, queue: String, group: String, id: TaskID, key: KeyDigests?,
        traceparent: ArraySlice<UInt8>, payload: ArraySlice<UInt8>
    ) {
        self.correlation = correlation
        self.queue = queue
        self.group = group
        self.id = id
        self.key = key
        self.traceparent = traceparent
        self.payload = payload
    }
}

/// Everything a peer may say to the broker.
package enum Request: Hashable, Sendable {
    case hello(Hello)
    // Ingest
    case enqueue(Enqueue)
    /// Asks for a task; with `wait` the answer comes at its final state, or after that many milliseconds.
    case lookup(correlation: Correlation, id: TaskID, waitMilliseconds: UInt32)
    case cancel(correlation: Correlation, id: TaskID, actor: String)
    // Worker
    /// How many tasks this worker is willing to hold at once, those it holds included.
    ///
    /// 0 stops deliveries.
    case credit(tasks: UInt16)
    case ack(receipt: Receipt, id: TaskID, result: ArraySlice<UInt8>, resultError: String)
    case nack(receipt: Receipt, id: TaskID, failure: Failure)
    /// The processor says that no retry will help: dead-letter now.
    case reject(receipt: Receipt, id: TaskID, failure: Failure)
    /// The delivery comes back uncounted: stop, upgrade, a plugin that cannot start.
    case release(receipt: Receipt, id: TaskID)
    /// The worker lives and still holds these; answered by ``Reply/settled`` only for those that are stale.
    case renew(receipts: [Receipt])
    /// The worker cannot start its processor; empty ends the stall.
    case stalled(reason: String)
    // Admin
    case status(correlation: Correlation)
    case declareQueue(correlation: Correlation, name: String, settings: QueueSettings, hasPlugin: Bool)
    /// Sets and clears pauses of a queue.
    case pause(
        correlation: Correlation, queue: String, set: QueuePauses, clear: QueuePauses, actor: String,
        reason: String)
    case listDead(correlation: Correlation, DeadTaskQuery)
    /// At most ``Limits/batchTasksMax`` ids; each is judged for itself.
    case act(correlation: Correlation, TaskAct, ids: [TaskID], actor: String)
    /// Redrives one dead task with other bytes.
    case redriveEdited(correlation: Correlation, id: TaskID, payload: ArraySlice<UInt8>, actor: String)
    /// Asks for the bytes of a live or dead task.
    case payload(correlation: Correlation, id: TaskID)
    case deleteQueue(correlation: Correlation, QueueDeletion)
    case listBlocked(correlation: Correlation, BlockedGroupQuery)
    /// Asks for the journal's files to be kept as they are, as long as this connection lasts.
    case beginBackup(correlation: Correlation)
    /// The backup goes on; without it for ``Limits/backupSilenceMilliseconds`` it is over.
    case keepBackup(correlation: Correlation)
    /// Everything was copied; answered without a problem if everything was kept until now.
    case endBackup(correlation: Correlation)
    /// A plugin is there: its queue is to exist, with its defaults under what the configuration says.
    case declarePlugin(correlation: Correlation, PluginDeclaration)
    /// All queues that have a plugin, at most ``Limits/queuesMax``; whatever was said before is over.
    case plugins(correlation: Correlation, [PluginPresence])
}

/// What the broker says of one post.
package enum EnqueueOutcome: Hashable, Sendable {
    case accepted(TaskSequence)
    /// The key was known with the same content: the first task's id and sequence.
    case replayed(TaskID, TaskSequence)
    /// The key was known with another body or group.
    case keyConflict
    case unknownQueue
    case queueFull
    case deduplicationFull
    /// Pause of ingest, drain, or the broker's own stop.
    case paused
    /// No room on the disk for another task.
    case diskFull
    /// The id is in use: the same frame came twice, or a defect of the sender.
    case idInUse
}

/// Everything the broker says to its peers.
package enum Reply: Hashable, Sendable {
    case welcome(Welcome)
    /// A frame came from a connection that has not said hello, or whose hello was refused.
    case helloRequired
    case helloRefused(reason: String)
    /// A message could not be read or is not this role's to send.
    case rejected(reason: String)
    case enqueued(correlation: Correlation, outcome: EnqueueOutcome)
    case task(correlation: Correlation, answer: LookupAnswer)
    case cancelled(correlation: Correlation, outcome: CancelOutcome)
    /// The queues with their settings: after the hello, and whenever they change.
    case queues([QueueListing])
    case delivery(DeliveredTask)
    /// The broker's word on a receipt: its answer is on disk, or it means nothing any more.
    case settled(receipt: Receipt, SettleOutcome)
    case status(correlation: Correlation, BrokerStatus)
    case done(correlation: Correlation, problem: String?)
    case dead(correlation: Correlation, DeadTaskPage)
    /// One outcome for each id, in their order.
    case acted(correlation: Correlation, [ActOutcome])
    /// Nil where no such task is waiting, leased, parked or dead.
    case payload(correlation: Correlation, ArraySlice<UInt8>?)
    case deletion(correlation: Correlation, DeletionOutcome)
    case blocked(correlation: Correlation, BlockedGroupListing)
    /// What to copy, and the folder in which it lies.
    case backup(correlation: Correlation, directory: String, JournalContents)
}

package struct Welcome: Hashable, Sendable {
    package var version: UInt8
    package var instance: JournalInstance
    /// The worker's queue's lease, or 0.
    package var leaseMilliseconds: UInt64

    package init(version: UInt8 = WireVersion.current, instance: JournalInstance, leaseMilliseconds: UInt64) {
        self.version = version
        self.instance = instance
        self.leaseMilliseconds = leaseMilliseconds
    }
}

package struct QueueListing: Hashable, Sendable {
    package var name: String
    package var maxDepth: UInt64
    package var defaultGroup: QueueSettings.DefaultGroup
    package var ingestIsPaused: Bool

    package init(
        name: String, maxDepth: UInt64, defaultGroup: QueueSettings.DefaultGroup, ingestIsPaused: Bool
    ) {
        self.name = name
        self.maxDepth = maxDepth
        self.defaultGroup = defaultGroup
        self.ingestIsPaused = ingestIsPaused
    }
}

package enum SettleOutcome: UInt8, Hashable, Sendable, CaseIterable {
    /// Taken, now or before: the answer is on disk.
    case taken = 0
    /// The lease had ended; the answer changed nothing.
    ///
    /// A processor still running on it is to be killed.
    case stale = 1
}

package enum CancelOutcome: UInt8, Hashable, Sendable, CaseIterable {
    case cancelled = 0
    case notCancellable = 1
    case unknown = 2
    case forgotten = 3
}

/// One task on its way to a worker.
package struct DeliveredTask: Hashable, Sendable {
    package var receipt: Receipt
    package var id: TaskID
    package var sequence: TaskSequence
    package var group: String
    /// Counted deliveries, this one included.
    package var attempt: UInt32
    package var maxAttempts: UInt32
    package var traceparent: ArraySlice<UInt8>
    package var payload: ArraySlice<UInt8>

    package init(
        receipt: Receipt, id: TaskID, sequence: TaskSequence, group: String, attempt: UInt32,
        maxAttempts: UInt32,
        traceparent: ArraySlice<UInt8>, payload: ArraySlice<UInt8>
    ) {
        self.receipt = receipt
        self.id = id
        self.sequence = sequence
        self.group = group
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.traceparent = traceparent
        self.payload = payload
    }
}
