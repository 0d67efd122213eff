private import Glibc
package import LinuxSystem
package import Logging
private import Synchronization

/// A program's log: a ring of lines and a thread that writes them.
///
/// Logging never blocks the logger.
///
/// A full ring drops lines, counts them and says so once a second; ``offer(_:_:metadata:)`` refuses instead,
/// for those who can hold back what they have.
package final class ServiceLog: Sendable {
    package static let ringLines = 8_192
    private static let reportMilliseconds: CInt = 1_000

    private let ring: LineRing
    private let level: LogLevel
    private let writer: Mutex<SystemThread?>
    private let finished: EventDescriptor

    /// `descriptor` is where text and JSON go; standard error for programs.
    package init(
        identifier: String, format: LogFormat = .automatic, level: Logger.Level = .info, descriptor: CInt = 2,
        ringLines: Int = ServiceLog.ringLines
    ) throws(SystemError) {
        let ring = try LineRing(capacity: ringLines)
        let finished = try EventDescriptor()
        let destination = LogDestination(identifier: identifier, format: format, descriptor: descriptor)
        self.ring = ring
        self.level = LogLevel(level)
        self.finished = finished
        let thread = try SystemThread(name: "taskq-log") {
            Self.writeUntilClosed(ring, destination)
            finished.signal()
        }
        writer = Mutex(thread)
    }

    /// Starts the log of this process and makes it the backend of every `Logger`; flushed when the process
    /// exits.
    ///
    /// Once a process.
    @discardableResult
    package static func bootstrap(
        identifier: String, format: LogFormat = .automatic, level: Logger.Level = .info
    ) throws(SystemError) -> ServiceLog {
        let log = try ServiceLog(identifier: identifier, format: format, level: level)
        LoggingSystem.bootstrap { _ in log.makeHandler() }
        processLog.withLock { $0 = log }
        atexit { ServiceLog.flushProcessLog() }
        return log
    }

    /// The backend for loggers made with `Logger(label:factory:)`.
    package func makeHandler() -> any LogHandler {
        ServiceLogHandler(ring: ring, level: level)
    }

    /// For every logger of this log that was not given a level of its own, from now on.
    package func setLevel(_ new: Logger.Level) { level.set(new) }

    package func makeLogger(label: String) -> Logger {
        Logger(label: label) { _ in makeHandler() }
    }

    /// Adds a line, or refuses without counting a drop: the caller keeps it and comes again.
    package func offer(_ level: Logger.Level, _ message: String, metadata: Logger.Metadata = [:]) -> Bool {
        guard level >= self.level.value else { return true }
        let now = Clocks.wallMilliseconds()
        let line = LogLine(level: level, message: message, metadata: metadata, wallMilliseconds: now)
        return ring.add(line, countingDrop: false)
    }

    /// Whether ``offer(_:_:metadata:)`` would take a line now.
    package var hasRoom: Bool { ring.hasRoom }

    /// Writes what waits and ends; waits for that at most 2 s.
    ///
    /// Later lines are dropped.
    package func shutdown() {
        ring.close()
        let ended = finished.wait(timeoutMilliseconds: 2_000)
        let thread = writer.withLock { $0.take() }
        // A blocked terminal must not keep the process from ending: the thread is then detached.
        guard ended else { return }
        thread?.join()
    }

    private static let processLog = Mutex<ServiceLog?>(nil)

    private static func flushProcessLog() {
        processLog.withLock { $0 }?.shutdown()
    }

    private static func writeUntilClosed(_ ring: LineRing, _ destination: LogDestination) {
        var unreported: UInt64 = 0
        var nextReport: UInt64 = 0
        while true {
            let batch = ring.take(timeoutMilliseconds: unreported > 0 ? reportMilliseconds : -1)
            destination.write(batch.lines)
            unreported += batch.dropped
            let now = Clocks.monotonicNanoseconds()
            if unreported > 0, now >= nextReport || batch.isClosed {
                destination.write([dropReport(unreported)])
                unreported = 0
                nextReport = now + UInt64(reportMilliseconds) * 1_000_000
            }
            if batch.isClosed { return }
        }
    }

    private static func dropReport(_ count: UInt64) -> LogLine {
        LogLine(
            level: .warning, message: "log lines dropped",
            metadata: CatalogMessage.linesDropped.with(["log.dropped": "\(count)"]),
            wallMilliseconds: Clocks.wallMilliseconds())
    }
}
