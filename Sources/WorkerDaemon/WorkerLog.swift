package import Logging
import ProcessorSupervision
import ServiceLog
import TaskModel
import WireProtocol

/// What a worker says, in words: constant messages, the facts as metadata.
package struct WorkerLog {
    let logger: Logger
    /// Takes a line of a processor's output, or says no, and it comes again.
    let takeOutput: (Logger.Level, String, Logger.Metadata) -> Bool
    private let queue: String

    package init(
        logger: Logger, queue: String, takeOutput: @escaping (Logger.Level, String, Logger.Metadata) -> Bool
    ) {
        self.logger = logger
        self.queue = queue
        self.takeOutput = takeOutput
    }

    func take(_ line: OutputLine) -> Bool {
        var metadata: Logger.Metadata = [
            "queue": "\(queue)", "plugin": "\(queue)", "plugin.pid": "\(line.pid)",
        ]
        if let task = line.task { Self.add(task, to: &metadata) }
        if line.source == .standardError { metadata["stream"] = "stderr" }
        return takeOutput(Self.level(line.priority), String(decoding: line.text, as: UTF8.self), metadata)
    }

    private static func level(_ priority: UInt8) -> Logger.Level {
        switch priority {
        case 0...3: .error
        case 4: .warning
        case 5: .notice
        case 6: .info
        case _: .debug
        }
    }

    func started(_ task: DeliveredTask) {
        logger.debug(
            "task started",
            metadata: [
                "task.id": "\(task.id)", "group": "\(task.group)", "attempt": "\(task.attempt)",
                "queue": "\(queue)",
            ])
    }

    func finished(_ attempt: FinishedAttempt) {
        // An ack is said at debug level: its words are not even put together when nobody listens.
        if case .acked(_, "") = attempt.verdict, logger.logLevel > .debug { return }
        var metadata: Logger.Metadata = [
            "queue": "\(queue)", "duration.ms": "\(attempt.durationMilliseconds)",
        ]
        Self.add(attempt.task, to: &metadata)
        switch attempt.verdict {
        case .acked(_, let resultError):
            if !resultError.isEmpty { metadata["result.error"] = "\(resultError)" }
            logger.log(level: resultError.isEmpty ? .debug : .warning, "task done", metadata: metadata)
        case .failed(let outcome, let reason, _):
            metadata["outcome"] = "\(outcome.label)"
            metadata["reason"] = "\(reason)"
            logger.info("attempt failed", metadata: metadata)
        case .dead(let reason):
            metadata["reason"] = "\(reason)"
            logger.info("task rejected by its processor", metadata: metadata)
        case .released:
            logger.info("task given back", metadata: metadata)
        }
    }

    func notice(_ notice: ProcessorNotice) {
        var metadata: Logger.Metadata = ["queue": "\(queue)", "detail": "\(notice.sentence)"]
        if let pid = notice.pid { metadata["plugin.pid"] = "\(pid)" }
        if let task = notice.task { Self.add(task, to: &metadata) }
        logger.notice("processor", metadata: metadata)
    }

    func stalled(_ problem: StartProblem) {
        let facts: Logger.Metadata = ["queue": "\(queue)", "cure": "\(problem.sentence)"]
        logger.error("queue stalled", metadata: CatalogMessage.queueStalled.with(facts))
    }

    func say(_ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata = [:]) {
        logger.log(level: level, message, metadata: metadata.merging(["queue": "\(queue)"]) { own, _ in own })
    }

    private static func add(_ task: ProcessorTask.Label, to metadata: inout Logger.Metadata) {
        metadata["task.id"] = "\(task.id)"
        metadata["group"] = "\(task.group)"
        metadata["attempt"] = "\(task.attempt)"
    }
}
