import Glibc
import TaskProcessor
import TestSupport
import Testing

@Suite struct TaskProcessorTests {
    /// Feeds lines to the loop over real pipes, and gives back its exit status and what it answered.
    private func serve(
        _ input: String, _ handle: (ReceivedTask) throws -> TaskAnswer
    ) throws -> (status: CInt, answers: [String]) {
        try TemporaryDirectory.with { directory in
            try directory.write(input, to: "in")
            try directory.write("", to: "out")
            let source = open(directory.path("in"), O_RDONLY)
            let sink = open(directory.path("out"), O_WRONLY)
            defer {
                close(source)
                close(sink)
            }
            let status = TaskProcessor.serve(input: source, answers: sink, handle)
            return (status, try TextFile.lines(of: directory.path("out")).filter { !$0.isEmpty })
        }
    }

    private let ready = "{\"ready\":true,\"protocol\":1}"

    private func line(_ id: String, _ payload: String) -> String {
        "{\"id\":\"\(id)\",\"queue\":\"q\",\"group\":\"g\",\"attempt\":2,\"max_attempts\":5,\"deadline\":99,"
            + "\"traceparent\":\"00-a\",\"payload\":\(payload)}\n"
    }

    @Test func aTaskArrivesWholeAndItsAnswerLeaves() throws {
        var seen: [ReceivedTask] = []
        let (status, answers) = try serve(line("a", "{\"n\":[1,true,null,\"x\"]}")) { task in
            seen.append(task)
            return .ack(result: "say \"hi\"")
        }
        #expect(status == 0)
        #expect(answers == [ready, "{\"id\":\"a\",\"ack\":true,\"result\":\"say \\\"hi\\\"\"}"])
        let task = try #require(seen.first)
        #expect((task.id, task.queue, task.group) == ("a", "q", "g"))
        #expect((task.attempt, task.maxAttempts, task.deadline) == (2, 5, 99))
        #expect(task.traceparent == "00-a")
        let elements = try #require(task.payload["n"]?.elements)
        #expect(
            elements[0].integer == 1 && elements[1].bool == true && elements[2].isNull
                && elements[3].string == "x")
        #expect(String(decoding: task.payload.bytes, as: UTF8.self) == "{\"n\":[1,true,null,\"x\"]}")
    }

    @Test(arguments: [
        (TaskAnswer.ack, "{\"id\":\"a\",\"ack\":true}"),
        (.done(resultJSON: "{\n\"k\": 1}"), "{\"id\":\"a\",\"ack\":true,\"result\":{ \"k\": 1}}"),
        (.nack("no\nway", retryAfterSeconds: nil), "{\"id\":\"a\",\"nack\":\"no\\nway\"}"),
        (.nack("later", retryAfterSeconds: 5), "{\"id\":\"a\",\"nack\":\"later\",\"retry_after\":5}"),
        (.dead("never"), "{\"id\":\"a\",\"dead\":\"never\"}"),
    ])
    func everyAnswerIsOneLine(answer: TaskAnswer, expected: String) throws {
        let (_, answers) = try serve(line("a", "1")) { _ in answer }
        #expect(answers == [ready, expected])
    }

    @Test func whatIsThrownIsANack() throws {
        struct Trouble: Error {}
        let (_, answers) = try serve(line("a", "1")) { _ in throw Trouble() }
        #expect(answers == [ready, "{\"id\":\"a\",\"nack\":\"Trouble()\"}"])
    }

    @Test func extensionsAndProgressGoBeforeTheAnswer() throws {
        let (_, answers) = try serve(line("a", "1")) { task in
            task.extend(bySeconds: 60)
            task.report(progress: 0.5)
            return .ack
        }
        let expected = [
            "{\"id\":\"a\",\"extend\":60}", "{\"id\":\"a\",\"progress\":0.5}", "{\"id\":\"a\",\"ack\":true}",
        ]
        #expect(answers == [ready] + expected)
    }

    @Test func manyTasksAndALineLargerThanABufferAreAllServed() throws {
        let long = "\"" + String(repeating: "x", count: 300_000) + "\""
        let input = (1...500).map { line("\($0)", $0 == 250 ? long : "\($0)") }.joined()
        var bytes = 0
        let (_, answers) = try serve(input) { task in
            bytes += task.payload.bytes.count
            return .ack
        }
        #expect(answers.count == 501)
        #expect(bytes == 300_002 + (1...500).reduce(0) { $0 + ($1 == 250 ? 0 : "\($1)".utf8.count) })
    }

    @Test func whatIsNoTaskIsPassedOverAndHalfALineDropped() throws {
        let (status, answers) = try serve("garbage\n{}\n" + line("a", "1") + "{\"id\":\"b\",\"payl") { _ in
            .ack
        }
        #expect(status == 0)
        #expect(answers == [ready, "{\"id\":\"a\",\"ack\":true}"])
    }

    @Test func aWorkerThatIsGoneEndsTheLoop() throws {
        let status = TaskProcessor.serve(input: 0, answers: -1) { _ in .ack }
        #expect(status == 1)
    }
}
