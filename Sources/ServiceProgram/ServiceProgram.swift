package import Configuration
private import Glibc
package import LinuxSystem
import Logging
package import ServiceLog

/// How every daemon begins: command line, configuration, signals, log, in this order, and then its own work.
package struct ServiceProgram: Sendable {
    /// Exit statuses that every daemon shares; docs/OPERATIONS.md lists them all.
    package enum ExitStatus {
        package static let clean: Int32 = 0
        package static let failed: Int32 = 1
        package static let usage: Int32 = 2
        /// EX_CONFIG of sysexits.h: restarting does not help.
        package static let misconfigured: Int32 = 78
    }

    /// Program, unit and log share one name.
    let identifier: String
    let summary: String
    let options: [DaemonArguments.Option]
    let switches: Set<String>

    package init(
        _ identifier: String, summary: String, options: [DaemonArguments.Option] = [],
        switches: Set<String> = []
    ) {
        self.identifier = identifier
        self.summary = summary
        self.options = options
        self.switches = switches
    }

    /// What a daemon has when its work begins.
    package struct Setting: ~Copyable {
        package let arguments: DaemonArguments
        package let configuration: ServiceConfiguration
        /// SIGTERM and SIGINT, blocked in every thread of the process.
        package let signals: SignalDescriptor
        /// SIGHUP: the configuration is to be read again.
        package let reloadRequests: SignalDescriptor
        package var reload: ConfigurationReload
        package let log: ServiceLog
        /// The process's variables.
        package let environment: [String: String]
    }

    /// Runs to the end; `work` gives the exit status.
    package func run(_ arguments: [String], work: (consuming Setting) -> Int32) -> Int32 {
        let given: DaemonArguments
        let format: LogFormat
        do throws(DaemonArguments.Failure) {
            switch try DaemonArguments.parse(
                arguments, program: identifier, summary: summary, options: options, switches: switches)
            {
            case .show(let text):
                Self.write(text, to: 1)
                return ExitStatus.clean
            case .run(let parsed): given = parsed
            }
            format = try Self.format(given)
        } catch {
            return end(ExitStatus.usage, "\(error)")
        }
        do throws(ConfigurationError) {
            let sources = given.configurationSources(environment: Self.environment())
            return start(given, sources, try sources.load(), format, work)
        } catch {
            return end(ExitStatus.misconfigured, "\(error)")
        }
    }

    private func start(
        _ arguments: DaemonArguments, _ sources: ConfigurationSources,
        _ configuration: ServiceConfiguration, _ format: LogFormat, _ work: (consuming Setting) -> Int32
    ) -> Int32 {
        do throws(SystemError) {
            SignalDescriptor.ignoreBrokenPipes()
            // Before the first thread: a signal is blocked for the threads that are started after it.
            let signals = try SignalDescriptor(blocking: [SIGTERM, SIGINT])
            let reloadRequests = try SignalDescriptor(blocking: [SIGHUP])
            let log = try ServiceLog.bootstrap(
                identifier: identifier, format: format, level: configuration.log.level.loggerLevel)
            defer { log.shutdown() }
            return work(
                Setting(
                    arguments: arguments, configuration: configuration, signals: signals,
                    reloadRequests: reloadRequests,
                    reload: ConfigurationReload(sources, configuration, log: log), log: log,
                    environment: Self.variables()))
        } catch {
            return end(ExitStatus.failed, "\(error)")
        }
    }

    private static func format(_ given: DaemonArguments) throws(DaemonArguments.Failure) -> LogFormat {
        guard let text = given[.logFormat] else { return .automatic }
        guard let format = LogFormat(rawValue: text) else {
            throw .impossible(option: "--log-format", value: text, expected: "auto, text, json or journald")
        }
        return format
    }

    /// `NAME=value` each.
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

    /// For what is said while there is no log.
    private func end(_ status: Int32, _ reason: String) -> Int32 {
        Self.write("\(identifier): \(reason)\n", to: 2)
        return status
    }

    private static func write(_ text: String, to descriptor: CInt) {
        Array(text.utf8).withUnsafeBytes { bytes in
            try? OwnedDescriptor.writeAll(descriptor, bytes)  // ignoring: nobody is left to be told
        }
    }
}

extension ServiceConfiguration.Log.Level {
    var loggerLevel: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
