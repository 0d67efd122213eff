/// How a processor is run: what a plugin's manifest may say of it, at its defaults.
package struct ProcessorSettings: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        /// One process per task; the payload on stdin, the exit status is the answer.
        case oneshot
        /// A warm process that reads one task a line and answers on descriptor 3.
        case stream
    }

    package var mode = Mode.oneshot
    /// Processes at once, at least 1.
    package var concurrency = 1
    /// Bounds an attempt, milliseconds; `extend` moves its end.
    package var timeoutMilliseconds: UInt64 = 30_000
    /// Bounds an attempt with all its extensions, milliseconds.
    package var maxRuntimeMilliseconds: UInt64 = 3_600_000
    /// How long a stream processor may take to say that it is ready, milliseconds.
    package var startTimeoutMilliseconds: UInt64 = 60_000
    /// Between SIGTERM and SIGKILL, milliseconds.
    package var killGraceMilliseconds: UInt64 = 5_000
    /// Between the end of stdin and SIGTERM, for a stream processor with nothing in hand, milliseconds.
    package var closeGraceMilliseconds: UInt64 = 500
    /// How long a stop waits for tasks in hand, milliseconds.
    package var stopGraceMilliseconds: UInt64 = 25_000
    /// Between SIGTERM and SIGKILL when that has passed, milliseconds.
    package var stopKillMilliseconds: UInt64 = 5_000
    /// Replaces the plugin's own executable where it is not empty; the first word may be a path under the
    /// folder.
    package var command: [String] = []
    /// The manifest's `[environment]`.
    package var environment: [String: String] = [:]

    package init() {}
}

/// The executable and where it runs.
package struct ProcessorProgram: Hashable, Sendable {
    package var queue: String
    /// Absolute.
    package var path: String
    /// The whole vector, the program's own name first.
    package var arguments: [String]
    /// The working directory: the plugin's folder.
    package var directory: String

    package init(queue: String, path: String, arguments: [String], directory: String) {
        self.queue = queue
        self.path = path
        self.arguments = arguments
        self.directory = directory
    }

    /// A plugin's own executable, or its `command`: with a slash a path under the folder, else looked up in
    /// `searchPath`.
    package init(
        queue: String, executable: String, directory: String, command: [String], searchPath: String,
        isExecutable: (String) -> Bool
    ) {
        guard let word = command.first else {
            self.init(queue: queue, path: executable, arguments: [executable], directory: directory)
            return
        }
        let path: String
        if word.hasPrefix("/") {
            path = word
        } else if word.contains("/") {
            path = directory + "/" + word
        } else {
            let candidates = searchPath.split(separator: ":").map { "\($0)/\(word)" }
            path = candidates.first(where: isExecutable) ?? word
        }
        self.init(queue: queue, path: path, arguments: command, directory: directory)
    }
}
