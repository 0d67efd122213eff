import ArgumentParser
import TaskModel
import WireProtocol

/// The commands `taskq groups ...`.
struct GroupsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "List the groups that a task blocks, and decide about them.",
        discussion: """
            A group is blocked while its first task waits for a retry, or is parked: it has used up its \
            attempts on a queue whose on_exhausted is park-group or halt-queue, and waits for a decision. \
            'taskq groups [QUEUE [GROUP]]' is 'taskq groups ls'.
            """,
        subcommands: [
            GroupListCommand.self, GroupRetryCommand.self, GroupDeadLetterCommand.self,
            GroupCancelCommand.self,
        ],
        defaultSubcommand: GroupListCommand.self)
}

/// The command `taskq groups ls`.
struct GroupListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List blocked groups: by which task, since when and why.",
        discussion: "Parked groups first, each kind longest blocked first. Without a queue, of all queues.")

    @OptionGroup var common: CommonOptions

    @Option(help: "Show at most so many.")
    var limit = 100

    @Argument(help: "The queue.")
    var queue: String?

    @Argument(help: "The group.")
    var group: String?

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit takes 1 or more") }
    }

    func run() throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        let queues =
            try queue.map { [$0] }
            ?? client.status().queues.filter { $0.blockedGroups > 0 }.map(\.name)
        var shown: [BlockedGroupText.Line] = []
        var isCut = false
        for name in queues {
            let found = try BlockedGroups(client, name).list(group: group, limit: limit - shown.count)
            isCut = isCut || found.hasMore
            shown += try found.groups.map { try line($0, of: name, client) }
        }
        print(
            common.json
                ? BlockedGroupText.json(shown) : BlockedGroupText.table(shown, isCut: isCut), terminator: "")
    }

    /// The group with what its first task's last attempt tells.
    private func line(
        _ group: BlockedGroupView, of queue: String, _ client: AdminClient
    ) throws -> BlockedGroupText.Line {
        var line = BlockedGroupText.Line(queue: queue, group: group)
        if case .found(let view) = try client.lookup(group.head) {
            line.lastAttempt = try AttemptRecord.decodeHistory(view.history).last
        }
        return line
    }
}

/// Which blocked groups are meant, and what is done to the task that blocks each.
struct GroupActOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions

    @Flag(help: "Every parked group of the queue.")
    var all = false

    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and do nothing.")
    var isDryRun = false

    @Argument(help: "The queue.")
    var queue: String

    @Argument(help: "The groups; the queue's own is named as the queue.")
    var groups: [String] = []

    func validate() throws {
        guard all != !groups.isEmpty else { throw ValidationError("name the groups, or give --all") }
    }

    /// - Parameter participle: what a task is that it was done to.
    func perform(_ act: TaskAct, participle: String) throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        let blocked = BlockedGroups(client, queue)
        let chosen = try all ? blocked.parked() : groups.map { try blocked.group($0) }
        var results: [(group: BlockedGroupView, outcome: ActOutcome)] = []
        for start in stride(from: 0, to: chosen.count, by: Limits.batchTasksMax) {
            let batch = Array(chosen[start..<min(start + Limits.batchTasksMax, chosen.count)])
            // What only waits for its retry needs no operator for anything but its end.
            let outcomes =
                try isDryRun
                ? batch.map { $0.isParked || act == .cancel ? .done : .notInState }
                : client.act(act, on: batch.map(\.head))
            results += zip(batch, outcomes).map { (group: $0, outcome: $1) }
        }
        tell(results, participle)
        if try !isDryRun && act != .cancel && client.queueStatus(queue).pauses.contains(.halted) {
            FileText.write("\(queue) is still halted: 'taskq resume \(queue)' lets it go on\n", to: 2)
        }
        if results.contains(where: { $0.outcome != .done }) { throw ExitStatusRequest(code: 4) }
    }

    private func tell(_ results: [(group: BlockedGroupView, outcome: ActOutcome)], _ participle: String) {
        if common.json {
            let list = results.map { group, outcome in
                [
                    (name: "queue", value: queue),
                    (name: "group", value: group.name.isEmpty ? queue : group.name),
                    (name: "task_id", value: group.head.description), (name: "outcome", value: outcome.label),
                ]
            }
            return print(OutcomeText.json(list: list))
        }
        if results.isEmpty { print("no group of \(queue) is parked") }
        for (group, outcome) in results {
            let name = group.name.isEmpty ? queue : group.name
            let subject = "\(group.head), first of group \(name)"
            switch outcome {
            case .done: print("\(isDryRun ? "would be " : "")\(participle): \(subject)")
            case .notInState where !group.isParked:
                print("not \(participle): \(subject), is not parked: \(group.waitingBecause)")
            case .notInState: print("not \(participle): \(subject), is not parked any more")
            case .unknown, .queueFull, .diskFull: print("not \(participle): \(subject), \(outcome.sentence)")
            }
        }
    }
}

/// The command `taskq groups retry`.
struct GroupRetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Try the parked task again with a fresh count, at the group's head.")

    @OptionGroup var options: GroupActOptions

    func run() throws { try options.perform(.retry, participle: "retried") }
}

/// The command `taskq groups dead-letter`.
struct GroupDeadLetterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letter",
        abstract: "Put the parked task into the dead-letter queue; the group goes on without it.")

    @OptionGroup var options: GroupActOptions

    func run() throws { try options.perform(.deadLetter, participle: "dead-lettered") }
}

/// The command `taskq groups cancel`.
struct GroupCancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel the task that blocks the group, which goes on without it."
    )

    @OptionGroup var options: GroupActOptions

    func run() throws { try options.perform(.cancel, participle: "cancelled") }
}
