import TaskModel
import TaskValidation
import TestSupport
import Testing
import WireProtocol

@testable import IngestDaemon

/// Posts, lookups and cancellations over real sockets on both sides.
@Suite struct IngestServerTests {
    @Test func anAcceptedPostIs201WithItsIDPlaceAndSequence() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            try client.send(post(IngestFixture.task))
            let enqueue = try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 42)))
            let response = try client.response()
            #expect(response.status == 201)
            #expect(response.text == #"{"task_id":"\#(enqueue.id)"}"#)
            #expect(response[header: "Location"] == "/tasks/\(enqueue.id)")
            #expect(response[header: "Taskq-Sequence"] == "42")
            #expect(response[header: "Idempotency-Replayed"] == nil)
            #expect(response[header: "Content-Type"] == "application/json")
            #expect(enqueue.queue == "tasks" && enqueue.group.isEmpty && enqueue.key == nil)
            let stored =
                #"{"task_id":"\#(enqueue.id)","title":"a","description":"b","#
                + #""priority":"low","due_date":null}"#
            #expect(String(decoding: enqueue.payload, as: UTF8.self) == stored)
        }
    }

    @Test func noAnswerLeavesBeforeTheBrokersWord() throws {
        try IngestFixture.with({ $0.timeouts.reply = 20_000 }) { ingest in
            let client = try ingest.client()
            try client.send(post(IngestFixture.task) + get("/healthz"))
            try ingest.broker.wait("the post") { ingest.broker.posts.count == 1 }
            // Another connection is served meanwhile, the pipelined request behind the post is not.
            #expect(try ingest.client().request("GET", "/healthz").status == 200)
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            #expect(try client.response().status == 201)
            #expect(try client.response().text == #"{"status":"ok"}"#)
        }
    }

    @Test func pipelinedRequestsAreAnsweredInTheirOrder() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            try client.send(
                post(IngestFixture.task) + get("/nothing") + post("{}") + post(IngestFixture.task))
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            try ingest.broker.answerPost(1, .accepted(TaskSequence(rawValue: 2)))
            let statuses = try (0..<4).map { _ in try client.response().status }
            #expect(statuses == [201, 404, 422, 201])
        }
    }

    @Test func otherQueuesTakeAnyJSONWithoutItsWhiteSpace() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            let fields = "Taskq-Group: customer 7\r\ntraceparent: \(Self.trace)\r\nIdempotency-Key: \"k\"\r\n"
            try client.send(post(" [ 1.50 , \"a b\" ] ", to: "/queues/mail/tasks", fields: fields))
            let enqueue = try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            #expect(try client.response().status == 201)
            #expect(enqueue.queue == "mail")
            #expect(enqueue.group == "customer 7")
            #expect(String(decoding: enqueue.traceparent, as: UTF8.self) == Self.trace)
            #expect(String(decoding: enqueue.payload, as: UTF8.self) == #"[1.50,"a b"]"#)
            #expect(enqueue.key?.key == ContentDigest.ofKey(apiKey: [], key: Array("k".utf8)))
            let content = ContentDigest.ofContent(group: Array("customer 7".utf8), stored: enqueue.payload)
            #expect(enqueue.key?.content == content)
            #expect(try client.post("/queues/none/tasks", "1").status == 404)
        }
    }

    @Test func twoPostsOfOneBodyHaveOneContentDigest() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            for (number, fields) in ["", "Taskq-Group: g\r\n", ""].enumerated() {
                try client.send(post(IngestFixture.task, fields: "Idempotency-Key: k\r\n" + fields))
                try ingest.broker.answerPost(number, .accepted(TaskSequence(rawValue: 1)))
                #expect(try client.response().status == 201)
            }
            let posts = ingest.broker.posts
            #expect(Set(posts.map(\.id)).count == 3)
            #expect(posts[0].key == posts[2].key)
            #expect(posts[0].key?.key == posts[1].key?.key)
            #expect(posts[0].key?.content != posts[1].key?.content)
        }
    }

    @Test func aReplayedPostIsAnsweredWithTheFirstTask() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            let first = TaskID(high: 0x0198_F6E2_7C1A_7D54, low: 0x9B3E_0F2A_6C8D_4E10)
            try client.send(post(IngestFixture.task, fields: "Idempotency-Key: k\r\n"))
            try ingest.broker.answerPost(0, .replayed(first, TaskSequence(rawValue: 9)))
            let response = try client.response()
            #expect(response.status == 201)
            #expect(response.text == #"{"task_id":"\#(first)"}"#)
            #expect(response[header: "Location"] == "/tasks/\(first)")
            #expect(response[header: "Taskq-Sequence"] == "9")
            #expect(response[header: "Idempotency-Replayed"] == "true")
        }
    }

    private static let outcomes: [(EnqueueOutcome, Int, String?)] = [
        (.keyConflict, 422, nil), (.unknownQueue, 404, nil), (.queueFull, 503, "refused"),
        (.deduplicationFull, 503, "refused"), (.paused, 503, "refused"), (.diskFull, 503, "refused"),
        (.idInUse, 503, "refused"),
    ]

    @Test func whatTheBrokerRefusesIsSaidAsItIs() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            for (number, (outcome, status, word)) in Self.outcomes.enumerated() {
                try client.send(post(IngestFixture.task))
                try ingest.broker.answerPost(number, outcome)
                let response = try client.response()
                #expect(response.status == status, "\(outcome)")
                #expect(response[header: "Taskq-Outcome"] == word)
                guard status == 503 else { continue }
                #expect(response[header: "Retry-After"] == "1")
                #expect(response[header: "Location"] == nil)
                #expect(response.text == #"{"detail":"Failed to enqueue task"}"#)
            }
        }
    }

    @Test func theRequestsOfOneTurnLeaveAsOneFrame() throws {
        try IngestFixture.with { ingest in
            let clients = try (0..<40).map { _ in try ingest.client() }
            for client in clients { try client.send(post(IngestFixture.task)) }
            try ingest.broker.wait("40 posts") { ingest.broker.posts.count == 40 }
            let replies = ingest.broker.posts.map {
                Reply.enqueued(
                    correlation: $0.correlation, outcome: .accepted(TaskSequence(rawValue: $0.id.low)))
            }
            try ingest.broker.say(replies)
            var answered: Set<String> = []
            for client in clients { answered.insert(try client.response().text) }
            #expect(answered == Set(ingest.broker.posts.map { #"{"task_id":"\#($0.id)"}"# }))
            #expect(ingest.broker.frameSizes.reduce(0, +) == 40)
        }
    }

    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
}

/// A request's text with its body and, unless `fields` says otherwise, JSON as its type.
func post(_ body: String, to path: String = "/tasks", fields: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n\(fields)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: t\r\n\r\n" }
