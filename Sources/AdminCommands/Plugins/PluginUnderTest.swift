package import Configuration
private import Glibc
package import LinuxSystem
package import ProcessorSupervision
package import TaskModel

/// A plugin with everything that a worker would know of it.
package struct PluginUnderTest: Sendable {
    /// What a plugin learns of a task beside its payload.
    package struct Origin: Hashable, Sendable {
        package var id: TaskID
        package var group: String
        /// From 1.
        package var attempt: UInt32
        package var sequence: TaskSequence
        /// W3C trace context, or empty.
        package var traceparent: [UInt8]

        package init(
            id: TaskID, group: String, attempt: UInt32 = 1,
            sequence: TaskSequence = TaskSequence(rawValue: 1), traceparent: [UInt8] = []
        ) {
            self.id = id
            self.group = group
            self.attempt = attempt
            self.sequence = sequence
            self.traceparent = traceparent
        }
    }

    package let plugin: PluginFolder.Plugin
    /// A test may shorten its limits.
    package var settings: ProcessorSettings {
        get { options.settings }
        set { options.settings = newValue }
    }
    package let maxAttempts: UInt32
    private var options: ProcessorSupervisor.Options

    /// - Parameter variables: `NAME=value`, of this process.
    package init(
        _ plugin: PluginFolder.Plugin, _ configuration: ServiceConfiguration, variables: [String],
        stateDirectory: String
    ) {
        self.plugin = plugin
        var manifest = PluginManifest()
        var manifestProblem: String?
        do throws(ConfigurationError) {
            if let path = plugin.manifest { manifest = try PluginManifest.load(path) }
        } catch {
            manifestProblem = error.description
        }
        let settings = Self.settings(manifest, configuration, queue: plugin.queue)
        maxAttempts = configuration.queueSettings(for: plugin.queue, manifest: manifest.queue).maxAttempts
        var surroundings = ProcessorSurroundings()
        surroundings.home = stateDirectory
        surroundings.searchPath = Self.searchPath(variables)
        surroundings.timeZone = ProcessEnvironment.value(of: "TZ", in: variables)
        if let folder = ProcessEnvironment.value(of: "TMPDIR", in: variables) {
            surroundings.temporaryDirectory = folder
        }
        surroundings.credentialsDirectory = ProcessEnvironment.value(
            of: "CREDENTIALS_DIRECTORY", in: variables)
        surroundings.url =
            ProcessEnvironment.value(of: "TASKQ_URL", in: variables)
            ?? "http://\(configuration.api.listen)"
        let program = ProcessorProgram(
            queue: plugin.queue, executable: plugin.executable, directory: plugin.directory,
            command: manifest.command, searchPath: surroundings.searchPath,
            isExecutable: FileContents.isExecutableFile)
        var options = ProcessorSupervisor.Options(
            program: program, settings: settings, surroundings: surroundings)
        options.trust = .foreground(user: getuid())
        options.manifest = plugin.manifest
        options.manifestProblem = manifestProblem
        self.options = options
    }

    static func searchPath(_ variables: [String]) -> String {
        let own = ProcessEnvironment.value(of: "PATH", in: variables) ?? ""
        return own.isEmpty ? ProcessorSurroundings.usualSearchPath : own
    }

    /// One process, whatever the manifest says: a test has one task at a time.
    private static func settings(
        _ manifest: PluginManifest, _ configuration: ServiceConfiguration, queue: String
    ) -> ProcessorSettings {
        let limits = configuration.processorLimits(for: queue, manifest: manifest.queue)
        var settings = ProcessorSettings()
        switch manifest.mode ?? .oneshot {
        case .oneshot: settings.mode = .oneshot
        case .stream: settings.mode = .stream
        }
        settings.timeoutMilliseconds = limits.timeoutMilliseconds
        settings.maxRuntimeMilliseconds = limits.maxRuntimeMilliseconds
        if let milliseconds = manifest.startTimeoutMilliseconds {
            settings.startTimeoutMilliseconds = milliseconds
        }
        settings.command = manifest.command
        settings.environment = manifest.environment
        return settings
    }

    /// The same with an empty state folder of its own, made inside of this one's.
    func withOwnState(_ name: String) throws(SystemError) -> PluginUnderTest {
        var copy = self
        copy.options.surroundings.home += "/\(name)"
        try FileContents.makeDirectories(copy.options.surroundings.home)
        return copy
    }

    package func rehearsal(
        hearing heard: @escaping (OutputLine) -> Void = { _ in }
    ) throws(ProcessorSupervisionError) -> PluginRehearsal {
        try PluginRehearsal(options, hearing: heard)
    }

    /// Does one task from the start of a process to its end.
    package func rehearse(
        _ task: ProcessorTask, hearing heard: @escaping (OutputLine) -> Void = { _ in }
    ) throws -> RehearsalReport {
        let rehearsal = try rehearsal(hearing: heard)
        let ending = try rehearsal.run(task)
        try rehearsal.close()
        return RehearsalReport(
            ending: ending, lines: rehearsal.lines, lineCount: rehearsal.lineCount,
            notices: rehearsal.notices.map(\.sentence))
    }

    /// - Parameter origin: nil makes a new task of the queue.
    package func task(_ payload: [UInt8], as origin: Origin? = nil) throws(SystemError) -> ProcessorTask {
        let origin = if let origin { origin } else { Origin(id: try Self.newID(), group: plugin.queue) }
        return ProcessorTask(
            label: .init(id: origin.id, group: origin.group, attempt: origin.attempt), queue: plugin.queue,
            sequence: origin.sequence, maxAttempts: maxAttempts, traceparent: origin.traceparent[...],
            payload: payload[...])
    }

    private static func newID() throws(SystemError) -> TaskID {
        TaskID(
            unixMilliseconds: Clocks.wallMilliseconds(),
            random: (try RandomBytes.word(), try RandomBytes.word()))
    }
}

/// A folder that is gone with its content when the closure ends.
enum ScratchFolder {
    static func with<Value>(_ body: (String) throws -> Value) throws -> Value {
        let variables = ProcessEnvironment.variables()
        let parent = ProcessEnvironment.value(of: "TMPDIR", in: variables) ?? "/tmp"
        var template = Array("\(parent)/taskq-plugin-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError("mkdtemp in \(parent)") }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { remove(path) }
        return try body(path)
    }

    /// A link is removed, never followed.
    private static func remove(_ path: String) {
        if Glibc.remove(path) == 0 || errno != ENOTEMPTY { return }
        let names = (try? FileContents.names(in: path)) ?? []  // ignoring: what cannot be read stays
        for name in names { remove("\(path)/\(name)") }
        Glibc.remove(path)
    }
}
