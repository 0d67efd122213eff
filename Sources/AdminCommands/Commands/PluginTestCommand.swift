import ArgumentParser
import Configuration
private import Glibc
private import LinuxSystem
import ProcessorSupervision
private import TaskModel
private import TaskValidation

/// The command `taskq plugin test`.
struct PluginTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run a plugin with one task, as a worker would.",
        discussion: """
            The process is real; the queue and the plugin's own state are not touched. Without --task \
            the payload is the plugin's example.json, else an empty object. With --as-service it runs a copy \
            of the plugin as the installed worker would: as its user, with its limits, drop-ins and \
            credentials, the file system read-only. Exit codes: 0 acked (with \
            --torture: and no trial went badly), 1 not.
            """)

    /// As much as one task may hold.
    private static let payloadBytesMax = 1 << 20
    private static let developmentFile = "config/dev.toml"

    @Argument(help: "A plugin's name, or the path of its folder or file.")
    var plugin: String

    @OptionGroup var places: PluginPlaces

    @Option(name: .customLong("task"), help: "A file with the task's payload, JSON; - reads standard input.")
    var taskFile: String?

    @Flag(
        name: .customLong("torture"),
        help: "Try also what goes wrong one day: tasks that come twice, that are large, that are cut short.")
    var torture = false

    @Flag(
        name: .customLong("as-service"),
        help: "Run it in the sandbox of the installed taskq-worker@.service; needs root and systemd.")
    var asService = false

    @Option(name: .customLong("config"), help: "The configuration (config/dev.toml where that exists).")
    var config: String?

    @Flag(name: .customLong("json"), help: "One JSON value for scripts instead of text for people.")
    var json = false

    func validate() throws {
        guard !asService || config == nil else {
            throw ValidationError("--as-service reads /etc/taskq, as the service does: leave --config out")
        }
    }

    func run() throws {
        do {
            if asService { try rehearseAsService() } else { try rehearse() }
        } catch let error as SystemError {
            throw CommandFailure.failed("the plugin cannot be tried: \(error)")
        } catch let error as ProcessorSupervisionError {
            throw CommandFailure.failed("the plugin cannot be tried: \(error)")
        }
    }

    private func rehearse() throws {
        let found = try find()
        let payload = try readPayload(found)
        let configuration = try Self.loadConfiguration(config)
        let isAcked = try ScratchFolder.with { state in
            let subject = PluginUnderTest(
                found, configuration, variables: ProcessEnvironment.variables(), stateDirectory: state)
            return try run(subject, payload)
        }
        if !isAcked { throw ExitStatusRequest(code: 1) }
    }

    private func rehearseAsService() throws {
        let found = try find()
        let flags = (torture ? ["--torture"] : []) + (json ? ["--json"] : [])
        let service = ServiceRehearsal(plugin: found, payload: try readPayload(found), flags: flags)
        let status = try service.run()
        guard status != 0 else { return }
        FileText.write(Self.surroundings(found.queue), to: STDERR_FILENO)
        throw ExitStatusRequest(code: status)
    }

    /// What most often makes the difference between here and there.
    private static func surroundings(_ queue: String) -> String {
        """
        taskq: note: this was as a service. It writes to TASKQ_STATE_DIR and TMPDIR alone, sees no /home, \
        runs programs of /usr, /opt and /srv alone, and has no capability; \
        'systemctl cat taskq-worker@\(queue)' has all. Without --as-service the command runs it as you.

        """
    }

    private func run(_ subject: PluginUnderTest, _ payload: [UInt8]) throws -> Bool {
        let isText = !json
        let report = try subject.rehearse(try subject.task(payload)) { line in
            if isText { print(PluginVerdictText.text(line), terminator: "") }
        }
        if isText { print(PluginVerdictText.text(report, of: subject), terminator: "") }
        var outcomes: [PluginTrial.Outcome]?
        if torture {
            outcomes = try tortured(
                subject, payload,
                canStart: PluginVerdictText.label(report.ending) != "stalled")
        }
        if json {
            print(PluginVerdictText.json(report, of: subject, trials: outcomes), terminator: "")
        }
        return report.isAcked && outcomes?.contains { $0.grade == .bad } != true
    }

    /// What cannot start has nothing to be tried.
    private func tortured(
        _ subject: PluginUnderTest, _ payload: [UInt8], canStart: Bool
    ) throws -> [PluginTrial.Outcome] {
        guard canStart else { return [] }
        if !json { print("\ntrials (what is not JSON is never sent: payloads are checked before)") }
        var outcomes: [PluginTrial.Outcome] = []
        for trial in PluginTrial.allCases {
            let outcome = try trial.run(subject, payload: payload)
            outcomes.append(outcome)
            if !json { print(PluginVerdictText.text(outcome), terminator: "") }
        }
        return outcomes
    }

    private func find() throws -> PluginFolder.Plugin {
        if QueueDeclaration.isValidName(plugin) {
            if let found = try places.findPlugin(of: plugin) { return found }
        }
        guard FileContents.exists(plugin) else {
            throw CommandFailure.notFound("there is no plugin '\(plugin)', nor a file or folder of that name")
        }
        return try atPath()
    }

    private func atPath() throws -> PluginFolder.Plugin {
        guard let resolved = realpath(plugin, nil) else { throw SystemError("realpath \(plugin)") }
        defer { free(resolved) }
        var path = String(cString: resolved)
        if path.hasSuffix("/processor"), let folder = FileContents.parentDirectory(of: path) { path = folder }
        let last = path.split(separator: "/").last ?? ""
        let queue = FileContents.isDirectory(path) ? last : last.prefix { $0 != "." }
        guard QueueDeclaration.isValidName(String(queue)) else {
            throw CommandFailure.usage("\(path): a queue is named [a-z0-9][a-z0-9_-]{0,63}")
        }
        return PluginFolder.Plugin(queue: String(queue), at: path)
    }

    private func readPayload(_ plugin: PluginFolder.Plugin) throws -> [UInt8] {
        let example = "\(plugin.directory)/example.json"
        let hasOwnFolder = plugin.path == plugin.directory
        let bytes: [UInt8]
        switch taskFile {
        case "-":
            let read = try FileText.readAll(STDIN_FILENO, maximumBytes: Self.payloadBytesMax)
            guard let read else { throw CommandFailure.failed("the payload is over 1 MiB") }
            bytes = read
        case let file?:
            bytes = try FileContents.read(file, maximumBytes: Self.payloadBytesMax)
        case nil where hasOwnFolder && FileContents.exists(example):
            bytes = try FileContents.read(example, maximumBytes: Self.payloadBytesMax)
        case nil:
            bytes = Array("{}".utf8)
        }
        do throws(JSONError) {
            return Array(try JSONValue.parse(bytes).rawBytes)
        } catch {
            throw CommandFailure.failed(
                "the payload is not JSON: \(error.message), byte \(error.byteOffset)")
        }
    }

    /// As `taskq up` would read it.
    static func loadConfiguration(_ config: String?) throws(CommandFailure) -> ServiceConfiguration {
        let file = config ?? (FileContents.exists(developmentFile) ? developmentFile : nil)
        do throws(ConfigurationError) {
            return try ConfigurationSources(file: file, environment: ProcessEnvironment.variables()).load()
        } catch {
            throw CommandFailure.failed(error.description)
        }
    }
}
