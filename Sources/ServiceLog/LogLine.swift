package import Logging

/// One line as a program gave it; rendered later, on the log's own thread.
package struct LogLine: Sendable {
    package var level: Logger.Level
    package var message: String
    package var metadata: Logger.Metadata
    /// Milliseconds since 1970.
    package var wallMilliseconds: UInt64

    package init(level: Logger.Level, message: String, metadata: Logger.Metadata, wallMilliseconds: UInt64) {
        self.level = level
        self.message = message
        self.metadata = metadata
        self.wallMilliseconds = wallMilliseconds
    }
}
