import ArgumentParser
import TaskModel
import WireProtocol

/// The command `taskq pause`.
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Stop a queue's deliveries, or its posts.",
        discussion: "What is running goes on. 'taskq resume' ends it; a restart does not.")

    @OptionGroup var common: CommonOptions

    @Flag(name: .customLong("ingest"), help: "Refuse posts instead of stopping deliveries.")
    var stopsPosts = false

    @Option(help: "Why, for 'taskq status' and the log.")
    var reason = ""

    @Argument(help: "The queue.")
    var queue: String

    func run() throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        try client.pause(queue, set: stopsPosts ? .ingest : .deliveries, clear: [], reason: reason)
        print(
            common.json
                ? OutcomeText.json([
                    ("queue", queue), ("outcome", "paused"), ("what", stopsPosts ? "ingest" : "deliveries"),
                ]) : "paused \(queue)\(stopsPosts ? ": posts are refused" : "")")
    }
}

/// The command `taskq resume`.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let a paused queue go on, with posts and deliveries.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The queue.")
    var queue: String

    func run() throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        try client.pause(queue, set: [], clear: [.deliveries, .ingest, .halted], reason: "")
        print(
            common.json
                ? OutcomeText.json([("queue", queue), ("outcome", "resumed")]) : "resumed \(queue)")
    }
}

/// The command `taskq cancel`.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel tasks that nobody works on.",
        discussion: "Waiting and parked tasks can be cancelled; exit code 4 where one could not.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The tasks' ids.")
    var ids: [TaskIDArgument]

    func run() throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        let tasks = ids.map(\.id)
        var results: [(id: TaskID, outcome: ActOutcome)] = []
        for start in stride(from: 0, to: tasks.count, by: Limits.batchTasksMax) {
            let batch = Array(tasks[start..<min(start + Limits.batchTasksMax, tasks.count)])
            results += zip(batch, try client.act(.cancel, on: batch)).map { (id: $0, outcome: $1) }
        }
        if common.json {
            print(
                OutcomeText.json(
                    list: results.map { [("task_id", $0.id.description), ("outcome", $0.outcome.label)] }))
        } else {
            for (id, outcome) in results { print(Self.sentence(id, outcome)) }
        }
        if results.contains(where: { $0.outcome != .done }) { throw ExitStatusRequest(code: 4) }
    }

    private static func sentence(_ id: TaskID, _ outcome: ActOutcome) -> String {
        switch outcome {
        case .done: "cancelled \(id)"
        case .notInState: "not cancelled \(id): it is leased, finished or dead"
        case .unknown: "not cancelled \(id): there is no such task"
        case .queueFull, .diskFull: "not cancelled \(id): \(outcome.sentence)"
        }
    }
}
