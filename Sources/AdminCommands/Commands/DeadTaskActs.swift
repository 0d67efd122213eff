import ArgumentParser
private import TaskModel
import WireProtocol

/// What `dlq redrive` and `dlq purge` share: which tasks, how fast, and what is said of it.
struct DeadTaskActOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions
    @OptionGroup var filter: DeadTaskFilterOptions

    @Option(help: "The queue whose dead tasks are meant, unless ids are given.")
    var queue: String?

    @Flag(help: "Every dead task of the queue.")
    var all = false

    @Flag(name: .customLong("dry-run"), help: "Say what would be done, and do nothing.")
    var isDryRun = false

    @Option(help: "At most so many tasks a second.")
    var rate: Int?

    @Argument(help: "Ids of dead tasks.")
    var ids: [TaskIDArgument] = []

    func validate() throws {
        if let rate, rate < 1 { throw ValidationError("--rate takes 1 or more") }
        if !ids.isEmpty {
            guard queue == nil, !all, filter.isEmpty else {
                throw ValidationError("give ids, or --queue with a filter or --all, not both")
            }
            return
        }
        guard queue != nil else { throw ValidationError("give ids, or --queue with a filter or --all") }
        guard all || !filter.isEmpty else {
            throw ValidationError("say which tasks: --group, --reason, or --all")
        }
    }

    /// Does it to all that are meant, in the order of their deaths; Ctrl-C leaves the rest where it is.
    ///
    /// - Parameter confirm: gets how many there are before anything is done.
    func perform(
        _ act: TaskAct, participle: String, confirm: (Int) throws(CommandFailure) -> Void = { _ in }
    ) throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        if isDryRun { return tellDryRun(try matching(client), participle) }
        let total = try expected(client)
        try confirm(total)
        // Not before: Ctrl-C at a question is an answer.
        let interruption = try Interruption()
        var run = DeadTaskRun(
            act, participle: participle, total: total, pace: Pace(tasksPerSecond: rate), interruption, client)
        do throws(CommandFailure) {
            try take(&run, client)
        } catch {
            run.endProgress()
            throw error.saying("\(run.counts.text(participle, of: total)); \(goOn)")
        }
        run.endProgress()
        let stop = run.stop
        if common.json {
            print(run.counts.json(total: total, stop: stop), terminator: "")
        } else if stop == nil {
            print(run.counts.text(participle))
        }
        switch stop {
        case nil: break
        case .interrupted:
            throw CommandFailure.interrupted(
                "interrupted: \(run.counts.text(participle, of: total)); \(goOn)")
        case .noRoom(let why):
            throw CommandFailure.failed("\(run.counts.text(participle, of: total)); \(why); \(goOn)")
        }
        if !ids.isEmpty, run.counts.missed > 0 { throw ExitStatusRequest(code: 4) }
    }

    private var goOn: String { "the rest is still dead, and the same command goes on with it" }

    private func take(_ run: inout DeadTaskRun, _ client: AdminClient) throws(CommandFailure) {
        guard let queue else { return try run.take(ids.map(\.id)) }
        var walk = filter.walk(queue, client)
        while run.stop == nil, let page = try walk.next(takesOut: true) { try run.take(page.map(\.id)) }
    }

    /// How many there are now; more may die on the way.
    private func expected(_ client: AdminClient) throws(CommandFailure) -> Int {
        guard let queue else { return ids.count }
        return filter.isEmpty ? Int(clamping: try client.queueStatus(queue).dead) : try matching(client)
    }

    private func matching(_ client: AdminClient) throws(CommandFailure) -> Int {
        var count = 0
        guard let queue else {
            for id in ids {
                if case .found(let view) = try client.lookup(id.id), view.state == .deadLettered {
                    count += 1
                }
            }
            return count
        }
        var walk = filter.walk(queue, client)
        while let page = try walk.next(takesOut: false) { count += page.count }
        return count
    }

    private func tellDryRun(_ count: Int, _ participle: String) {
        print(
            common.json
                ? #"{"dry_run":true,"matched":\#(count)}"# : "would be \(participle): \(count)")
    }
}

struct RedriveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive", abstract: "Put dead tasks back at the tails of their groups.",
        discussion: """
            Attempts count from zero again. Oldest death first; stops where the queue holds max_depth \
            tasks. Ctrl-C lets the request in flight finish and says how far it came (exit code 130): what \
            is left is still dead, and the same command goes on with it.
            """)

    @OptionGroup var options: DeadTaskActOptions

    func run() throws { try options.perform(.redrive, participle: "redriven") }
}

struct PurgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Delete dead tasks for good.",
        discussion: "Nothing brings them back: asks on a terminal, and needs --yes elsewhere.")

    @OptionGroup var options: DeadTaskActOptions

    @Flag(help: "Do not ask.")
    var yes = false

    func run() throws {
        let isConfirmed = yes
        try options.perform(.purge, participle: "purged") { count throws(CommandFailure) in
            try Question.confirm(
                "This deletes \(count) dead task\(count == 1 ? "" : "s") for good; --dry-run counts them.",
                byTyping: "purge",
                isConfirmed: isConfirmed)
        }
    }
}

extension ActOutcome {
    var sentence: String {
        switch self {
        case .done: "done"
        case .notInState: "it is not dead any more"
        case .unknown: "there is no such task"
        case .queueFull: "its queue holds max_depth tasks"
        case .diskFull: "the disk is full"
        }
    }
}
