import ArgumentParser
private import Configuration

/// The root of the command line.
struct TaskqCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "taskq",
        abstract: "Look after the task queue of this machine.",
        discussion: """
            Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the daemon cannot be reached, 4 no such task, \
            queue or group, or not in the state for it, 65 a journal is not whole, 78 a wrong configuration, \
            130 interrupted.
            """,
        version: "taskq \(ProductVersion.text)",
        subcommands: [
            StatusCommand.self, QueuesCommand.self, GroupsCommand.self, GetCommand.self, LogsCommand.self,
            PutCommand.self, CancelCommand.self, PauseCommand.self, ResumeCommand.self, DrainCommand.self,
            DeadLetterCommand.self, JournalCommand.self, ConfigCommand.self, DoctorCommand.self,
            PluginCommand.self, UpCommand.self,
        ])
}

/// Where the daemons are, and how to show what they say.
struct CommonOptions: ParsableArguments {
    @Option(name: .customLong("state"), help: "The folder that 'taskq up --state' was given.")
    var state: String?

    @Flag(name: .customLong("json"), help: "One JSON value for scripts instead of text for people.")
    var json = false
}
