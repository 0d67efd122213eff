import Configuration
private import Glibc
import LinuxSystem
import Logging
private import ProcessorSupervision
import ServiceLog

/// The program `taskq-worker`: its command line, its log, its signals, and the daemon.
package enum WorkerProgram {
    private static let identifier = "taskq-worker"

    /// Runs to the end and says what the process is to end with.
    package static func run(_ arguments: [String]) -> Int32 {
        do throws(WorkerDaemonError) {
            try start(arguments)
            return 0
        } catch {
            report("\(identifier): \(error)\n")
            return error.exitStatus
        }
    }

    private static func start(_ arguments: [String]) throws(WorkerDaemonError) {
        guard let given = try parse(arguments) else { return }
        let configuration: ServiceConfiguration
        do throws(ConfigurationError) {
            configuration = try given.configurationSources(environment: environment()).load()
        } catch {
            throw .configuration(error)
        }
        let options = try WorkerOptions(given, configuration, environment: variables())
        // Before the first thread: a signal is blocked for the threads that are started after it.
        let signals = try blockSignals()
        let service = try startLog(given, configuration)
        defer { service.shutdown() }
        let log = WorkerLog(logger: Logger(label: identifier), queue: options.queue) { level, text, metadata in
            service.offer(level, text, metadata: metadata)
        }
        let daemon = try WorkerDaemon(options, log: log, signals: .some(signals))
        try daemon.run()
    }
}

extension WorkerProgram {
    private static func blockSignals() throws(WorkerDaemonError) -> SignalDescriptor {
        do throws(SystemError) {
            return try SignalDescriptor(blocking: [SIGTERM, SIGINT])
        } catch {
            throw .system(error)
        }
    }

    private static func startLog(
        _ given: DaemonArguments, _ configuration: ServiceConfiguration
    ) throws(WorkerDaemonError) -> ServiceLog {
        let format = try format(given)
        do throws(SystemError) {
            return try ServiceLog.bootstrap(
                identifier: identifier, format: format, level: level(configuration.log.level))
        } catch {
            throw .system(error)
        }
    }

    /// Nil where a text was asked for and has been shown.
    private static func parse(_ arguments: [String]) throws(WorkerDaemonError) -> DaemonArguments? {
        do throws(DaemonArguments.Failure) {
            let request = try DaemonArguments.parse(
                arguments, program: identifier, summary: "Serves one queue: runs its processor for each task.",
                options: [.queue, .plugin, .instance])
            switch request {
            case .run(let given):
                return given
            case .show(let text):
                write(text, to: 1)
                return nil
            }
        } catch {
            throw .usage("\(error)")
        }
    }

    private static func format(_ given: DaemonArguments) throws(WorkerDaemonError) -> LogFormat {
        guard let text = given[.logFormat] else { return .automatic }
        guard let format = LogFormat(rawValue: text) else {
            throw .usage("--log-format \(text): expected auto, text, json or journald")
        }
        return format
    }

    private static func level(_ level: ServiceConfiguration.Log.Level) -> Logger.Level {
        switch level {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }

    /// The process's variables, `NAME=value`.
    private static func environment() -> [String] {
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            variables.append(String(cString: variable))
            next += 1
        }
        return variables
    }

    private static func variables() -> [String: String] {
        var variables: [String: String] = [:]
        for variable in environment() {
            guard let equals = variable.firstIndex(of: "=") else { continue }
            variables[String(variable[..<equals])] = String(variable[variable.index(after: equals)...])
        }
        return variables
    }

    /// For what is said before there is a log.
    private static func report(_ text: String) {
        write(text, to: 2)
    }

    private static func write(_ text: String, to descriptor: CInt) {
        Array(text.utf8).withUnsafeBytes { bytes in
            try? OwnedDescriptor.writeAll(descriptor, bytes)  // ignoring: nobody is left to be told
        }
    }
}
