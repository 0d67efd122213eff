import ArgumentParser
import Configuration
import Glibc
private import LinuxSystem

/// The command `taskq up`.
struct UpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Run the whole stack in the foreground.",
        discussion: """
            Starts broker, ingest and a worker for every plugin, shows what they do, and starts again \
            what dies. Ctrl-C stops them in order within 5 seconds, a second Ctrl-C at once. State is \
            kept in ./var: the next start finds what was left.
            """)

    private static let developmentFile = "config/dev.toml"

    @Option(name: .customLong("config"), help: "The configuration (config/dev.toml where that exists).")
    var config: String?

    @Option(name: .customLong("state"), help: "The folder for journal and sockets.")
    var state = StateLocation.foreground

    @Option(
        name: .customLong("plugins"), help: "A folder of plugins; the first one given wins. May be repeated.")
    var plugins: [String] = []

    @Option(name: .customLong("listen"), help: "HOST:PORT for HTTP; port 0 takes a free one.")
    var listen: String?

    @Option(name: .customLong("log-format"), help: "text or json.")
    var logFormat = "text"

    func validate() throws {
        if let listen, ListenAddress(listen) == nil {
            throw ValidationError("--listen takes an address and port such as 127.0.0.1:8080")
        }
        guard ["text", "json", "auto"].contains(logFormat) else {
            throw ValidationError("--log-format takes text or json")
        }
    }

    func run() throws {
        let options = try gather()
        try makeFolders(options)
        let found = try DiscoveredPlugin.find(options)
        let printer = StackPrinter(isJSON: options.isJSON)
        for problem in found.problems { printer.say(problem) }
        SignalDescriptor.ignoreBrokenPipes()
        let signals = try SignalDescriptor(blocking: [SIGINT, SIGTERM, SIGHUP, SIGCHLD])
        try ProcessControl.becomeSubreaper()
        let stack = try ForegroundStack(options, plugins: found.plugins, signals: signals)
        let code = try stack.run()
        if code != 0 { throw ExitStatusRequest(code: code) }
    }

    private func gather() throws(CommandFailure) -> ForegroundOptions {
        let file = config ?? (FileContents.exists(Self.developmentFile) ? Self.developmentFile : nil)
        let variables = ProcessEnvironment.variables()
        let sources = ConfigurationSources(
            file: file, stateDirectory: state, listen: listen.flatMap { ListenAddress($0) },
            environment: variables)
        let loaded: ServiceConfiguration
        do throws(ConfigurationError) {
            loaded = try sources.load()
        } catch {
            throw .misconfigured(error.description)
        }
        return ForegroundOptions(
            configFile: file, stateDirectory: state, listen: listen, pluginFolders: folders,
            isJSON: logFormat == "json", configuration: loaded,
            programs: try ForegroundOptions.findPrograms(),
            variables: variables)
    }

    private var folders: [String] {
        if !plugins.isEmpty { return plugins }
        return FileContents.isDirectory("plugins") ? ["plugins"] : []
    }

    private func makeFolders(_ options: ForegroundOptions) throws(CommandFailure) {
        let paths = options.configuration.paths
        let sockets = [paths.ingestSocket, paths.workerSocket, paths.adminSocket]
        do throws(SystemError) {
            for socket in sockets {
                guard let folder = FileContents.parentDirectory(of: socket) else { continue }
                try FileContents.makeDirectories(folder, mode: 0o750)
            }
        } catch {
            throw .failed("the state folder cannot be made: \(error)")
        }
    }
}
