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
            what dies. A plugin that is put into a folder, replaced or removed takes effect at once. \
            Ctrl-C stops them in order within 5 seconds, a second Ctrl-C at once. State is \
            kept in ./var: the next start finds what was left.
            """)

    private static let developmentFile = "config/dev.toml"
    private static let developmentPlugins = "plugins"

    @Option(name: .customLong("config"), help: "The configuration (config/dev.toml where that exists).")
    var config: String?

    @Option(name: .customLong("state"), help: "The folder for journal and sockets.")
    var state = StateLocation.foreground

    @Option(
        name: .customLong("plugins"),
        help: "A folder of plugins (./plugins); may be repeated, and the first one wins.")
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
        SignalDescriptor.ignoreBrokenPipes()
        let signals = try SignalDescriptor(blocking: [SIGINT, SIGTERM, SIGHUP, SIGCHLD])
        try ProcessControl.becomeSubreaper()
        let stack = try ForegroundStack(options, signals: signals)
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
            configFile: file, stateDirectory: state, listen: listen, pluginFolders: try folders(),
            isJSON: logFormat == "json", configuration: loaded,
            programs: try ForegroundOptions.findPrograms(),
            variables: variables)
    }

    /// A folder that is named has to be there; the usual one is made, so that plugins can be put into it.
    private func folders() throws(CommandFailure) -> [String] {
        do throws(SystemError) {
            if plugins.isEmpty { try FileContents.makeDirectories(Self.developmentPlugins) }
            return try (plugins.isEmpty ? [Self.developmentPlugins] : plugins).map {
                name throws(SystemError) in
                guard FileContents.isDirectory(name) else {
                    throw SystemError(call: "--plugins \(name)", errno: ENOTDIR)
                }
                let path = try FileContents.absolute(name)
                return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
            }
        } catch {
            throw .failed("the plugin folder cannot be used: \(error)")
        }
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
