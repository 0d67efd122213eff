import TaskModel
import TestSupport
import Testing
import WireProtocol

@testable import IngestDaemon

/// What clients are told when the broker is not what it should be.
@Suite struct BrokerLossTests {
    @Test func aPostIsRefusedAtOnceWhileTheBrokerIsAway() throws {
        try IngestFixture.with(connected: false) { ingest in
            let start = MonotonicDeadline.now()
            let response = try ingest.client().post("/tasks", IngestFixture.task)
            #expect(MonotonicDeadline.now() - start < 1_000_000_000)
            #expect(response.status == 503)
            #expect(response[header: "Taskq-Outcome"] == "refused")
            #expect(response[header: "Retry-After"] == "1")
            #expect(response.text == #"{"detail":"Failed to enqueue task"}"#)
            #expect(try ingest.client().request("GET", "/readyz").status == 503)
            #expect(try ingest.client().request("GET", "/healthz").status == 200)
            #expect(try ingest.client().request("GET", "/tasks/\(TaskID(high: 1, low: 1))").status == 503)
            // What is wrong with a request is said all the same.
            #expect(try ingest.client().post("/tasks", "{}").status == 422)
        }
    }

    @Test func aPostThatIsNotAnsweredWithinASecondIsUnknown() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            let start = MonotonicDeadline.now()
            try client.send(post(IngestFixture.task))
            try ingest.broker.wait("the post") { ingest.broker.posts.count == 1 }
            let response = try client.response()
            #expect(MonotonicDeadline.now() - start < 2_000_000_000)
            #expect(response.status == 503)
            #expect(response[header: "Taskq-Outcome"] == "unknown")
            #expect(response[header: "Location"] == "/tasks/\(ingest.broker.posts[0].id)")
            #expect(response[header: "Retry-After"] == "1")
            // The word that comes too late is nobody's answer.
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            #expect(try client.request("GET", "/healthz").text == #"{"status":"ok"}"#)
        }
    }

    @Test func aPostInFlightAtTheBrokersDeathIsUnknownAndNeverSentAgain() throws {
        try IngestFixture.with({ $0.timeouts.reply = 20_000 }) { ingest in
            let client = try ingest.client()
            try client.send(post(IngestFixture.task))
            try ingest.broker.wait("the post") { ingest.broker.posts.count == 1 }
            ingest.broker.close()
            let response = try client.response()
            #expect(response.status == 503)
            #expect(response[header: "Taskq-Outcome"] == "unknown")
            try ingest.broker.open()
            try ingest.waitUntilReady()
            try client.send(post(IngestFixture.task))
            try ingest.broker.answerPost(1, .accepted(TaskSequence(rawValue: 2)))
            #expect(try client.response().status == 201)
            #expect(ingest.broker.posts.count == 2)
            #expect(Set(ingest.broker.posts.map(\.id)).count == 2)
        }
    }

    @Test func eachConnectionSaysHelloWithASessionOfItsOwn() throws {
        try IngestFixture.with { ingest in
            for _ in 0..<3 {
                ingest.broker.close()
                try ingest.waitForReadiness(503)
                try ingest.broker.open()
                try ingest.waitUntilReady()
            }
            let hellos = ingest.broker.hellos
            #expect(hellos.count >= 4)
            #expect(Set(hellos.map(\.session)).count == hellos.count)
            #expect(hellos.allSatisfy { $0.role == .ingest && $0.queue.isEmpty })
        }
    }

    @Test func aBrokerThatForgotTheHelloIsGreetedAgain() throws {
        try IngestFixture.with { ingest in
            let before = ingest.broker.hellos.count
            try ingest.broker.say(.helloRequired)
            try ingest.broker.wait("another hello") { ingest.broker.hellos.count > before }
            try ingest.waitForReadiness(200)
        }
    }

    @Test func aHelloThatIsNotAnsweredIsSaidAgain() throws {
        try IngestFixture.with(connected: false) { ingest in
            ingest.broker.welcomes = false
            try ingest.broker.open()
            try ingest.broker.wait("a second hello") { ingest.broker.hellos.count == 2 }
            #expect(try ingest.client().post("/tasks", IngestFixture.task).status == 503)
            try ingest.broker.welcome()
            try ingest.waitForReadiness(200)
        }
    }

    @Test func aFrameThatCannotBeReadCostsNothingElse() throws {
        try IngestFixture.with { ingest in
            var generator = SeededGenerator(seed: 21)
            for _ in 0..<500 {
                try ingest.broker.sayBytes(generator.bytes(count: Int.random(in: 0..<60, using: &generator)))
            }
            let client = try ingest.client()
            try client.send(post(IngestFixture.task))
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            #expect(try client.response().status == 201)
        }
    }

    @Test func moreThanTheCreditIsRefusedAndNotQueued() throws {
        try IngestFixture.with({
            $0.maxBodyBytes = 4 << 20; $0.timeouts.reply = 20_000
        }) { ingest in
            let large = "\"" + String(repeating: "x", count: 3 << 20) + "\""
            let clients = try (0..<3).map { _ in try ingest.client() }
            for (number, client) in clients.prefix(2).enumerated() {
                try client.send(post(large, to: "/queues/mail/tasks"))
                try ingest.broker.wait("post \(number)") { ingest.broker.posts.count == number + 1 }
            }
            let refused = try clients[2].post("/queues/mail/tasks", large)
            #expect(refused.status == 503)
            #expect(refused[header: "Taskq-Outcome"] == "refused")
            for number in 0..<2 { try ingest.broker.answerPost(number, .accepted(TaskSequence(rawValue: 1))) }
            for client in clients.prefix(2) { #expect(try client.response().status == 201) }
            try clients[2].send(post(large, to: "/queues/mail/tasks"))
            try ingest.broker.answerPost(2, .accepted(TaskSequence(rawValue: 3)))
            #expect(try clients[2].response().status == 201)
        }
    }
}
