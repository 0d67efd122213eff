import Glibc
import Synchronization
import TestSupport
import Testing

/// Broker, ingest and workers as real processes over one state folder; each can be killed and started again.
final class Stack: Sendable {
    let directory: TemporaryDirectory
    private let scope: ProcessScope
    private let configuration: String
    private let processes = Mutex<[String: ProcessFixture]>([:])
    private let httpAddress = Mutex<SocketAddress?>(nil)

    /// Starts nothing yet.
    ///
    /// `configuration` is the text of a taskq.toml.
    static func with<Value>(
        configuration: String = "", _ body: (Stack) async throws -> Value
    ) async throws -> Value {
        try await TemporaryDirectory.with { directory in
            try directory.write("environment = \"test\"\n" + configuration, to: "taskq.toml")
            return try await ProcessScope.with { scope in
                try await body(Stack(directory: directory, scope: scope))
            }
        }
    }

    private init(directory: TemporaryDirectory, scope: ProcessScope) {
        self.directory = directory
        self.scope = scope
        configuration = directory.path("taskq.toml")
    }

    var state: String { directory.path("state") }
    private var common: [String] { ["--config", configuration, "--state", state, "--log-format", "text"] }

    /// Where ingest listens; the same after a restart.
    var address: SocketAddress {
        get throws {
            guard let address = httpAddress.withLock({ $0 }) else {
                throw TestSupportError.noAddress(line: "")
            }
            return address
        }
    }

    private func start(_ name: String, product: String, _ arguments: [String]) async throws -> ProcessFixture
    {
        let process = try await scope.start(ProcessDescription(product: product, common + arguments))
        processes.withLock { $0[name] = process }
        return process
    }

    @discardableResult
    func startBroker() async throws -> ProcessFixture {
        let broker = try await start("broker", product: "taskq-broker", [])
        try await broker.line(containing: "ready", within: .seconds(60))
        return broker
    }

    @discardableResult
    func startIngest() async throws -> ProcessFixture {
        let port = httpAddress.withLock { $0?.port ?? 0 }
        let ingest = try await start("ingest", product: "taskq-ingest", ["--listen", "127.0.0.1:\(port)"])
        let address = try await ingest.listeningAddress()
        httpAddress.withLock { $0 = address }
        try await ingest.line(containing: "broker connected")
        return ingest
    }

    @discardableResult
    func startWorker(_ queue: String, plugin: String) async throws -> ProcessFixture {
        let worker = try await start(
            "worker \(queue)", product: "taskq-worker", ["--queue", queue, "--plugin", plugin])
        try await worker.line(containing: "connected to the broker", within: .seconds(60))
        return worker
    }

    func startAll(queue: String = "tasks", plugin: String) async throws {
        try await startBroker()
        try await startIngest()
        try await startWorker(queue, plugin: plugin)
    }

    func process(_ name: String) throws -> ProcessFixture {
        guard let process = processes.withLock({ $0[name] }) else {
            throw TestSupportError.productMissing(name: name, folder: "the stack")
        }
        return process
    }

    /// Writes a processor; gives the path of its folder.
    func plugin(_ queue: String, _ script: String, manifest: String? = nil) throws -> String {
        if let manifest { try directory.write(manifest, to: "plugins/\(queue)/plugin.toml") }
        try directory.write(script, to: "plugins/\(queue)/processor", mode: 0o755)
        return directory.path("plugins/\(queue)")
    }

    func post(
        _ body: String, queue: String = "tasks", headers: [String: String] = [:]
    ) async throws -> HTTPTestResponse {
        let path = queue == "tasks" ? "/tasks" : "/queues/\(queue)/tasks"
        let all = headers.merging(["Content-Type": "application/json"]) { given, _ in given }
        return try await HTTPTestClient.once(try address, "POST", path, headers: all, body: body)
    }

    /// `GET /tasks/{id}`, waiting up to 30 s for the end.
    func finished(_ id: String) async throws -> JSON {
        try JSON(try await HTTPTestClient.once(try address, "GET", "/tasks/\(id)?wait=30").body)
    }

    /// Ends what still runs, as an admin would, and has the independent reader look at the files.
    func stopAndReadJournal() async throws {
        let running = processes.withLock { $0 }.sorted { $0.key > $1.key }.map(\.value)
        for process in running where process.status == nil {
            #expect(try await process.terminate() == .exited(0))
        }
        let violations = try await JournalReader.violations(inState: state)
        #expect(violations == [])
    }

    /// Runs `taskq` and gives what it printed.
    func taskq(_ arguments: [String], within limit: Duration = .seconds(60)) async throws -> String {
        let (status, text) = try await end(of: arguments, within: limit)
        guard status == .exited(0) else {
            throw TestSupportError.processEnded(status, waitingFor: "success", output: [text])
        }
        return text
    }

    /// Runs `taskq`, which must fail with status 1, and gives what it said.
    func failingTaskq(_ arguments: [String], within limit: Duration = .seconds(60)) async throws -> String {
        let (status, text) = try await end(of: arguments, within: limit)
        guard status == .exited(1) else {
            throw TestSupportError.processEnded(status, waitingFor: "failure", output: [text])
        }
        return text
    }

    func end(
        of arguments: [String], within limit: Duration
    ) async throws -> (status: TestSupport.ExitStatus, text: String) {
        try await tool(arguments + ["--state", state], within: limit)
    }

    /// Runs `taskq` with these words alone, for commands that ask no daemon.
    func tool(
        _ arguments: [String], within limit: Duration = .seconds(60)
    ) async throws -> (status: TestSupport.ExitStatus, text: String) {
        let process = try await scope.start(ProcessDescription(product: "taskq", arguments))
        let status = try await process.end(within: limit)
        return (status, process.lines.map(\.text).joined(separator: "\n"))
    }

    /// Runs `taskq` at a terminal where `body` sits.
    func terminal(
        _ arguments: [String], _ body: @escaping @Sendable (TerminalFixture) throws -> Void = { _ in }
    ) async throws -> (status: TestSupport.ExitStatus, text: String) {
        let description = try ProcessDescription(product: "taskq", arguments + ["--state", state])
        return try await TerminalFixture.run(description, body)
    }
}
