import ArgumentParser
private import TaskModel
private import TaskValidation
import WireProtocol

/// The commands `taskq queues ...`.
struct QueuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queues", abstract: "List the queues, or delete one.",
        discussion: "'taskq queues' alone is 'taskq queues ls'.",
        subcommands: [QueueListCommand.self, QueueDeleteCommand.self],
        defaultSubcommand: QueueListCommand.self)
}

/// The command `taskq queues ls`.
struct QueueListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the queues and count what became of their tasks.",
        discussion:
            "accepted = pending + leased + parked + completed + dead + cancelled + purged, in every line; "
            + "behind it stands what holds the queue up.")

    @OptionGroup var common: CommonOptions

    func run() throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        let status = try client.status()
        print(common.json ? StatusText.queuesJSON(status) : StatusText.queuesTable(status), terminator: "")
    }
}

/// The command `taskq queues delete`.
struct QueueDeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a queue.",
        discussion: """
            A queue that holds tasks stays, unless --purge lets them go: what waits or is parked is \
            cancelled, what is dead is purged, what is leased is waited for. Refused are the queue \
            'tasks', a queue that the configuration declares, and one whose plugin or worker is there. \
            On a terminal the queue's name has to be typed; elsewhere --yes is needed.

            Ctrl-C leaves a queue that is partly gone, with posts and deliveries paused: the same command \
            goes on with it, 'taskq resume' keeps what is left.
            """)

    /// How often a queue is looked at whose last tasks somebody still works on.
    private static let waitMilliseconds: UInt64 = 200

    @OptionGroup var common: CommonOptions

    @Flag(help: "Let the queue's tasks go with it.")
    var purge = false

    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and do nothing.")
    var isDryRun = false

    @Flag(help: "Do not ask.")
    var yes = false

    @Argument(help: "The queue.")
    var queue: String

    func run() throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        let status = try client.queueStatus(queue)
        if isDryRun { return tell(status) }
        try Question.confirm(
            "This deletes the queue \(queue), which holds \(Self.holdings(status)).", byTyping: queue,
            isConfirmed: yes)
        // Not before: Ctrl-C at the question is an answer.
        var interruption = try Interruption()
        var progress = ProgressLine()
        while true {
            switch try client.deleteQueue(queue, purges: purge) {
            case .deleted:
                progress.end()
                return print(
                    common.json
                        ? OutcomeText.json([("queue", queue), ("outcome", "deleted")]) : "deleted \(queue)")
            case .refused(let reason):
                progress.end()
                throw CommandFailure.failed("the queue \(queue) was not deleted: \(reason)")
            case .remaining(let waiting, let leased, let dead):
                let left = "\(waiting) waiting, \(leased) leased, \(dead) dead"
                progress.show("deleting \(queue): \(left) left")
                let isWaiting = waiting == 0 && dead == 0
                let hasToEnd =
                    try isWaiting
                    ? interruption.wait(milliseconds: Self.waitMilliseconds) : interruption.check()
                guard hasToEnd else { continue }
                progress.end()
                throw CommandFailure.interrupted(
                    "interrupted: \(queue) still holds \(left), its posts and deliveries are paused; the "
                        + "same command goes on, 'taskq resume \(queue)' keeps what is left")
            }
        }
    }

    private func tell(_ status: QueueStatus) {
        let isEmpty = status.pending + status.leased + status.parked + status.dead == 0
        let would =
            isEmpty || purge
            ? "would delete \(queue), which holds \(Self.holdings(status))"
            : "would refuse: \(queue) holds \(Self.holdings(status)), and --purge is not given"
        print(
            common.json
                ? OutcomeText.json([("queue", queue), ("outcome", isEmpty || purge ? "delete" : "refuse")])
                : would)
    }

    private static func holdings(_ status: QueueStatus) -> String {
        let counts = [
            (status.pending, "waiting"), (status.leased, "leased"), (status.parked, "parked"),
            (status.dead, "dead"),
        ].filter { $0.0 > 0 }
        let words = counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        return words.isEmpty ? "no task" : words
    }
}
