import Glibc
import LinuxSystem
private import ServiceLog
private import TaskModel
private import TaskValidation

/// Posts a stream of lines, many at a time, in bounded memory.
///
/// One connection keeps the order of the lines: the server answers one request of a connection after the
/// other. Several are faster and keep no order: what one could not take goes to another, behind later lines.
struct PostStream: ~Copyable {
    struct Options {
        var path: String
        /// Besides the body's own.
        var headers: [(name: String, value: String)]
        /// The key of a line is this, a slash and the line's number.
        var keyPrefix: String?
        var connectionCount: Int
        var isJSON: Bool
        /// Of the whole input; 0 where nobody knows.
        var inputBytes: UInt64
    }

    /// Why lines are left over.
    private enum Stop {
        case interrupted
        case notFound(String)
        case notReachable(String)
        case failed(String)
    }

    /// Lines that may wait for the answers of lines before them.
    private static let openLinesMax = 4_096
    /// A connection that carried nothing for so long may be closed by the server at any moment.
    private static let idleNanoseconds: UInt64 = 5_000_000_000
    /// No answer to anything for so long, milliseconds, is the end.
    private static let answerMilliseconds: UInt64 = 30_000

    private let client: HTTPClient
    private let options: Options
    private let input: CInt
    private var interruption: Interruption
    private var lines = LineCutter()
    private var report: PostReport
    private var progress = ProgressLine()
    private var connections: [PostConnection] = []
    /// Lines to be sent before the next one of the input.
    private var pending: [PostedLine] = []
    private var stop: Stop?
    private var lastAnswer = Clocks.monotonicNanoseconds()

    init(
        _ client: HTTPClient, _ options: Options, input: CInt, _ interruption: consuming Interruption
    ) {
        self.client = client
        self.options = options
        self.input = input
        self.interruption = interruption
        report = PostReport(isJSON: options.isJSON)
    }

    /// Posts everything, says what became of it, and throws where something is left over or was refused.
    mutating func run() throws(CommandFailure) {
        while true {
            if stop == nil, try interruption.check() { stop = .interrupted }
            if stop == nil { sendLines() }
            if stop != nil { leavePending() }
            let inFlight = connections.reduce(0) { $0 + $1.depth }
            if inFlight == 0, stop != nil || (lines.inputHasEnded && pending.isEmpty) { break }
            if inFlight == 0 { report.flush() }
            try wait(inFlight: inFlight)
        }
        progress.end()
        report.finish(isComplete: stop == nil)
        try finish()
    }

    /// Fills the connections from the lines that are there.
    private mutating func sendLines() {
        while report.openCount < Self.openLinesMax, let line = takeLine() {
            guard let connection = place(for: line.body.count) else {
                pending.insert(line, at: 0)
                return
            }
            if connections.allSatisfy({ $0.depth == 0 }) { lastAnswer = Clocks.monotonicNanoseconds() }
            connection.add(line, head: head(of: line))
        }
    }

    private mutating func takeLine() -> PostedLine? {
        if !pending.isEmpty { return pending.removeFirst() }
        while let line = lines.next() {
            switch line {
            case .text(let number, let body):
                report.expect(number)
                return PostedLine(number: number, body: body)
            case .tooLong(let number):
                report.expect(number)
                let limit = HumanText.bytes(UInt64(LineCutter.lineBytesMax))
                report.add(number, .refused(status: 0, detail: "it is over \(limit)"))
            }
        }
        return nil
    }

    /// The connection with the fewest posts; nil where all are full, or none can be made.
    private mutating func place(for bytes: Int) -> PostConnection? {
        let now = Clocks.monotonicNanoseconds()
        connections.removeAll { $0.depth == 0 && now - $0.lastUse > Self.idleNanoseconds }
        if connections.count < options.connectionCount {
            do throws(CommandFailure) {
                connections.append(PostConnection(try client.connect()))
            } catch {
                stop = .notReachable(error.description)
                return nil
            }
        }
        let free = connections.filter { $0.hasRoom(for: bytes) }
        return free.min { $0.depth < $1.depth }
    }

    private func head(of line: PostedLine) -> [UInt8] {
        var head = "POST \(client.address.prefix)\(options.path) HTTP/1.1\r\n"
        head += "Host: \(client.address.authority)\r\nContent-Type: application/json\r\n"
        for (name, value) in options.headers { head += "\(name): \(value)\r\n" }
        if let keyPrefix = options.keyPrefix { head += "Idempotency-Key: \(keyPrefix)/\(line.number)\r\n" }
        return Array((head + "Content-Length: \(line.body.count)\r\n\r\n").utf8)
    }

    /// Waits for input, answers, room to send, or Ctrl-C, and takes what has come.
    private mutating func wait(inFlight: Int) throws(CommandFailure) {
        let wantsInput = stop == nil && pending.isEmpty && !lines.inputHasEnded
        var items = [pollfd(fd: interruption.descriptor, events: Int16(POLLIN), revents: 0)]
        items.append(pollfd(fd: wantsInput ? input : -1, events: Int16(POLLIN), revents: 0))
        for connection in connections {
            items.append(pollfd(fd: connection.descriptor, events: connection.interest, revents: 0))
        }
        let limit = inFlight > 0 ? CInt(1_000) : -1
        while poll(&items, nfds_t(items.count), limit) < 0, errno == EINTR {}
        if items[1].revents != 0, wantsInput { try lines.fill(from: input) }
        for (connection, item) in zip(connections, items.dropFirst(2)) where item.revents != 0 {
            for event in connection.turn() { take(event, from: connection) }
        }
        let silence = Clocks.monotonicNanoseconds() - lastAnswer
        if inFlight > 0, silence > Self.answerMilliseconds * 1_000_000 { giveUpAll() }
        let (counts, whole) = (report.counts, options.inputBytes)
        let share = whole == 0 ? "" : ", \(min(100, lines.bytesRead * 100 / whole)) % of the input read"
        progress.show(counts.text + share)
    }

    private mutating func take(_ event: PostConnection.Event, from connection: PostConnection) {
        switch event {
        case .answered(let line, let response):
            lastAnswer = Clocks.monotonicNanoseconds()
            answer(line, response)
        case .closing(let unsent):
            connections.removeAll { $0 === connection }
            pending = (pending + unsent).sorted { $0.number < $1.number }
        case .broken(let unknown, let reason):
            connections.removeAll { $0 === connection }
            for line in unknown { add(line, .unknown) }
            if stop == nil { stop = .notReachable("the connection broke: \(reason)") }
        }
    }

    private mutating func giveUpAll() {
        for connection in connections { for line in connection.giveUp() { add(line, .unknown) } }
        connections = []
        let seconds = Self.answerMilliseconds / 1_000
        if stop == nil { stop = .notReachable("\(client.address.authority) said nothing for \(seconds) s") }
    }

    private mutating func leavePending() {
        for line in pending { add(line, .unsent) }
        pending = []
    }

    private mutating func add(_ line: PostedLine, _ outcome: PostOutcome) {
        if case .refused = outcome { progress.end() }
        report.add(line.number, outcome)
    }

    private mutating func answer(_ line: PostedLine, _ response: HTTPResponse) {
        let detail = response.detailText
        switch response.status {
        case 200...299:
            let id = PutCommand.taskID(in: response) ?? ""
            let isReplay = response.header("idempotency-replayed") == "true"
            return add(line, isReplay ? .replayed(id: id) : .accepted(id: id))
        case 503 where response.header("taskq-outcome") == "unknown": add(line, .unknown)
        case _: add(line, .refused(status: response.status, detail: detail))
        }
        guard stop == nil else { return }
        switch response.status {
        // These are about the one line.
        case 400, 409, 413, 422: break
        case 404: stop = .notFound("HTTP 404: \(detail)")
        case 500...599: stop = .notReachable("HTTP \(response.status): \(detail)")
        case _: stop = .failed("HTTP \(response.status): \(detail)")
        }
    }

    private func finish() throws(CommandFailure) {
        let counts = report.counts
        guard let stop else {
            guard counts.isWhole else { throw .failed("\(counts.text): the lines are named above") }
            if !options.isJSON { FileText.write("\(counts.text)\n", to: STDERR_FILENO) }
            return
        }
        let rest =
            options.keyPrefix == nil
            ? "every line up to \(report.answeredUpTo) has its answer"
            : "the same command goes on: what was accepted is known by its key"
        switch stop {
        case .interrupted: throw .interrupted("interrupted: \(counts.text); \(rest)")
        case .notFound(let why): throw .notFound("\(why); \(counts.text); \(rest)")
        case .notReachable(let why): throw .notReachable("\(why); \(counts.text); \(rest)")
        case .failed(let why): throw .failed("\(why); \(counts.text); \(rest)")
        }
    }
}
