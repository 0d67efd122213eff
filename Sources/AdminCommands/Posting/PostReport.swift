import Glibc
private import ServiceLog
private import TaskValidation

/// Says what became of each line, in the order of the lines, however the answers come.
struct PostReport {
    private static let outputBytesMax = 64 << 10

    private let isJSON: Bool
    /// Answered out of order, waiting for lines before them.
    private var held: [Int: PostOutcome] = [:]
    /// Lines that were taken in hand, in their order.
    private var expected: [Int] = []
    private var nextExpected = 0
    private var output: [UInt8] = []
    private(set) var counts = PostCounts()
    /// The last line before which every line has been answered.
    private(set) var answeredUpTo = 0

    init(isJSON: Bool) {
        self.isJSON = isJSON
    }

    /// Lines taken in hand and not yet told.
    var openCount: Int { expected.count - nextExpected }

    mutating func expect(_ number: Int) { expected.append(number) }

    mutating func add(_ number: Int, _ outcome: PostOutcome) {
        counts.add(outcome)
        held[number] = outcome
        while nextExpected < expected.count, let next = held.removeValue(forKey: expected[nextExpected]) {
            tell(expected[nextExpected], next)
            nextExpected += 1
        }
        if nextExpected > 1_024 {
            expected.removeFirst(nextExpected)
            nextExpected = 0
        }
        if output.count > Self.outputBytesMax { flush() }
    }

    private mutating func tell(_ number: Int, _ outcome: PostOutcome) {
        if outcome == .unsent { return }
        if outcome != .unknown { answeredUpTo = number }
        if isJSON { return output += Array((Self.json(number, outcome) + "\n").utf8) }
        switch outcome {
        case .accepted(let id), .replayed(let id): output += Array("\(id)\n".utf8)
        case .refused(let status, let detail):
            let cause = status == 0 ? detail : "HTTP \(status): \(detail)"
            complain("line \(number) was refused: \(cause)")
        case .unknown: complain("line \(number) was sent, and no answer came")
        case .unsent: break
        }
    }

    private mutating func complain(_ text: String) {
        flush()
        FileText.write("taskq: \(TerminalText.escaped(text))\n", to: STDERR_FILENO)
    }

    private static func json(_ number: Int, _ outcome: PostOutcome) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("line", number)
        switch outcome {
        case .accepted(let id):
            writer.member("outcome", "accepted")
            writer.member("task_id", id)
        case .replayed(let id):
            writer.member("outcome", "replayed")
            writer.member("task_id", id)
        case .refused(let status, let detail):
            writer.member("outcome", "refused")
            writer.member("status", status)
            writer.member("detail", detail)
        case .unknown: writer.member("outcome", "unknown")
        case .unsent: break
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    mutating func flush() {
        guard !output.isEmpty else { return }
        FileText.write(output, to: STDOUT_FILENO)
        output.removeAll(keepingCapacity: true)
    }

    /// - Parameter isComplete: every line of the input was taken in hand.
    mutating func finish(isComplete: Bool) {
        if !isComplete { counts.leaveRest() }
        if isJSON { output += Array((counts.json + "\n").utf8) }
        flush()
    }
}
