import Glibc
import TaskProcessor
import TestSupport

/// The loop of a processor over real descriptors.
enum ServeFixture {
    static let ready = "{\"ready\":true,\"protocol\":1}"

    struct Outcome {
        var status: CInt
        /// Lines on the descriptor of answers.
        var answers: [String]
    }

    /// The environment of a oneshot processor; a stream processor has none of these.
    static let oneshot = [
        "TASKQ_TASK_ID": "a", "TASKQ_QUEUE": "q", "TASKQ_GROUP": "g", "TASKQ_SEQUENCE": "7",
        "TASKQ_ATTEMPT": "2", "TASKQ_MAX_ATTEMPTS": "5", "TASKQ_DEADLINE": "99", "TRACEPARENT": "00-a",
    ]

    static func line(_ id: String, _ payload: String) -> String {
        "{\"id\":\"\(id)\",\"queue\":\"q\",\"group\":\"g\",\"sequence\":7,\"attempt\":2,\"max_attempts\":5,"
            + "\"deadline\":99,\"traceparent\":\"00-a\",\"payload\":\(payload)}\n"
    }

    /// Feeds a text from a file, so that its end comes with it.
    static func serve(
        _ input: String, _ environment: [String: String] = [:],
        _ handle: (ReceivedTask) throws -> TaskAnswer
    ) throws -> Outcome {
        try TemporaryDirectory.with { directory in
            let (source, sink) = try open(input, in: directory)
            defer { close(source, sink) }
            let invocation = Invocation(input: source, answers: sink) { environment[$0] }
            let status = TaskProcessor.serve(invocation, handle)
            return Outcome(status: status, answers: try answers(in: directory))
        }
    }

    /// As `serve`, through the asynchronous loop.
    static func serveConcurrently(
        _ input: String, _ environment: [String: String] = [:],
        _ handle: @escaping @Sendable (ReceivedTask) async throws -> TaskAnswer
    ) async throws -> Outcome {
        try await TemporaryDirectory.with { directory in
            let (source, sink) = try open(input, in: directory)
            defer { close(source, sink) }
            guard let termination = Termination() else {
                throw TestSupportError.systemCall(name: "pipe", errno: errno)
            }
            let invocation = Invocation(input: source, answers: sink) { environment[$0] }
            let status = await TaskProcessor.serve(invocation, termination, handle)
            return Outcome(status: status, answers: try answers(in: directory))
        }
    }

    private static func open(
        _ input: String, in directory: TemporaryDirectory
    ) throws -> (source: CInt, sink: CInt) {
        let source = Glibc.open(try directory.write(input, to: "in"), O_RDONLY)
        let sink = Glibc.open(try directory.write("", to: "out"), O_WRONLY)
        return (source, sink)
    }

    private static func close(_ descriptors: CInt...) {
        for descriptor in descriptors { Glibc.close(descriptor) }
    }

    private static func answers(in directory: TemporaryDirectory) throws -> [String] {
        try TextFile.lines(of: directory.path("out")).filter { !$0.isEmpty }
    }
}
