private import Glibc

/// Runs a stream processor: says that it is ready, then hands one task after another to a function and its
/// answer back.
///
/// ```swift
/// import TaskProcessor
///
/// @main enum Greeter {
///     static func main() {
///         TaskProcessor.run { task in
///             guard let name = task.payload["name"]?.string else { return .dead("no name") }
///             TaskProcessor.log(.info, "greeting \(name)")
///             return .ack
///         }
///     }
/// }
/// ```
///
/// The only module with a public face: processors live in packages of their own.
public enum TaskProcessor {
    /// syslog's levels, as far as a processor may use them.
    public enum Level: UInt8, Sendable {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
        case debug = 7
    }

    /// Serves until stdin ends, then exits with 0.
    ///
    /// What the function throws is a nack with the error's description.
    public static func run(_ handle: (ReceivedTask) throws -> TaskAnswer) -> Never {
        let answers = getenv("TASKQ_FD").flatMap { CInt(String(cString: $0)) } ?? 3
        // A worker that went away shows as EPIPE.
        signal(SIGPIPE, SIG_IGN)
        exit(serve(input: 0, answers: answers, handle))
    }

    /// Writes one line with its level to stderr, at once.
    public static func log(_ level: Level, _ text: String) {
        let line = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
        _ = Descriptor(2).write(Array("<\(level.rawValue)>\(line)\n".utf8))
    }

    /// The loop over plain descriptors; returns the exit status.
    package static func serve(
        input: CInt, answers: CInt, _ handle: (ReceivedTask) throws -> TaskAnswer
    ) -> CInt {
        let channel = Descriptor(answers)
        guard channel.write(Array("{\"ready\":true,\"protocol\":1}\n".utf8)) else { return 1 }
        var lines = LineReader(Descriptor(input))
        while let line = lines.next() {
            guard let task = ReceivedTask(line: line, answers: channel) else {
                log(.error, "a line on stdin is no task")
                continue
            }
            let answer: TaskAnswer
            do {
                answer = try handle(task)
            } catch {
                answer = .nack("\(error)", retryAfterSeconds: nil)
            }
            guard channel.write(answer.line(id: task.id)) else { return 1 }
        }
        return 0
    }
}
