/// One line of a task's story, wherever it was kept.
package struct StoryLine: Hashable, Sendable {
    /// Who has it.
    package enum Source: String, Hashable, Sendable {
        case journald
        /// The broker's own journal: what it knows of a task, whatever became of the log.
        case record
    }

    package var source: Source
    /// Milliseconds since 1970.
    package var wallMilliseconds: UInt64
    /// `debug` to `critical`, as the programs' own lines have it.
    package var level: String
    /// What the line says of its writer: SYSLOG_IDENTIFIER.
    package var program: String
    /// What journald says of its writer; nil where that was no unit.
    package var unit: String?
    package var message: String
    package var taskID: String?
    package var queue: String?
    package var group: String?
    package var attempt: UInt32?
    /// The queue whose processor said this; nil for taskq's own words.
    package var plugin: String?
    /// `stderr`, or nil.
    package var stream: String?

    package init(
        _ source: Source, at wallMilliseconds: UInt64, level: String, program: String, message: String
    ) {
        self.source = source
        self.wallMilliseconds = wallMilliseconds
        self.level = level
        self.program = program
        self.message = message
    }
}
