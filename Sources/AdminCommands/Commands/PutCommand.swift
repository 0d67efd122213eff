import ArgumentParser
private import Glibc
private import LinuxSystem
import TaskModel
private import TaskValidation

/// The command `taskq put [QUEUE] [BODY]`.
struct PutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Post a task, or a stream of them, over HTTP.",
        discussion: """
            BODY is JSON, '@FILE' for a file, or '-' for standard input, which it is without one. The \
            answer's task id is printed. The address is --url, or TASKQ_URL, or http://127.0.0.1:8080.

            With --ndjson each line is a task: ids are printed in the order of the lines, a refused line \
            is named and the others go on. Line N has the key KEY/N, so that the same command with \
            --idempotency-key goes on after an interruption without adding anything twice. One connection \
            keeps the order of the lines; --connections N is faster and does not.

            Examples:
              taskq put tasks '{"title":"Hi","description":"There","priority":"low"}'
              make-report | taskq put reports --idempotency-key report-2026-01
              taskq put mail @mail.ndjson --ndjson --idempotency-key mail-2026-01-31

            Exit codes: 0 accepted, 1 refused (with --ndjson: at least one line), 3 not reachable, full or \
            paused, 4 no such queue, 130 interrupted.
            """)

    private static let bodyBytesMax = 4 << 20

    @Argument(help: "The queue.")
    var queue = "tasks"

    @Argument(help: "JSON, '@FILE', or '-' for standard input.")
    var body = "-"

    @Option(name: .customLong("group"), help: "Tasks of one group run one after the other.")
    var group: String?

    @Option(name: .customLong("idempotency-key"), help: "A second post with the same key adds nothing.")
    var idempotencyKey: String?

    @Flag(name: .customLong("ndjson"), help: "Every line of BODY is a task.")
    var isNDJSON = false

    @Option(help: "With --ndjson: so many connections at once, at most 64.")
    var connections = 1

    @Option(name: .customLong("url"), help: "Where taskq-ingest listens.")
    var url: String?

    @Flag(name: .customLong("json"), help: "Print the whole answer as JSON instead of the id.")
    var json = false

    private static let connectionsMax = 64
    /// For the slash and the number of a line.
    private static let keySuffixBytesMax = 12

    func validate() throws {
        guard (1...Self.connectionsMax).contains(connections), isNDJSON || connections == 1 else {
            throw ValidationError("--connections takes 1 to \(Self.connectionsMax), with --ndjson")
        }
        let keyBytesMax = Limits.idempotencyKeyBytesMax - (isNDJSON ? Self.keySuffixBytesMax : 0)
        guard (idempotencyKey?.utf8.count ?? 0) <= keyBytesMax else {
            throw ValidationError("--idempotency-key takes at most \(keyBytesMax) characters here")
        }
        guard QueueDeclaration.isValidName(queue) else {
            throw ValidationError(
                "'\(queue)' is not a queue's name: a-z, 0-9, _ and -, at most 64 characters")
        }
        for (option, value) in [("--group", group), ("--idempotency-key", idempotencyKey)] {
            guard value.map(Self.isHeaderValue) ?? true else {
                throw ValidationError("\(option) takes printable ASCII without a blank at either end")
            }
        }
    }

    private static func isHeaderValue(_ text: String) -> Bool {
        !text.isEmpty && text.first != " " && text.last != " "
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    func run() throws {
        var headers: [(name: String, value: String)] = []
        if let group { headers.append(("Taskq-Group", group)) }
        let path = queue == "tasks" ? "/tasks" : "/queues/\(queue)/tasks"
        let client = HTTPClient(address: try address())
        if isNDJSON { return try stream(client, path, headers) }
        if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
        let response = try client.post(path, headers: headers, body: try readBody())
        let text = String(decoding: response.body, as: UTF8.self)
        guard (200...299).contains(response.status) else { throw Self.failure(response) }
        print(json ? text : Self.taskID(in: response) ?? text)
    }

    private func stream(
        _ client: HTTPClient, _ path: String, _ headers: [(name: String, value: String)]
    ) throws(CommandFailure) {
        let interruption = try Interruption()
        let input = try openInput()
        var facts = stat()
        let isFile = fstat(input.rawValue, &facts) == 0 && facts.st_mode & S_IFMT == S_IFREG
        let options = PostStream.Options(
            path: path, headers: headers, keyPrefix: idempotencyKey, connectionCount: connections,
            isJSON: json, inputBytes: isFile ? UInt64(facts.st_size) : 0)
        var stream = PostStream(client, options, input: input.rawValue, interruption)
        try stream.run()
    }

    private func openInput() throws(CommandFailure) -> OwnedDescriptor {
        do throws(SystemError) {
            if body == "-" {
                return OwnedDescriptor(adopting: try retryingInterrupted("dup") { dup(STDIN_FILENO) })
            }
            if body.hasPrefix("@") {
                return try OwnedDescriptor(opening: String(body.dropFirst()), flags: O_RDONLY)
            }
        } catch {
            throw .failed("the lines cannot be read: \(error)")
        }
        throw .usage("with --ndjson BODY is '@FILE' or '-'")
    }

    static func taskID(in response: HTTPResponse) -> String? {
        guard let answer = try? JSONValue.parse(response.body)  // ignoring: no JSON, no id
        else { return nil }
        return answer["task_id"]?.string
    }

    private static func failure(_ response: HTTPResponse) -> CommandFailure {
        let outcome = response.header("taskq-outcome").map { ", outcome \($0)" } ?? ""
        let sentence = "HTTP \(response.status)\(outcome): \(response.detailText)"
        switch response.status {
        case 404: return .notFound(sentence)
        case 503 where response.header("taskq-outcome") == "refused": return .notReachable(sentence)
        case _: return .failed(sentence)
        }
    }

    private func address() throws(CommandFailure) -> HTTPAddress {
        let variable = ProcessEnvironment.value(of: "TASKQ_URL", in: ProcessEnvironment.variables())
        let text = url ?? variable ?? "http://127.0.0.1:8080"
        guard let address = HTTPAddress(text) else {
            throw .usage("'\(text)' is not an address of the form http://host:port")
        }
        return address
    }

    private func readBody() throws(CommandFailure) -> [UInt8] {
        if body != "-", !body.hasPrefix("@") { return Array(body.utf8) }
        do throws(SystemError) {
            if body.hasPrefix("@") {
                return try FileContents.read(String(body.dropFirst()), maximumBytes: Self.bodyBytesMax)
            }
            guard let bytes = try FileText.readAll(STDIN_FILENO, maximumBytes: Self.bodyBytesMax) else {
                throw SystemError(call: "read standard input", errno: EFBIG)
            }
            return bytes
        } catch {
            throw .failed("the task cannot be read: \(error)")
        }
    }
}
