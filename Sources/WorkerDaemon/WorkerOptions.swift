package import Configuration
private import Glibc
private import LinuxSystem
package import ProcessorSupervision
private import TaskModel

/// What a worker needs to know before it starts; effective values, wherever they came from.
package struct WorkerOptions: Sendable {
    package static let installedPluginFolders = PluginFolder.installedFolders
    /// `taskq up` stops within 5 s, all told.
    private static let foregroundStopGraceMilliseconds: UInt64 = 3_000
    private static let foregroundStopKillMilliseconds: UInt64 = 1_000

    package var queue: String
    /// For people and for leases; the same after a restart.
    package var workerName: String
    /// The path that the broker listens at.
    package var brokerSocket: String
    package var supervision: ProcessorSupervisor.Options
    /// How long broker and processors are polled without sleeping while a lease is out, microseconds; 0
    /// never.
    package var spinMicroseconds: UInt64 = 200
    /// How long a stop waits for the broker's word on the last answers, milliseconds.
    package var confirmMilliseconds: UInt64 = 2_000
    /// What the plugin's manifest says of its queue, for when the configuration changes.
    package var manifestOverrides: QueueOverrides?

    package init(
        queue: String, workerName: String, brokerSocket: String, supervision: ProcessorSupervisor.Options
    ) {
        self.queue = queue
        self.workerName = workerName
        self.brokerSocket = brokerSocket
        self.supervision = supervision
    }

    /// - Parameter environment: the worker's own variables, `NAME: value`.
    package init(
        _ arguments: DaemonArguments, _ configuration: ServiceConfiguration, environment: [String: String]
    ) throws(WorkerDaemonError) {
        guard let queue = arguments[.queue] else {
            throw .usage("--queue NAME is missing: the queue to serve")
        }
        guard QueueDeclaration.isValidName(queue) else {
            throw .usage("--queue \(queue): a queue is named [a-z0-9][a-z0-9_-]{0,63}")
        }
        let isForeground = arguments[.state] != nil
        let plugin = try Self.findPlugin(queue, at: arguments[.plugin])
        var manifest = PluginManifest()
        var manifestProblem: String?
        do throws(ConfigurationError) {
            if let path = plugin.manifest { manifest = try PluginManifest.load(path) }
        } catch {
            // Only taskq.toml stops a daemon: a bad manifest stalls its queue.
            manifestProblem = error.description
        }
        let settings = Self.settings(
            manifest, configuration.processorLimits(for: queue, manifest: manifest.queue),
            isForeground: isForeground)
        let surroundings = try Self.surroundings(queue, configuration, environment)
        let program = ProcessorProgram(
            queue: queue, executable: plugin.executable, directory: plugin.directory,
            command: manifest.command,
            searchPath: surroundings.searchPath, isExecutable: FileContents.isExecutableFile)
        var supervision = ProcessorSupervisor.Options(
            program: program, settings: settings, surroundings: surroundings)
        supervision.trust =
            isForeground
            ? .foreground(user: getuid())
            : .installed(
                owners: Self.users(configuration.plugins.owners), pluginFolders: Self.installedPluginFolders)
        supervision.ownsEveryOrphan = true
        supervision.manifest = plugin.manifest ?? "\(plugin.directory)/plugin.toml"
        supervision.manifestProblem = manifestProblem
        let instance = arguments[.instance].map { "#\($0)" } ?? ""
        self.init(
            queue: queue, workerName: "worker@\(queue)\(instance)",
            brokerSocket: configuration.paths.workerSocket, supervision: supervision)
        manifestOverrides = manifest.queue
    }

    /// Users that this machine does not know own nothing here.
    private static func users(_ names: [String]) -> Set<UInt32> {
        Set(names.compactMap { getpwnam($0)?.pointee.pw_uid })
    }

    /// `path` names an executable or its folder; without it the installed folders are looked through.
    private static func findPlugin(
        _ queue: String, at path: String?
    ) throws(WorkerDaemonError) -> PluginFolder.Plugin {
        do throws(SystemError) {
            if let path {
                return PluginFolder.Plugin(queue: queue, at: try FileContents.absolute(path))
            }
            var folders: [PluginFolder] = []
            for folder in installedPluginFolders where FileContents.isDirectory(folder) {
                folders.append(PluginFolder.scan(folder, try PluginFolder.list(folder)))
            }
            let plugins = PluginFolder.layered(folders).plugins
            if let plugin = plugins.first(where: { $0.queue == queue }) { return plugin }
        } catch {
            throw .system(error)
        }
        throw .noPlugin(queue: queue, folders: installedPluginFolders)
    }

    private static func settings(
        _ manifest: PluginManifest, _ limits: ProcessorLimits, isForeground: Bool
    ) -> ProcessorSettings {
        var settings = ProcessorSettings()
        switch manifest.mode ?? .oneshot {
        case .oneshot: settings.mode = .oneshot
        case .stream: settings.mode = .stream
        }
        settings.concurrency = limits.concurrency
        settings.timeoutMilliseconds = limits.timeoutMilliseconds
        settings.maxRuntimeMilliseconds = limits.maxRuntimeMilliseconds
        if isForeground {
            settings.stopGraceMilliseconds = foregroundStopGraceMilliseconds
            settings.stopKillMilliseconds = foregroundStopKillMilliseconds
        }
        if let milliseconds = manifest.startTimeoutMilliseconds {
            settings.startTimeoutMilliseconds = milliseconds
        }
        if let milliseconds = manifest.stopGraceMilliseconds { settings.stopGraceMilliseconds = milliseconds }
        settings.command = manifest.command
        settings.environment = manifest.environment
        return settings
    }

    private static func surroundings(
        _ queue: String, _ configuration: ServiceConfiguration, _ environment: [String: String]
    ) throws(WorkerDaemonError) -> ProcessorSurroundings {
        var surroundings = ProcessorSurroundings()
        do throws(SystemError) {
            surroundings.home = try FileContents.absolute(
                configuration.paths.processorDirectory(queue: queue))
            try FileContents.makeDirectories(surroundings.home, mode: 0o700)
            surroundings.credentialsDirectory = try QueueCredentials.directory(environment: environment)
        } catch {
            throw .system(error)
        }
        if let path = environment["PATH"], !path.isEmpty { surroundings.searchPath = path }
        surroundings.timeZone = environment["TZ"]
        if let folder = environment["TMPDIR"] { surroundings.temporaryDirectory = folder }
        surroundings.url = environment["TASKQ_URL"] ?? "http://\(configuration.api.listen)"
        return surroundings
    }
}
