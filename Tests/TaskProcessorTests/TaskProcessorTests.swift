import Glibc
import TaskProcessor
import TestSupport
import Testing

@Suite struct TaskProcessorTests {
    private let ready = ServeFixture.ready

    private func line(_ id: String, _ payload: String) -> String { ServeFixture.line(id, payload) }

    private func serve(
        _ input: String, _ handle: (ReceivedTask) throws -> TaskAnswer
    ) throws -> ServeFixture.Outcome {
        try ServeFixture.serve(input, [:], handle)
    }

    @Test func aTaskArrivesWholeAndItsAnswerLeaves() throws {
        var seen: [ReceivedTask] = []
        let outcome = try serve(line("a", "{\"n\":[1,true,null,\"x\"]}")) { task in
            seen.append(task)
            return .ack(result: "say \"hi\"")
        }
        #expect(outcome.status == 0)
        #expect(outcome.answers == [ready, "{\"id\":\"a\",\"ack\":true,\"result\":\"say \\\"hi\\\"\"}"])
        let task = try #require(seen.first)
        #expect((task.id, task.queue, task.group, task.sequence) == ("a", "q", "g", 7))
        #expect((task.attempt, task.maxAttempts, task.deadlineUnixMilliseconds) == (2, 5, 99))
        #expect(task.traceparent == "00-a")
        #expect(task.timeLeft == .zero)
        let elements = try #require(task.payload["n"]?.elements)
        #expect(
            elements[0].integer == 1 && elements[1].bool == true && elements[2].isNull
                && elements[3].string == "x")
        #expect(task.payload.text == "{\"n\":[1,true,null,\"x\"]}")
        #expect(task.payload.keys == ["n"])
    }

    @Test(arguments: [
        (TaskAnswer.ack, "{\"id\":\"a\",\"ack\":true}"),
        (.done(resultJSON: "{\n\"k\": 1}"), "{\"id\":\"a\",\"ack\":true,\"result\":{ \"k\": 1}}"),
        (.nack("no\nway"), "{\"id\":\"a\",\"nack\":\"no\\nway\"}"),
        (.nack("later", retryAfter: .seconds(5)), "{\"id\":\"a\",\"nack\":\"later\",\"retry_after\":5}"),
        (.nack("x", retryAfter: .milliseconds(250)), "{\"id\":\"a\",\"nack\":\"x\",\"retry_after\":0.25}"),
        (.nack("x", retryAfter: .seconds(-1)), "{\"id\":\"a\",\"nack\":\"x\",\"retry_after\":0}"),
        (.dead("never"), "{\"id\":\"a\",\"dead\":\"never\"}"),
    ])
    func everyAnswerIsOneLine(answer: TaskAnswer, expected: String) throws {
        #expect(try serve(line("a", "1")) { _ in answer }.answers == [ready, expected])
    }

    /// Sent as they are, each would be a bad answer, and the task would be done again.
    @Test(arguments: [
        "{\"k\":", "NaN", "", String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
        "\"" + String(repeating: "x", count: 70_000) + "\"",
    ])
    func aResultThatCannotBeSentIsDroppedAndTheTaskIsDone(result: String) throws {
        let outcome = try serve(line("a", "1")) { _ in .done(resultJSON: result) }
        #expect(outcome.answers == [ready, "{\"id\":\"a\",\"ack\":true}"])
    }

    @Test func aReasonIsCutToWhatIsKept() throws {
        let answers = try serve(line("a", "1")) { _ in .dead(String(repeating: "é", count: 60_000)) }.answers
        let kept = String(repeating: "é", count: 512)
        #expect(answers == [ready, "{\"id\":\"a\",\"dead\":\"\(kept)\"}"])
    }

    @Test func whatIsThrownIsANack() throws {
        struct Trouble: Error {}
        let outcome = try serve(line("a", "1")) { _ in throw Trouble() }
        #expect(outcome.answers == [ready, "{\"id\":\"a\",\"nack\":\"Trouble()\"}"])
    }

    @Test func aPayloadOfAnotherTypeIsDead() throws {
        struct Mail: Decodable { let to: String }
        let outcome = try serve(line("a", "{\"to\":7}")) { task in
            let mail = try task.decode(Mail.self)
            return .ack(result: mail.to)
        }
        let dead = "{\"id\":\"a\",\"dead\":\"payload to: expected a text, found the number 7\"}"
        #expect(outcome.answers == [ready, dead])
    }

    @Test func extensionsAndProgressGoBeforeTheAnswer() throws {
        let outcome = try serve(line("a", "1")) { task in
            task.extend(by: .seconds(60))
            task.extend(by: .milliseconds(1_500))
            task.report(progress: 0.5)
            task.report(progress: 7)
            task.report(progress: .nan)
            return .ack
        }
        let expected = [
            "{\"id\":\"a\",\"extend\":60}", "{\"id\":\"a\",\"extend\":1.5}",
            "{\"id\":\"a\",\"progress\":0.5}", "{\"id\":\"a\",\"progress\":1.0}",
            "{\"id\":\"a\",\"progress\":0.0}", "{\"id\":\"a\",\"ack\":true}",
        ]
        #expect(outcome.answers == [ready] + expected)
    }

    @Test func manyTasksAndALineLargerThanABufferAreAllServed() throws {
        let long = "\"" + String(repeating: "x", count: 300_000) + "\""
        let input = (1...500).map { line("\($0)", $0 == 250 ? long : "\($0)") }.joined()
        var bytes = 0
        let outcome = try serve(input) { task in
            bytes += task.payload.bytes.count
            return .ack
        }
        #expect(outcome.answers.count == 501)
        #expect(bytes == 300_002 + (1...500).reduce(0) { $0 + ($1 == 250 ? 0 : "\($1)".utf8.count) })
    }

    /// The line around a payload is one level more than what may be posted.
    @Test func aPayloadAsDeepAsMayBePostedIsServed() throws {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        let outcome = try serve(line("a", deep)) { task in .done(resultJSON: task.payload.text) }
        #expect(outcome.answers == [ready, "{\"id\":\"a\",\"ack\":true,\"result\":\(deep)}"])
    }

    @Test func whatIsNoTaskIsPassedOverAndHalfALineDropped() throws {
        let input = "garbage\n{}\n" + line("a", "1") + "{\"id\":\"b\",\"payl"
        let outcome = try serve(input) { _ in .ack }
        #expect(outcome.status == 0)
        #expect(outcome.answers == [ready, "{\"id\":\"a\",\"ack\":true}"])
    }

    @Test func aWorkerThatIsGoneEndsTheLoop() {
        #expect(TaskProcessor.serve(Invocation(input: 0, answers: -1)) { _ in .ack } == 1)
    }
}

/// The same functions, run as `mode = "oneshot"` runs them.
@Suite struct OneshotServingTests {
    @Test func theTaskStandsInTheEnvironmentAndTheResultGoesToDescriptorThree() throws {
        var seen: [ReceivedTask] = []
        let outcome = try ServeFixture.serve("{\"n\":1}\n", ServeFixture.oneshot) { task in
            seen.append(task)
            task.report(progress: 0.5)
            return .ack(result: "fine")
        }
        #expect(outcome.status == 0)
        #expect(outcome.answers == ["{\"progress\":0.5}", "{\"result\":\"fine\"}"])
        let task = try #require(seen.first)
        #expect((task.id, task.queue, task.group, task.sequence) == ("a", "q", "g", 7))
        #expect((task.attempt, task.maxAttempts, task.deadlineUnixMilliseconds) == (2, 5, 99))
        #expect(task.traceparent == "00-a")
        #expect(task.payload["n"]?.integer == 1)
    }

    @Test(arguments: [
        (TaskAnswer.ack, CInt(0)), (.nack("later"), 75), (.nack("x", retryAfter: .seconds(1)), 75),
        (.dead("no"), 65),
    ])
    func theAnswerIsTheExitStatus(answer: TaskAnswer, status: CInt) throws {
        let outcome = try ServeFixture.serve("1\n", ServeFixture.oneshot) { _ in answer }
        #expect(outcome.status == status)
        #expect(outcome.answers == [])
    }

    @Test(arguments: ["{\"n\":", "", "not json"])
    func halfAPayloadIsNotDone(input: String) throws {
        var calls = 0
        let outcome = try ServeFixture.serve(input, ServeFixture.oneshot) { _ in
            calls += 1
            return .ack
        }
        #expect(outcome.status == 65)
        #expect(calls == 0)
    }
}
