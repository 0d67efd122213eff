import TaskModel
import WireProtocol

/// One of every message, with every optional part there and absent.
enum MessageSamples {
    static let id = TaskID(unixMilliseconds: 1_700_000_000_000, random: (1, 2))
    static let receipt = Receipt(
        instance: JournalInstance(rawValue: 0xABCD), lsn: LogSequenceNumber(rawValue: 77))
    static let digest = Digest(high: 3, low: 4)
    static let failure = Failure(
        outcome: .signalled(11), durationMilliseconds: 1_234, retryAfterMilliseconds: 5_000, reason: "boom",
        stderrTail: [1, 0, 255])

    static let defaults: QueueDefaults = {
        var defaults = QueueDefaults()
        defaults.leaseMilliseconds = 60_000
        defaults.maxAttempts = .max
        defaults.onExhausted = .haltQueue
        defaults.defaultGroup = .task
        defaults.retentionMilliseconds = 1
        defaults.dedupWindowMilliseconds = 0
        defaults.maxDepth = 2
        defaults.historyMilliseconds = 3
        defaults.retryInitialMilliseconds = 4
        defaults.retryFactorHundredths = 150
        defaults.retryMaxMilliseconds = 5
        defaults.maxBytes = 6
        defaults.deadLetterRetentionMilliseconds = UInt64(Int64.max)
        defaults.workers = 64
        return defaults
    }()

    static let requests: [Request] = [
        .hello(Hello(role: .ingest, name: "ingest", session: SessionID(rawValue: 9))),
        .hello(
            Hello(
                role: .worker, name: "a@tasks", session: SessionID(rawValue: .max), queue: "tasks",
                receipts: [receipt, receipt])),
        .enqueue(
            Enqueue(
                correlation: 1, queue: "tasks", group: "", id: id, key: nil, traceparent: [],
                payload: [123, 125])),
        .enqueue(
            Enqueue(
                correlation: .max, queue: "mail", group: "g1", id: id,
                key: Enqueue.KeyDigests(key: digest, content: digest), traceparent: [48, 48], payload: [])),
        .lookup(correlation: 2, id: id, waitMilliseconds: 30_000),
        .cancel(correlation: 3, id: id, actor: "admin"),
        .credit(tasks: 8),
        .ack(receipt: receipt, id: id, result: [34, 34], resultError: ""),
        .nack(receipt: receipt, id: id, failure: failure),
        .reject(
            receipt: receipt, id: id, failure: Failure(outcome: .rejected, durationMilliseconds: 0)),
        .release(receipt: receipt, id: id),
        .renew(receipts: []),
        .renew(receipts: [receipt]),
        .stalled(reason: "no shebang"),
        .status(correlation: 4),
        .declareQueue(correlation: 5, name: "mail", settings: QueueSettings(), hasPlugin: true),
        .pause(correlation: 6, queue: "mail", set: .deliveries, clear: [], actor: "admin", reason: "why"),
        .listDead(correlation: 7, DeadTaskQuery(queue: "mail", limit: 1_000)),
        .listDead(correlation: 7, DeadTaskQuery(queue: "mail", after: id, limit: 1)),
        .act(correlation: 8, .redrive, ids: [id, id], actor: "admin"),
        .act(correlation: 8, .cancel, ids: [], actor: ""),
        .redriveEdited(correlation: 9, id: id, payload: [123, 125], actor: "admin"),
        .payload(correlation: 10, id: id),
        .beginBackup(correlation: 11),
        .keepBackup(correlation: 12),
        .endBackup(correlation: 13),
        .deleteQueue(correlation: 11, QueueDeletion(queue: "mail", purges: true, actor: "admin")),
        .listBlocked(correlation: 12, BlockedGroupQuery(queue: "mail", limit: 1_000)),
        .listBlocked(correlation: 12, BlockedGroupQuery(queue: "mail", group: "", after: "g", limit: 1)),
        .declarePlugin(correlation: 11, PluginDeclaration(queue: "mail", defaults: nil)),
        .declarePlugin(correlation: 11, PluginDeclaration(queue: "mail", defaults: QueueDefaults())),
        .declarePlugin(correlation: 11, PluginDeclaration(queue: "mail", defaults: defaults)),
        .plugins(correlation: 12, []),
        .plugins(
            correlation: 12, [PluginPresence(queue: "mail"), PluginPresence(queue: "sms", problem: "two")]),
    ]

    static let replies: [Reply] = [
        .welcome(Welcome(instance: JournalInstance(rawValue: 5), leaseMilliseconds: 180_000)),
        .helloRequired,
        .helloRefused(reason: "no"),
        .rejected(reason: "bad"),
        .enqueued(correlation: 1, outcome: .accepted(TaskSequence(rawValue: 12))),
        .enqueued(correlation: 1, outcome: .replayed(id, TaskSequence(rawValue: 12))),
        .enqueued(correlation: 1, outcome: .keyConflict),
        .enqueued(correlation: 1, outcome: .unknownQueue),
        .enqueued(correlation: 1, outcome: .queueFull),
        .enqueued(correlation: 1, outcome: .deduplicationFull),
        .enqueued(correlation: 1, outcome: .paused),
        .enqueued(correlation: 1, outcome: .diskFull),
        .enqueued(correlation: 1, outcome: .idInUse),
        .task(correlation: 2, answer: .unknown),
        .task(correlation: 2, answer: .forgotten),
        .task(correlation: 2, answer: .tooManyWaiters),
        .task(
            correlation: 2,
            answer: .found(
                TaskView(
                    id: id, state: .deadLettered, queue: "tasks", group: "g",
                    sequence: TaskSequence(rawValue: 3),
                    finishedAt: WallTime(rawValue: 9), receives: 5, maxAttempts: 5, waitingBecause: "",
                    deadReason: .exhausted, history: [1, 2], result: [3], resultError: "x"))),
        .task(
            correlation: 2,
            answer: .found(
                TaskView(
                    id: id, state: .pending, queue: "tasks", group: "tasks",
                    sequence: TaskSequence(rawValue: 3),
                    receives: 0, maxAttempts: 5, waitingBecause: "no plugin"))),
        .cancelled(correlation: 3, outcome: .notCancellable),
        .queues([
            QueueListing(name: "tasks", maxDepth: 10, defaultGroup: .task, ingestIsPaused: true),
            QueueListing(name: "mail", maxDepth: .max, defaultGroup: .queue, ingestIsPaused: false),
        ]),
        .delivery(
            DeliveredTask(
                receipt: receipt, id: id, sequence: TaskSequence(rawValue: 1), group: "g", attempt: 2,
                maxAttempts: 5, traceparent: [], payload: [1, 2, 3])),
        .settled(receipt: receipt, .stale),
        .status(
            correlation: 4,
            BrokerStatus(
                instance: JournalInstance(rawValue: 1), uptimeMilliseconds: 2,
                durableLSN: LogSequenceNumber(rawValue: 3), journalBytes: 4, liveBytes: 5, syncs: 6,
                queues: [
                    QueueStatus(
                        name: "tasks", counters: QueueCounters(), pending: 1, leased: 2, parked: 3, dead: 4,
                        groups: 5, blockedGroups: 6, oldestAgeMilliseconds: 7,
                        pauses: [.deliveries, .halted],
                        workers: 8, waitingBecause: "paused")
                ])),
        .done(correlation: 5, problem: nil),
        .done(correlation: 5, problem: "no such queue"),
        .backup(
            correlation: 11, directory: "/var/lib/taskq/journal",
            JournalContents(
                instance: JournalInstance(rawValue: 1), lastLSN: LogSequenceNumber(rawValue: 300),
                checkpoint: "checkpoint-0000000000000100-00000000",
                segments: [
                    JournalContents.Segment(number: 3, madeBytes: 1 << 20, endBytes: 64),
                    JournalContents.Segment(number: 300, madeBytes: 1 << 26, endBytes: 70_000),
                ])),
        .backup(
            correlation: 11, directory: "",
            JournalContents(
                instance: JournalInstance(rawValue: 1), lastLSN: LogSequenceNumber(rawValue: 0),
                checkpoint: nil, segments: [])),
        .deletion(correlation: 11, .deleted),
        .deletion(correlation: 11, .refused(reason: "holds tasks")),
        .deletion(correlation: 11, .remaining(waiting: 300, leased: 2, dead: 0)),
        .blocked(
            correlation: 12,
            BlockedGroupListing(
                groups: [
                    BlockedGroupView(
                        name: "", head: id, isParked: true, waiting: 7, receives: 5, maxAttempts: 5,
                        retryMilliseconds: nil, waitingBecause: "parked after 5 attempts"),
                    BlockedGroupView(
                        name: "g", head: id, isParked: false, waiting: 1, receives: 1, maxAttempts: 5,
                        retryMilliseconds: 0, waitingBecause: ""),
                ], hasMore: true)),
    ]
}
