import Glibc
import LinuxSystem
import Logging
import ProcessorSupervision
import TestSupport
import WorkerDaemon

/// A real worker on a thread of its own, its processor a script, its broker a ``FakeBroker``.
struct WorkerFixture {
    let directory: TemporaryDirectory
    let broker: FakeBroker
    let log: SharedList<String>
    private let stopper: EventDescriptor
    private let ended: EventDescriptor

    static func with(
        _ script: String, mode: ProcessorSettings.Mode = .oneshot,
        settings: (inout ProcessorSettings) -> Void = { _ in },
        broker prepare: @escaping @Sendable (FakeBroker) -> Void = { _ in },
        _ body: @escaping @Sendable (WorkerFixture) throws -> Void
    ) async throws {
        var values = ProcessorSettings()
        values.mode = mode
        values.killGraceMilliseconds = 300
        values.stopKillMilliseconds = 300
        values.closeGraceMilliseconds = 100
        settings(&values)
        let chosen = values
        try await RealProcesses.run { try run(script, chosen, prepare, body) }
    }

    private static func run(
        _ script: String, _ settings: ProcessorSettings, _ prepare: (FakeBroker) -> Void,
        _ body: (WorkerFixture) throws -> Void
    ) throws {
        try TemporaryDirectory.with { directory in
            try directory.write(script, to: "plugin/processor", mode: 0o755)
            let broker = try FakeBroker(directory)
            prepare(broker)
            let fixture = try WorkerFixture(directory, broker)
            try fixture.start(settings)
            defer {
                // Twice: nothing is waited for.
                fixture.stop()
                while !fixture.ended.wait(timeoutMilliseconds: 50) { fixture.stop() }
            }
            try body(fixture)
        }
    }

    private init(_ directory: TemporaryDirectory, _ broker: FakeBroker) throws {
        self.directory = directory
        self.broker = broker
        log = SharedList()
        stopper = try EventDescriptor()
        ended = try EventDescriptor()
    }

    private func start(_ settings: ProcessorSettings) throws {
        let folder = directory.path("plugin")
        let program = ProcessorProgram(
            queue: "mail", path: "\(folder)/processor", arguments: ["\(folder)/processor"], directory: folder)
        var surroundings = ProcessorSurroundings()
        surroundings.home = directory.path
        var supervision = ProcessorSupervisor.Options(
            program: program, settings: settings, surroundings: surroundings)
        supervision.manifest = "\(folder)/plugin.toml"
        var options = WorkerOptions(
            queue: "mail", workerName: "worker@mail", brokerSocket: broker.path,
            supervision: supervision)
        options.confirmMilliseconds = 500
        let (lines, stopper, ended, chosen) = (log, stopper, ended, options)
        // Nobody joins it: `ended` says when its work is done.
        _ = try SystemThread(name: "worker") {
            defer { ended.signal() }
            do {
                let logger = Logger(label: "worker") { _ in CollectingLogHandler(lines: lines) }
                let log = WorkerLog(logger: logger, queue: "mail") { level, text, metadata in
                    lines.append(CollectingLogHandler.line(level, text, metadata))
                    return true
                }
                try WorkerDaemon(chosen, log: log).run(stopRequests: stopper.rawValue)
            } catch {
                lines.append("worker failed: \(error)")
            }
        }
    }

    func stop() { stopper.signal() }

    /// Whether the worker's `run()` has returned by then.
    func endsWithin(seconds: Int) -> Bool {
        let deadline = MonotonicDeadline.after(.seconds(seconds))
        while MonotonicDeadline.now() < deadline {
            if ended.wait(timeoutMilliseconds: 20) {
                ended.signal()
                return true
            }
        }
        return false
    }

    /// A file that a script makes or waits for.
    func touch(_ name: String) throws { try directory.write("", to: name) }

    func lines(of name: String) -> [String] {
        let lines = try? TextFile.lines(of: directory.path(name))  // ignoring: not written yet is no line yet
        return (lines ?? []).filter { !$0.isEmpty }
    }
}

/// Keeps what is logged as `level message key=value…`.
struct CollectingLogHandler: LogHandler {
    let lines: SharedList<String>
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .trace

    init(lines: SharedList<String>) {
        self.lines = lines
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.append(Self.line(event.level, event.message.description, event.metadata ?? [:]))
    }

    static func line(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) -> String {
        let facts = metadata.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
        return "\(level) \(message)\(facts.joined())"
    }
}
