import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

@Suite struct ProcessorAnswerTests {
    @Test(arguments: [
        (#"{"ready":true,"protocol":1}"#, ProcessorAnswer.ready(protocolVersion: 1)),
        (#"{"ready":true}"#, .ready(protocolVersion: 1)),
        (#"{"id":"a","ack":true}"#, .ack(id: "a", result: nil)),
        (#"{"id":"a","ack":true,"result":null}"#, .ack(id: "a", result: nil)),
        (#"{"id":"a","nack":"r"}"#, .nack(id: "a", reason: "r", retryAfterMilliseconds: nil)),
        (
            #"{"id":"a","nack":"r","retry_after":0.25}"#,
            .nack(id: "a", reason: "r", retryAfterMilliseconds: 250)
        ),
        (#"{"id":"a","nack":"r","retry_after":-1}"#, .nack(id: "a", reason: "r", retryAfterMilliseconds: 0)),
        (
            #"{"id":"a","nack":"r","retry_after":1e300}"#,
            .nack(id: "a", reason: "r", retryAfterMilliseconds: 3_600_000)
        ),
        (#"{"id":"a","nack":{"why":1}}"#, .nack(id: "a", reason: #"{"why":1}"#, retryAfterMilliseconds: nil)),
        (#"{"id":"a","dead":"r"}"#, .dead(id: "a", reason: "r")),
        (#"{"extend":60}"#, .extend(id: nil, seconds: 60)),
        (#"{"id":"a","progress":0.4,"more":[]}"#, .progress(id: "a", share: 0.4)),
    ])
    func aLineIsRead(line: String, answer: ProcessorAnswer) {
        #expect(ProcessorAnswer(line: Array(line.utf8)[...]) == answer)
    }

    @Test func aResultIsKeptAsItWasWritten() {
        let line = Array(#"{"result": {"a" : 1.50}, "id":"x", "ack":true}"#.utf8)[...]
        #expect(ProcessorAnswer(line: line) == .ack(id: "x", result: Array(#"{"a" : 1.50}"#.utf8)[...]))
        let alone = Array(#"{"result":[1]}"#.utf8)[...]
        #expect(ProcessorAnswer(line: alone) == .result(Array("[1]".utf8)[...]))
    }

    @Test func aResultAsDeepAsAPayloadMayBeIsAnAnswer() {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        let line = Array("{\"id\":\"a\",\"ack\":true,\"result\":\(deep)}".utf8)
        #expect(ProcessorAnswer(line: line[...]) == .ack(id: "a", result: Array(deep.utf8)[...]))
    }

    @Test(arguments: [
        "", "x", "{", "[]", "1", "null", "{}", #"{"id":"a"}"#, #"{"ack":1}"#,
        #"{"id":"a","ack":true,"dead":"x"}"#,
        #"{"ready":false}"#, #"{"id":"a","extend":"x"}"#, "\u{0}",
        #"{"id":"a","ack":true} {"id":"b","ack":true}"#,
    ])
    func anythingElseIsBad(line: String) {
        guard case .bad(let words) = ProcessorAnswer(line: Array(line.utf8)[...]) else {
            Issue.record("taken for an answer: \(line)")
            return
        }
        #expect(words.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    }

    @Test func noBytesTrapAndWhatIsShownIsShortAndPrintable() {
        var generator = SeededGenerator(seed: 7)
        for round in 0..<20_000 {
            var bytes = Array(#"{"id":"a","nack":"r","retry_after":5,"result":[1,2]}"#.utf8)
            if round % 2 == 0 {
                for _ in 0..<3 {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                        in: 0...255, using: &generator)
                }
            } else {
                bytes = generator.bytes(count: Int.random(in: 0...600, using: &generator))
            }
            guard case .bad(let words) = ProcessorAnswer(line: bytes[...]) else { continue }
            #expect(words.utf8.count < 1_400)
        }
    }
}
