import ArgumentParser
import Glibc
import LinuxSystem
import TaskModel
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

    /// Does it to all that are meant, in the order of their deaths; ^C leaves the rest where it is.
    func perform(_ act: TaskAct, participle: String) throws {
        let client = try AdminClient(StateLocation.paths(option: common.state))
        var pace = try Pace(tasksPerSecond: rate)
        var counts = ActCounts()
        func take(_ tasks: [TaskID]) throws {
            for start in stride(from: 0, to: tasks.count, by: pace.batch) {
                let batch = Array(tasks[start..<min(start + pace.batch, tasks.count)])
                if isDryRun {
                    counts.matched += batch.count
                    continue
                }
                try pace.wait(for: batch.count)
                counts.add(try client.act(act, on: batch))
                counts.showProgress(participle)
                if let stop = counts.stop {
                    throw CommandFailure.failed("\(counts.text(participle)); \(stop)")
                }
            }
        }
        if let queue {
            var walk = filter.walk(queue, client)
            while let page = try walk.next(takesOut: !isDryRun) { try take(page.map(\.id)) }
        } else {
            try take(ids.map(\.id))
        }
        counts.endProgress()
        if common.json {
            print(counts.json(isDryRun: isDryRun), terminator: "")
        } else {
            print(isDryRun ? "would be \(participle): \(counts.matched)" : counts.text(participle))
        }
        if !ids.isEmpty, counts.missed > 0 { throw ExitCode(4) }
    }
}

struct RedriveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive", abstract: "Put dead tasks back at the tails of their groups.",
        discussion: "Attempts count from zero again. Stops where the queue holds max_depth tasks.")

    @OptionGroup var options: DeadTaskActOptions

    func run() throws { try options.perform(.redrive, participle: "redriven") }
}

struct PurgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Delete dead tasks for good.",
        discussion: "Needs --yes: nothing brings them back.")

    @OptionGroup var options: DeadTaskActOptions

    @Flag(help: "Yes, delete them.")
    var yes = false

    func validate() throws {
        guard yes || options.isDryRun else {
            throw ValidationError("purging cannot be undone: add --yes, or look first with --dry-run")
        }
    }

    func run() throws { try options.perform(.purge, participle: "purged") }
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

/// What became of the tasks of one command.
struct ActCounts {
    var matched = 0
    private(set) var done = 0
    /// Not dead any more, or not known.
    private(set) var missed = 0
    /// Why the rest has to wait.
    private(set) var stop: String?
    private let isTerminal = isatty(STDERR_FILENO) == 1

    mutating func add(_ outcomes: [ActOutcome]) {
        for outcome in outcomes {
            switch outcome {
            case .done: done += 1
            case .notInState, .unknown: missed += 1
            case .queueFull, .diskFull: stop = outcome.sentence + ": try again later for the rest"
            }
        }
    }

    func text(_ participle: String) -> String {
        missed == 0 ? "\(participle): \(done)" : "\(participle): \(done), not dead any more: \(missed)"
    }

    func json(isDryRun: Bool) -> String {
        isDryRun
            ? #"{"dry_run":true,"matched":\#(matched)}"# + "\n"
            : #"{"done":\#(done),"missed":\#(missed)}"# + "\n"
    }

    /// On a terminal alone, one line that is written over.
    func showProgress(_ participle: String) {
        if isTerminal { FileText.write("\r\(text(participle))", to: STDERR_FILENO) }
    }

    func endProgress() {
        if isTerminal, done + missed > 0 { FileText.write("\n", to: STDERR_FILENO) }
    }
}

/// Spreads acts over time.
struct Pace: ~Copyable {
    /// Tasks in one request.
    let batch: Int
    private let nanosecondsPerTask: UInt64
    private let timer: TimerDescriptor
    private var free: UInt64 = 0

    /// Nil: as fast as it goes.
    init(tasksPerSecond: Int?) throws(SystemError) {
        timer = try TimerDescriptor()
        nanosecondsPerTask = tasksPerSecond.map { 1_000_000_000 / UInt64($0) } ?? 0
        // Ten requests a second, so that progress shows.
        batch = tasksPerSecond.map { min(max($0 / 10, 1), Limits.batchTasksMax) } ?? Limits.batchTasksMax
    }

    /// Returns when so many tasks may go.
    mutating func wait(for count: Int) throws(SystemError) {
        let now = Clocks.monotonicNanoseconds()
        if free > now {
            try timer.arm(atNanoseconds: free)
            try OwnedDescriptor.waitUntilReady(
                timer.rawValue, events: Int16(POLLIN), timeoutMilliseconds: -1)
        }
        free = max(free, now) + UInt64(count) * nanosecondsPerTask
    }
}
