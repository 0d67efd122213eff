import ArgumentParser
private import Glibc
private import LinuxSystem
import TaskModel
private import TaskValidation

/// The command `taskq put [QUEUE] [BODY]`.
struct PutCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Post a task over HTTP.",
        discussion: """
            BODY is JSON, '@FILE' for a file, or '-' for standard input, which it is without one. The \
            answer's task id is printed. The address is --url, or TASKQ_URL, or http://127.0.0.1:8080.

            Examples:
              taskq put tasks '{"title":"Hi","description":"There","priority":"low"}'
              make-report | taskq put reports --idempotency-key report-2026-01
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

    @Option(name: .customLong("url"), help: "Where taskq-ingest listens.")
    var url: String?

    @Flag(name: .customLong("json"), help: "Print the whole answer as JSON instead of the id.")
    var json = false

    func validate() throws {
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
        if let idempotencyKey { headers.append(("Idempotency-Key", idempotencyKey)) }
        let path = queue == "tasks" ? "/tasks" : "/queues/\(queue)/tasks"
        let client = HTTPClient(address: try address())
        let response = try client.post(path, headers: headers, body: try readBody())
        let text = String(decoding: response.body, as: UTF8.self)
        guard (200...299).contains(response.status) else { throw Self.failure(response, text) }
        if json {
            print(text)
        } else {
            print(try JSONValue.parse(response.body)["task_id"]?.string ?? text)
        }
    }

    private static func failure(_ response: HTTPResponse, _ text: String) -> CommandFailure {
        let outcome = response.header("taskq-outcome").map { ", outcome \($0)" } ?? ""
        let sentence = "HTTP \(response.status)\(outcome): \(text)"
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
