private import Glibc

extension TaskProcessor {
    /// syslog's levels, as far as a processor may use them.
    public enum Level: UInt8, Sendable, CaseIterable {
        /// Somebody must do something.
        case error = 3
        /// It went on, but not as it should.
        case warning = 4
        /// Normal, and worth to be seen.
        case notice = 5
        /// Normal; what a line without a level has.
        case info = 6
        /// For developers.
        case debug = 7
    }

    /// Writes one line with its level to stderr, at once; the worker adds the task that is in hand.
    ///
    /// Newlines become `\n`, so that one message stays one entry; the log cuts what is over 32 KiB into
    /// pieces. The last 4 KiB of stderr are kept with an attempt that fails. Safe to call from any thread.
    public static func log(_ level: Level, _ text: String) {
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
        _ = Descriptor(2).write(Array("<\(level.rawValue)>\(line)\n".utf8))
    }

    /// A folder of the queue's own that is kept between runs, absolute; the working directory where the
    /// process was started by hand.
    ///
    /// Every process of the queue has the same one.
    public static var stateDirectory: String { environment("TASKQ_STATE_DIR") ?? "." }

    /// The folder with the queue's secrets, a file each; nil where it has none.
    public static var credentialsDirectory: String? { environment("CREDENTIALS_DIRECTORY") }

    static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
