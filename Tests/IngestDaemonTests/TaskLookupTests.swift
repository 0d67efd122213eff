import TaskModel
import TaskValidation
import TestSupport
import Testing
import WireProtocol

@testable import IngestDaemon

/// `GET` and `DELETE` of `/tasks/{id}`.
@Suite struct TaskLookupTests {
    private let id = TaskID(high: 0x0198_F6E2_7C1A_7D54, low: 0x9B3E_0F2A_6C8D_4E10)

    private func ask(
        _ ingest: IngestFixture, _ request: String, reply: (Correlation) -> Reply
    ) throws -> HTTPTestResponse {
        let client = try ingest.client()
        let before = ingest.broker.requests.count
        try client.send(request)
        try ingest.broker.wait("the question") { ingest.broker.requests.count > before }
        switch ingest.broker.requests[before] {
        case .lookup(let correlation, let asked, _), .cancel(let correlation, let asked, _):
            #expect(asked == id)
            try ingest.broker.say(reply(correlation))
        case let other: Issue.record("\(other)")
        }
        return try client.response()
    }

    @Test func aTaskIsShownWithEverythingThatIsKnownOfIt() throws {
        let attempt = AttemptRecord(
            number: 1, outcome: .exited(status: 3), startedAt: WallTime(rawValue: 1_798_761_600_000),
            durationMilliseconds: 12, worker: "worker@tasks", reason: "no",
            stderrTail: Array("a\u{1}\"".utf8)[...])
        let history = try AttemptRecord.history([], adding: attempt)
        let view = TaskView(
            id: id, state: .completed, queue: "tasks", group: "g\"", sequence: TaskSequence(rawValue: 5),
            finishedAt: WallTime(rawValue: 1_798_761_600_123), receives: 2, maxAttempts: 5,
            history: history[...],
            result: Array(#"{"n": 1.50}"#.utf8)[...], resultError: "")
        try IngestFixture.with { ingest in
            let response = try ask(ingest, get("/tasks/\(id)")) {
                .task(correlation: $0, answer: .found(view))
            }
            #expect(response.status == 200)
            let task = try JSONValue.parse(response.body)
            #expect(task["task_id"]?.string == id.description)
            #expect(task["state"]?.string == "completed")
            #expect(task["group"]?.string == "g\"")
            #expect(task["sequence"]?.integer() == 5)
            #expect(task["finished_at"]?.string == "2027-01-01T00:00:00.123Z")
            #expect(task["result"].map { String(decoding: $0.rawBytes, as: UTF8.self) } == #"{"n": 1.50}"#)
            #expect(task["waiting_because"] == nil && task["dead_reason"] == nil)
            let shown = try #require(task["attempts"]?.elements?.first)
            #expect(shown["outcome"]?.string == "exit 3")
            #expect(shown["stderr"]?.string == "a\u{1}\"")
            #expect(shown["started_at"]?.string == "2027-01-01T00:00:00.000Z")
        }
    }

    @Test func aResultThatIsNoJSONIsShownAsAString() throws {
        let view = TaskView(
            id: id, state: .deadLettered, queue: "tasks", group: "tasks", sequence: TaskSequence(rawValue: 5),
            receives: 5, maxAttempts: 5, waitingBecause: "why", deadReason: .exhausted,
            result: Array("{]".utf8)[...])
        let task = try JSONValue.parse(TaskViewJSON.write(view))
        #expect(task["result"]?.string == "{]")
        #expect(task["dead_reason"]?.string == "exhausted")
        #expect(task["state"]?.string == "dead-lettered")
    }

    @Test func whatIsNotThereIsToldApart() throws {
        try IngestFixture.with { ingest in
            let answers: [(LookupAnswer, Int, String)] = [
                (.unknown, 404, "Not Found"), (.forgotten, 410, "Finished and forgotten, or never accepted"),
                (.tooManyWaiters, 503, "Too many requests are waiting"),
            ]
            for (answer, status, detail) in answers {
                let response = try ask(ingest, get("/tasks/\(id)")) { .task(correlation: $0, answer: answer) }
                #expect(response.status == status)
                #expect(response.text == #"{"detail":"\#(detail)"}"#)
            }
        }
    }

    @Test func cancellingSaysWhatBecameOfIt() throws {
        try IngestFixture.with { ingest in
            let outcomes: [(CancelOutcome, Int)] = [
                (.cancelled, 204), (.notCancellable, 409), (.unknown, 404), (.forgotten, 410),
            ]
            for (outcome, status) in outcomes {
                let request = "DELETE /tasks/\(id) HTTP/1.1\r\nHost: t\r\n\r\n"
                let response = try ask(ingest, request) { .cancelled(correlation: $0, outcome: outcome) }
                #expect(response.status == status)
                #expect((response[header: "Content-Length"] == nil) == (status == 204))
            }
        }
    }

    @Test func aWaitIsHandedToTheBrokerAndOutlastsTheReplyTimeout() throws {
        try IngestFixture.with({ $0.timeouts.reply = 100 }) { ingest in
            let client = try ingest.client()
            try client.send(get("/tasks/\(id)?a=b&wait=30"))
            try ingest.broker.wait("the question") { ingest.broker.requests.count == 1 }
            #expect(ingest.broker.requests == [.lookup(correlation: 1, id: id, waitMilliseconds: 30_000)])
            // A post that is given up after the reply's time shows that this time has passed.
            #expect(try ingest.client().post("/tasks", IngestFixture.task).status == 503)
            try ingest.broker.wait("the post") { ingest.broker.requests.count == 2 }
            try ingest.broker.say(.task(correlation: 1, answer: .unknown))
            #expect(try client.response().status == 404)
        }
    }

    @Test(arguments: [
        ("31", "less_than_equal"), ("x", "int_parsing"), ("", "int_parsing"), ("-1", "int_parsing"),
        ("99999999999999999999", "int_parsing"), ("1.5", "int_parsing"),
    ])
    func aWaitThatIsNoneIsNamed(wait: String, type: String) throws {
        try IngestFixture.with { ingest in
            let response = try ingest.client().request("GET", "/tasks/\(id)?wait=\(wait)")
            #expect(response.status == 422)
            let error = try JSONValue.parse(response.body)["detail"]?.elements?.first
            #expect(error?["type"]?.string == type)
            #expect(
                error?["loc"].map { String(decoding: $0.rawBytes, as: UTF8.self) } == #"["query","wait"]"#)
            #expect(error?["input"]?.string == wait)
        }
    }
}
