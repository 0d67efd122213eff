import Glibc
import Synchronization
import TaskProcessor
import TestSupport
import Testing

@Suite struct ConcurrentServingTests {
    private static let ack = "{\"id\":\"a\",\"ack\":true}"

    @Test func tasksComeOneAfterTheOther() async throws {
        let running = Atomic(0)
        let input = (1...50).map { ServeFixture.line("\($0)", "\($0)") }.joined()
        let outcome = try await ServeFixture.serveConcurrently(input) { task in
            let others = running.add(1, ordering: .relaxed).oldValue
            await Task.yield()
            running.subtract(1, ordering: .relaxed)
            return others == 0 ? .ack(result: task.payload.text) : .dead("two at once")
        }
        #expect(outcome.status == 0)
        let expected = (1...50).map { "{\"id\":\"\($0)\",\"ack\":true,\"result\":\"\($0)\"}" }
        #expect(outcome.answers == [ServeFixture.ready] + expected)
    }

    @Test func inOneshotModeTheAnswerIsTheExitStatus() async throws {
        let outcome = try await ServeFixture.serveConcurrently("1\n", ServeFixture.oneshot) { _ in
            .nack("later")
        }
        #expect(outcome.status == 75)
        #expect(outcome.answers == [])
    }

    @Test func whatIsThrownIsANackAndAnotherTypeIsDead() async throws {
        struct Trouble: Error {}
        let input = ServeFixture.line("a", "1") + ServeFixture.line("b", "{}")
        let outcome = try await ServeFixture.serveConcurrently(input) { task in
            if task.id == "a" { throw Trouble() }
            return .ack(result: try task.decode(String.self))
        }
        let dead = "{\"id\":\"b\",\"dead\":\"payload: expected a text, found an object\"}"
        #expect(outcome.answers == [ServeFixture.ready, "{\"id\":\"a\",\"nack\":\"Trouble()\"}", dead])
    }

    /// Stdin stays open in these, as it does when a worker ends an attempt.
    private static func interrupted(
        _ lines: String, tellingAtOnce: Bool = false,
        _ handle: @escaping @Sendable (ReceivedTask, Termination) async throws -> TaskAnswer
    ) async throws -> (status: CInt, answers: [String]) {
        try await TemporaryDirectory.with { directory in
            var ends: [CInt] = [-1, -1]
            try #require(pipe(&ends) == 0)
            let sink = open(try directory.write("", to: "out"), O_WRONLY)
            let (source, feed) = (ends[0], ends[1])
            defer { for descriptor in [source, feed, sink] { close(descriptor) } }
            let termination = try #require(Termination())
            if tellingAtOnce { termination.tell() }
            #expect(write(feed, lines, lines.utf8.count) == lines.utf8.count)
            let invocation = Invocation(input: source, answers: sink) { _ in nil }
            let status = await TaskProcessor.serve(invocation, termination) { task in
                try await handle(task, termination)
            }
            return (status, try TextFile.lines(of: directory.path("out")).filter { !$0.isEmpty })
        }
    }

    @Test func withoutATaskInHandTheSignalEndsItAtOnce() async throws {
        let (status, answers) = try await Self.interrupted("", tellingAtOnce: true) { _, _ in .ack }
        #expect(status == 0)
        #expect(answers == [ServeFixture.ready])
    }

    @Test func theSignalCancelsTheTaskInHandAndItsAnswerIsStillGiven() async throws {
        let (status, answers) = try await Self.interrupted(ServeFixture.line("a", "1")) { _, termination in
            let (cancelled, told) = AsyncStream.makeStream(of: Void.self)
            await withTaskCancellationHandler {
                termination.tell()
                for await _ in cancelled {}
            } onCancel: {
                told.finish()
            }
            return Task.isCancelled ? .nack("put in order") : .dead("not cancelled")
        }
        #expect(status == 0)
        #expect(answers == [ServeFixture.ready, "{\"id\":\"a\",\"nack\":\"put in order\"}"])
    }

    @Test func afterTheSignalNoFurtherTaskIsBegun() async throws {
        let both = ServeFixture.line("a", "1") + ServeFixture.line("b", "1")
        let (_, answers) = try await Self.interrupted(both) { _, termination in
            termination.tell()
            while !Task.isCancelled { await Task.yield() }
            return .ack
        }
        #expect(answers == [ServeFixture.ready, Self.ack])
    }
}
