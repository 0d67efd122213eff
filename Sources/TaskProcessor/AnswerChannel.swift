internal import TaskValidation

/// Where a processor's words go: descriptor 3, and in a oneshot processor the exit status.
///
/// Each line is one `write` of far less than a pipe takes as a whole, so lines of several threads do not mix;
/// answers, which may be longer, come from one thread alone.
struct AnswerChannel: Sendable {
    /// How the worker runs this process.
    enum Mode: Sendable {
        case oneshot
        case stream
    }

    /// The longest line that is read, less what is around a result.
    private static let resultBytesMax = (64 << 10) - 128

    let mode: Mode
    private let descriptor: Descriptor

    init(mode: Mode, descriptor: CInt) {
        self.mode = mode
        self.descriptor = Descriptor(descriptor)
    }

    /// False where nobody reads any more.
    func announce() -> Bool {
        guard mode == .stream else { return true }
        return descriptor.write(Array("{\"ready\":true,\"protocol\":1}\n".utf8))
    }

    func extend(by duration: Duration, id: String) {
        send(id) { Self.write(seconds: duration, as: "extend", to: &$0) }
    }

    func report(progress share: Double, id: String) {
        send(id) { writer in
            writer.key("progress")
            writer.double(share.isNaN ? 0 : min(max(share, 0), 1))
        }
    }

    /// Gives the answer; the exit status that the process ends with, or nil where it serves on.
    func give(_ answer: TaskAnswer, id: String) -> CInt? {
        switch mode {
        case .stream: stream(answer, id) ? nil : ProcessorExit.workerGone
        case .oneshot: oneshot(answer, id)
        }
    }

    private func stream(_ answer: TaskAnswer, _ id: String) -> Bool {
        send(id) { writer in
            switch answer {
            case .done(let resultJSON):
                writer.member("ack", true)
                guard let result = sendable(resultJSON) else { break }
                writer.key("result")
                writer.raw(result)
            case .nack(let reason, let delay):
                writer.member("nack", TaskAnswer.cut(reason))
                if let delay { Self.write(seconds: delay, as: "retry_after", to: &writer) }
            case .dead(let reason):
                writer.member("dead", TaskAnswer.cut(reason))
            }
        }
    }

    private func oneshot(_ answer: TaskAnswer, _ id: String) -> CInt {
        switch answer {
        case .done(let resultJSON):
            guard let result = sendable(resultJSON) else { return ProcessorExit.done }
            send(id) { writer in
                writer.key("result")
                writer.raw(result)
            }
            return ProcessorExit.done
        case .nack(let reason, _):
            TaskProcessor.log(.warning, reason)
            return ProcessorExit.later
        case .dead(let reason):
            TaskProcessor.log(.error, reason)
            return ProcessorExit.never
        }
    }

    private func sendable(_ resultJSON: String?) -> [UInt8]? {
        guard let resultJSON else { return nil }
        let (bytes, complaint) = TaskAnswer.checked(resultJSON, bytesMax: Self.resultBytesMax)
        if let complaint { TaskProcessor.log(.error, complaint) }
        return bytes
    }

    /// Less than nothing is nothing.
    private static func write(seconds duration: Duration, as key: String, to writer: inout JSONWriter) {
        let length = max(.zero, duration)
        writer.key(key)
        if length.components.attoseconds == 0 {
            writer.integer(length.components.seconds)
        } else {
            writer.double(length / .seconds(1))
        }
    }

    /// One line; the id goes first where the worker must be told which task is meant.
    @discardableResult
    private func send(_ id: String, _ fill: (inout JSONWriter) -> Void) -> Bool {
        var writer = JSONWriter(reservingCapacity: 128)
        writer.beginObject()
        if mode == .stream { writer.member("id", id) }
        fill(&writer)
        writer.endObject()
        return descriptor.write(writer.bytes + [UInt8(ascii: "\n")])
    }
}

/// The exit statuses that mean something to a worker.
enum ProcessorExit {
    static let done: CInt = 0
    /// The worker went away: nobody hears an answer.
    static let workerGone: CInt = 1
    /// EX_DATAERR: never again.
    static let never: CInt = 65
    /// EX_TEMPFAIL: again after the back-off.
    static let later: CInt = 75
}
