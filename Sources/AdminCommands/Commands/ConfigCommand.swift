import ArgumentParser
package import Configuration
private import Glibc
private import LinuxSystem

/// The commands `taskq config ...`: reads what the daemons read.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Check the configuration and show what it comes to.",
        discussion: "Nothing is changed.",
        subcommands: [ConfigCheckCommand.self, ConfigShowCommand.self])

    /// EX_CONFIG, as the daemons'.
    static let misconfiguredStatus: Int32 = 78
}

/// Which configuration is meant.
struct ConfigChoice: ParsableArguments {
    private static let environmentsFolder = "config"
    private static let installedFolder = "/etc/taskq"
    private static let installedPlugins = ["/usr/local/lib/taskq/plugins", "/usr/lib/taskq/plugins"]

    @OptionGroup var common: CommonOptions

    @Option(
        name: .customLong("config"),
        help: "The file (/etc/taskq/taskq.toml, or config/dev.toml where only that exists).")
    var config: String?

    @Option(
        name: .customLong("env"),
        help: "The file of an environment: config/NAME.toml or /etc/taskq/NAME.toml.")
    var env: String?

    @Option(
        name: .customLong("plugins"),
        help: "A folder of plugins whose manifests are read; the first one given wins. May be repeated.")
    var plugins: [String] = []

    @Option(name: .customLong("listen"), help: "HOST:PORT, as the daemons' option.")
    var listen: String?

    func validate() throws {
        if config != nil, env != nil { throw ValidationError("--config and --env exclude each other") }
        if let listen, ListenAddress(listen) == nil {
            throw ValidationError("--listen takes an address and port such as 127.0.0.1:8080")
        }
        if let env, !WordRules.isName(env) {
            throw ValidationError("--env takes a name of a-z, 0-9, _ and -, such as prod")
        }
    }

    /// `state`: where the option is not given.
    func inspect(state: String? = nil) throws(CommandFailure) -> ConfigurationReport {
        let sources = ConfigurationSources(
            file: try file(), stateDirectory: common.state ?? state,
            listen: listen.flatMap { ListenAddress($0) },
            environment: ProcessEnvironment.variables(), pluginFolders: pluginFolders)
        return ConfigurationReport(sources.inspect(), environment: env)
    }

    private func file() throws(CommandFailure) -> String? {
        if let config { return config }
        if let env {
            let candidates = [Self.environmentsFolder, Self.installedFolder].map { "\($0)/\(env).toml" }
            guard let found = candidates.first(where: { FileContents.exists($0) }) else {
                throw .failed(
                    "there is no environment \(env): \(candidates.joined(separator: " and ")) are absent")
            }
            return found
        }
        let local = "\(Self.environmentsFolder)/dev.toml"
        let isInstalled = FileContents.exists(ConfigurationSources.installedFile)
        return !isInstalled && FileContents.exists(local) ? local : nil
    }

    var pluginFolders: [String] {
        if !plugins.isEmpty { return plugins }
        let installed = Self.installedPlugins.filter { FileContents.isDirectory($0) }
        return installed.isEmpty && FileContents.isDirectory("plugins") ? ["plugins"] : installed
    }
}

/// What an environment may be called.
private enum WordRules {
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }
}

/// A configuration as the commands tell of it.
package struct ConfigurationReport: Sendable {
    package let configuration: ServiceConfiguration
    package let values: [EffectiveValue]
    package let files: [String]
    package let problems: [ConfigurationProblem]
    package internal(set) var notices: [String]

    /// `environment` is the one that was asked for: a file that names another is a mistake.
    package init(_ inspection: ConfigurationInspection, environment: String? = nil) {
        configuration = inspection.configuration
        values = inspection.values
        files = inspection.files
        notices = inspection.notices
        var problems = inspection.problems
        let named = values.first { $0.key == "environment" }
        if let environment, let named, inspection.configuration.environment != environment {
            problems.append(
                ConfigurationProblem(
                    position: named.origin ?? inspection.document.position, key: "environment",
                    message: "expected \"\(environment)\", which was asked for, found \(named.value)"))
        }
        self.problems = problems
    }

    package var isValid: Bool { problems.isEmpty }
}

/// The command `taskq config check`.
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say all that is wrong with the configuration.",
        discussion: """
            Reads the file, its folder of additions, TASKQ_CONFIG_ variables and the plugins' manifests. \
            Every mistake is a line with its place, what was found and what was expected. A running broker \
            is asked whether waiting tasks would expire. Exit codes: 0 right, 78 wrong.
            """)

    @OptionGroup var choice: ConfigChoice

    @Flag(name: .customLong("quiet"), help: "Only mistakes.")
    var quiet = false

    func run() throws {
        var report = try choice.inspect()
        if report.isValid {
            let paths = StateLocation.paths(option: choice.common.state)
            report.notices += ExpiryForecast.notices(report.configuration, paths)
        }
        if choice.common.json {
            print(ConfigText.json(report), terminator: "")
        } else if report.isValid, !quiet {
            print(ConfigText.table(report) + "\n" + ConfigText.verdict(report), terminator: "")
        }
        try ConfigText.finish(report, isJSON: choice.common.json)
    }
}

/// The command `taskq config show`.
struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print every value and where it comes from.",
        discussion: "Exit codes as those of 'taskq config check'.")

    @OptionGroup var choice: ConfigChoice

    func run() throws {
        let report = try choice.inspect()
        if choice.common.json {
            print(ConfigText.json(report), terminator: "")
        } else if report.isValid {
            print(ConfigText.table(report), terminator: "")
        }
        try ConfigText.finish(report, isJSON: choice.common.json)
    }
}

extension ConfigText {
    /// Ends a command as the configuration deserves, with the mistakes for people on standard error.
    fileprivate static func finish(_ report: ConfigurationReport, isJSON: Bool) throws {
        guard !report.isValid else { return }
        if !isJSON { FileText.write(mistakes(report), to: STDERR_FILENO) }
        throw ExitStatusRequest(code: ConfigCommand.misconfiguredStatus)
    }
}
