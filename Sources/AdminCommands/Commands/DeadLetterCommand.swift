import ArgumentParser
import LinuxSystem
import TaskModel
private import TaskValidation
import WireProtocol

/// The command `taskq dlq`.
struct DeadLetterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dlq", abstract: "Look at dead-letter queues, and get tasks out of them.",
        discussion:
            "A task is dead when its attempts are used up, when its processor rejected it, when it is "
            + "older than the queue's retention, or when an operator decided so.",
        subcommands: [
            List.self, Show.self, RetryHereCommand.self, RedriveCommand.self, Edit.self, PurgeCommand.self,
        ])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls", abstract: "List dead tasks, oldest death first.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var filter: DeadTaskFilterOptions

        @Option(help: "Show at most so many.")
        var limit = 100

        @Argument(help: "The queue.")
        var queue: String = "tasks"

        func run() throws {
            let client = try AdminClient(StateLocation.paths(option: common.state))
            var walk = filter.walk(queue, client)
            var tasks: [DeadTask] = []
            while tasks.count < limit, let page = try walk.next(takesOut: false) { tasks += page }
            let shown = Array(tasks.prefix(limit))
            print(
                common.json
                    ? DeadTaskText.json(shown, queue: queue)
                    : DeadTaskText.table(shown, queue: queue, isCut: tasks.count > limit), terminator: "")
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show a task with its attempts and its payload.")

        @OptionGroup var common: CommonOptions

        @Argument(help: "The task's id.")
        var id: TaskIDArgument

        func run() throws {
            let client = try AdminClient(StateLocation.paths(option: common.state))
            guard case .found(let view) = try client.lookup(id.id) else {
                throw CommandFailure.notFound("there is no task \(id.id)")
            }
            let payload = try client.payload(of: id.id)
            print(
                try common.json
                    ? DeadTaskText.json(view, payload: payload) : DeadTaskText.text(view, payload: payload),
                terminator: "")
        }
    }

    struct Edit: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "edit", abstract: "Redrive a dead task with another payload.",
            discussion: "'taskq dlq show ID --json' has the present one.")

        @OptionGroup var common: CommonOptions

        @Option(help: "The file with the new payload, '-' for standard input.")
        var payload: String

        @Flag(name: .customLong("dry-run"), help: "Say what would be done, and do nothing.")
        var isDryRun = false

        @Argument(help: "The task's id.")
        var id: TaskIDArgument

        func run() throws {
            let bytes = try Self.compacted(try FileText.payload(at: payload), from: payload)
            let client = try AdminClient(StateLocation.paths(option: common.state))
            guard case .found(let view) = try client.lookup(id.id), view.state == .deadLettered else {
                throw CommandFailure.notFound("task \(id.id) is in no dead-letter queue")
            }
            if isDryRun {
                let would = "would redrive \(id.id) to \(view.queue) with a payload of \(bytes.count) bytes"
                return tell(would, "redrive", view.queue)
            }
            let outcome = try client.redrive(id.id, edited: bytes)
            guard outcome == .done else {
                throw CommandFailure.failed("task \(id.id) was not redriven: \(outcome.sentence)")
            }
            tell("redriven \(id.id) to \(view.queue)", "redriven", view.queue)
        }

        /// As a post would have stored it.
        private static func compacted(
            _ bytes: [UInt8], from path: String
        ) throws(CommandFailure) -> [UInt8] {
            do throws(JSONError) {
                return try JSONCompaction.compact(bytes)
            } catch {
                throw .failed("\(path) is not JSON: \(error.message), byte \(error.byteOffset)")
            }
        }

        private func tell(_ text: String, _ outcome: String, _ queue: String) {
            let members = [("task_id", id.id.description), ("queue", queue), ("outcome", outcome)]
            print(common.json ? OutcomeText.json(members) : text)
        }
    }
}

/// A task's id on the command line.
struct TaskIDArgument: ExpressibleByArgument {
    let id: TaskID

    init?(argument: String) {
        guard let id = TaskID(argument) else { return nil }
        self.id = id
    }
}

/// Which dead tasks of a queue are meant.
struct DeadTaskFilterOptions: ParsableArguments {
    @Option(help: "Only tasks of this group.")
    var group: String?

    @Option(help: "Only tasks that died so: exhausted, rejected, expired or operator.")
    var reason: ReasonArgument?

    struct ReasonArgument: ExpressibleByArgument {
        let reason: DeadLetterReason
        init?(argument: String) {
            guard let reason = DeadLetterReason.allCases.first(where: { $0.label == argument }) else {
                return nil
            }
            self.reason = reason
        }
    }

    var isEmpty: Bool { group == nil && reason == nil }

    func walk(_ queue: String, _ client: AdminClient) -> DeadLetterWalk {
        DeadLetterWalk(queue, DeadLetterWalk.Filter(group: group, reason: reason?.reason)) {
            (query) throws(CommandFailure) in try client.deadTasks(query)
        }
    }
}
