import ArgumentParser
private import Configuration
private import Glibc
private import LinuxSystem
private import TaskModel

/// The command `taskq logs`.
struct LogsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Tell the story of a task, from its post to its end.",
        discussion: """
            Every line that any program of taskq, the processor included, gave journald about the task, \
            with the steps that only the broker's own record has: those have (record) for a program. A \
            stack in the foreground ('taskq up') writes its lines to its own terminal, so there the record \
            is all. Exit code 1 where journald cannot be read, 4 where nothing is known of the task.
            """)

    /// Lines of the past that a queue's following begins with, as journalctl's own.
    private static let followedLines: UInt32 = 10

    @OptionGroup var common: CommonOptions

    @Option(name: .customLong("queue"), help: "The lines of a queue instead of one task's.")
    var queue: String?

    @Option(name: .customLong("group"), help: "With --queue: only the lines that name this group.")
    var group: String?

    @Option(
        name: .customLong("since"), parsing: .unconditional,
        help: "With --queue: only what came since; a time as journalctl reads it."
    )
    var since: String?

    @Option(name: .customLong("lines"), help: "With --queue: only so many lines, the newest.")
    var lines: UInt32?

    @Flag(name: .customLong("follow"), help: "Go on with what comes, until Ctrl-C.")
    var follow = false

    @Argument(help: "The task's id.")
    var id: String?

    func validate() throws {
        if let id, TaskID(id) == nil { throw ValidationError("'\(id)' is not a task's id, which is a UUID") }
        guard (id == nil) != (queue == nil) else {
            throw ValidationError("name a task's id, or a queue with --queue")
        }
        if let queue, !QueueDeclaration.isValidName(queue) {
            throw ValidationError("'\(queue)' is no queue's name, which is [a-z0-9][a-z0-9_-]{0,63}")
        }
        guard queue != nil || (group == nil && since == nil && lines == nil) else {
            throw ValidationError("--group, --since and --lines go with --queue")
        }
    }

    func run() throws {
        let paths = StateLocation.paths(option: common.state)
        var interruption = try Interruption()
        if let task = id.flatMap({ TaskID($0) }) {
            var story = StoryTelling(task, paths, show: show)
            try story.tell(&interruption)
            if follow { try story.follow(&interruption) }
        } else if let queue {
            guard paths.state == nil else { throw CommandFailure.failed(StoryTelling.foreground) }
            try tell(queue, &interruption)
        }
    }

    private func tell(_ queue: String, _ interruption: inout Interruption) throws {
        var query = JournaldQuery(matches: ["TASKQ_QUEUE=\(queue)"])
        if let group { query.matches.append("TASKQ_GROUP=\(group)") }
        query.since = since
        query.lines = lines ?? (follow && since == nil ? Self.followedLines : nil)
        query.follows = follow
        var isEmpty = true
        try Journalctl.read(query, &interruption) { entry in
            isEmpty = false
            try show(entry.line)
        }
        guard !isEmpty else {
            throw CommandFailure.notFound("journald has no such line of the queue \(queue)")
        }
    }

    /// At once, for who follows; whoever closed the other end wants no more.
    private func show(_ line: StoryLine) throws {
        let text = common.json ? StoryText.json(line) : StoryText.text(line, showingTask: queue != nil)
        do throws(SystemError) {
            let bytes = Array(text.utf8)
            let outcome = bytes.withUnsafeBytes { content in
                Result { () throws(SystemError) in
                    try OwnedDescriptor.writeAll(STDOUT_FILENO, content)
                }
            }
            try outcome.get()
        } catch {
            throw ExitStatusRequest(code: CommandFailure.failed("").exitCode)
        }
    }
}
