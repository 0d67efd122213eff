import Configuration
import Logging
import QueueStateMachine
import ServiceLog
import TaskModel
import WireProtocol

/// Turns the turn's events into log lines: one fixed text a kind, the facts as metadata.
///
/// `auto` writes every task's steps up to ``taskEventsPerSecondMax``; above, only failed attempts and deaths.
struct BrokerLog {
    static let taskEventsPerSecondMax = 200 * 3

    private let logger: Logger
    var policy: ServiceConfiguration.Log.Tasks
    private var second: UInt64 = 0
    private var eventsThisSecond = 0

    init(logger: Logger, policy: ServiceConfiguration.Log.Tasks) {
        self.logger = logger
        self.policy = policy
    }

    mutating func wantsTaskEvents(at nanoseconds: UInt64) -> Bool {
        if nanoseconds / 1_000_000_000 != second {
            second = nanoseconds / 1_000_000_000
            eventsThisSecond = 0
        }
        switch policy {
        case .all: return true
        case .failures: return false
        case .automatic: return eventsThisSecond < Self.taskEventsPerSecondMax
        }
    }

    mutating func write(_ broker: inout Broker<LateEndpoint, BackgroundThread>) {
        guard !broker.events.isEmpty else { return }
        eventsThisSecond += broker.events.count
        for event in broker.events {
            var line = Line(event) { broker.state.declaration(of: $0).name }
            if let task = event.taskWithoutQueue, let queue = broker.state.queue(of: task) {
                line.metadata["task.queue"] = "\(broker.state.declaration(of: queue).name)"
            }
            logger.log(level: line.level, "\(line.text)", metadata: line.metadata)
        }
        broker.events.removeAll(keepingCapacity: true)
    }
}

private struct Line {
    let level: Logger.Level
    let text: String
    var metadata: Logger.Metadata

    init(_ level: Logger.Level, _ text: String, _ metadata: Logger.Metadata = [:]) {
        self.level = level
        self.text = text
        self.metadata = metadata
    }

    init(_ event: BrokerEvent, name: (QueueNumber) -> String) {
        switch event {
        case .accepted(let id, let queue, let group, let sequence):
            self.init(
                .info, "task accepted",
                [
                    "task.id": "\(id)", "task.queue": "\(name(queue))",
                    "task.group": "\(group.isEmpty ? name(queue) : group)",
                    "task.sequence": "\(sequence.rawValue)",
                ])
        case .leased(let id, let queue, let attempt, let worker):
            self.init(
                .info, "task leased",
                [
                    "task.id": "\(id)", "task.queue": "\(name(queue))", "task.attempt": "\(attempt)",
                    "worker": "\(worker)",
                ])
        case .completed(let id, let queue, let attempt):
            self.init(
                .info, "task completed",
                ["task.id": "\(id)", "task.queue": "\(name(queue))", "task.attempt": "\(attempt)"])
        case .attemptFailed(let id, let attempt, let retry):
            self.init(.warning, "task attempt failed", Self.failure(id, attempt, retry))
        case .deadLettered(let id, let queue, let reason, let attempts):
            self.init(
                .error, "task dead-lettered",
                CatalogMessage.taskDeadLettered.with([
                    "task.id": "\(id)", "task.queue": "\(name(queue))", "reason": "\(reason.label)",
                    "task.attempts": "\(attempts)",
                ]))
        case .parked(let id):
            self.init(
                .error, "task parked; its group is blocked",
                CatalogMessage.taskParked.with(["task.id": "\(id)"]))
        case .cancelled(let id, let queue, let actor):
            self.init(
                .notice, "task cancelled",
                ["task.id": "\(id)", "task.queue": "\(name(queue))", "by": "\(actor)"])
        case .operated(let id, let act, let actor):
            self.init(.notice, "task \(act.participle)", ["task.id": "\(id)", "by": "\(actor)"])
        case .workerConnected, .workerGone, .queueDeclared, .queueDeleted, .pauseChanged, .stalled, .badFrame,
            .diskFull, .segmentsDeleted, .checkpointFailed, .backupBegan, .backupEnded:
            self.init(operating: event, name: name)
        }
    }

    private init(operating event: BrokerEvent, name: (QueueNumber) -> String) {
        switch event {
        case .workerConnected(let worker, let queue):
            self.init(.notice, "worker connected", ["worker": "\(worker)", "task.queue": "\(queue)"])
        case .workerGone(let worker, let queue, let died, let leases):
            // A worker that ends with nothing in hand was stopped, however its end was seen.
            let tookTasks = died && leases > 0
            let facts: Logger.Metadata = [
                "worker": "\(worker)", "task.queue": "\(queue)", "leases": "\(leases)",
            ]
            if tookTasks {
                self.init(.warning, "worker died", CatalogMessage.workerDied.with(facts))
            } else {
                self.init(.notice, "worker disconnected", facts)
            }
        case .queueDeclared(let queue): self.init(.notice, "queue declared", ["task.queue": "\(queue)"])
        case .queueDeleted(let queue):
            self.init(.notice, "queue deleted", ["task.queue": "\(name(queue))"])
        case .pauseChanged(let change):
            self.init(
                .notice, "queue pauses changed",
                [
                    "task.queue": "\(name(change.queue))", "pauses": "\(change.pauses.rawValue)",
                    "by": "\(change.actor)", "reason": "\(change.reason)",
                ])
        case .stalled(let queue, let reason):
            // The worker itself has told people, with the cure.
            self.init(.debug, "queue stalled", ["task.queue": "\(queue)", "reason": "\(reason)"])
        case .badFrame(let role, let reason):
            let facts: Logger.Metadata = ["socket": "\(role)", "reason": "\(reason)"]
            self.init(.warning, "bad frame dropped", CatalogMessage.frameRefused.with(facts))
        case .diskFull: self.init(.error, "post refused: the disk is full", CatalogMessage.diskFull.with())
        case .backupBegan(let lsn): self.init(.notice, "backup began", ["journal.lsn": "\(lsn.rawValue)"])
        case .backupEnded(let reason): self.init(.notice, "backup ended", ["reason": "\(reason)"])
        case .segmentsDeleted(let numbers): self.init(.debug, "segments deleted", ["segments": "\(numbers)"])
        case .checkpointFailed(let reason):
            let facts: Logger.Metadata = ["reason": "\(reason)"]
            self.init(.error, "checkpoint failed", CatalogMessage.checkpointFailed.with(facts))
        case .accepted, .leased, .completed, .attemptFailed, .deadLettered, .parked, .cancelled, .operated:
            preconditionFailure("a task's event was written before")
        }
    }

    private static func failure(_ id: TaskID, _ attempt: AttemptRecord?, _ retry: UInt64) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["task.id": "\(id)", "retry.ms": "\(retry)"]
        guard let attempt else { return metadata }
        metadata["task.attempt"] = "\(attempt.number)"
        metadata["outcome"] = "\(attempt.outcome.label)"
        metadata["duration.ms"] = "\(attempt.durationMilliseconds)"
        if !attempt.reason.isEmpty { metadata["reason"] = "\(attempt.reason)" }
        return metadata
    }
}

extension TaskAct {
    /// As the log says it: "task redriven".
    fileprivate var participle: String {
        switch self {
        case .redrive: "redriven"
        case .purge: "purged"
        case .retry: "retried by an operator"
        case .deadLetter: "dead-lettered by an operator"
        case .cancel: "cancelled by an operator"
        }
    }
}

extension BrokerEvent {
    /// The task of an event that does not name the queue itself.
    fileprivate var taskWithoutQueue: TaskID? {
        switch self {
        case .attemptFailed(let id, _, _), .parked(let id), .operated(let id, _, _): id
        case .accepted, .leased, .completed, .deadLettered, .cancelled, .workerConnected, .workerGone,
            .queueDeclared, .queueDeleted, .pauseChanged, .stalled, .badFrame, .diskFull, .segmentsDeleted,
            .checkpointFailed, .backupBegan, .backupEnded:
            nil
        }
    }
}
