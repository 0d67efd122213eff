import Configuration
import Logging
import TaskModel
import TestSupport
import Testing
import WireProtocol

@testable import IngestDaemon

/// What has nothing to do with tasks: methods, sizes, times, connections.
@Suite struct HTTPRulesTests {
    private static let exchanges:
        [(request: String, status: Int, field: String, value: String?, body: String?)] = [
            (get("/"), 404, "Content-Type", "application/json", #"{"detail":"Not Found"}"#),
            (get("/tasks"), 405, "Allow", "POST", #"{"detail":"Method Not Allowed"}"#),
            ("PUT /tasks HTTP/1.1\r\nHost: t\r\n\r\n", 405, "Allow", "POST", nil),
            ("OPTIONS /tasks HTTP/1.1\r\nHost: t\r\n\r\n", 405, "Allow", "POST", nil),
            ("POST /healthz HTTP/1.1\r\nHost: t\r\n\r\n", 405, "Allow", "GET", nil),
            (
                "POST /tasks/0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10 HTTP/1.1\r\nHost: t\r\n\r\n", 405, "Allow",
                "GET, DELETE", nil
            ),
            ("POST /tasks/?a=1 HTTP/1.1\r\nHost: t\r\n\r\n", 307, "Location", "/tasks?a=1", ""),
            (get("/tasks/not-an-id"), 404, "Allow", nil, nil),
            (get("/healthz?x"), 200, "X-Content-Type-Options", "nosniff", #"{"status":"ok"}"#),
            (get("/readyz"), 200, "Connection", nil, #"{"status":"ready"}"#),
            (
                post(""), 422, "Allow", nil,
                #"{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}"#
            ),
            (
                "POST /tasks HTTP/1.1\r\nHost: t\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
                422, "Allow",
                nil,
                #"{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid "#
                    + #"dictionary or object to extract fields from","input":"{}"}]}"#
            ),
            (
                "POST /tasks HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}", 422, "Allow", nil,
                #"{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid "#
                    + #"dictionary or object to extract fields from","input":"{}"}]}"#
            ),
            (
                post("{\"title\":1,}"), 422, "Allow", nil,
                #"{"detail":[{"type":"json_invalid","loc":["body",11],"msg":"JSON decode error","input":{},"#
                    + #""ctx":{"error":"Expecting property name enclosed in double quotes"}}]}"#
            ),
            (
                post("\u{FEFF}{}"), 400, "Connection", nil,
                #"{"detail":"There was an error parsing the body"}"#
            ),
            (post("1", fields: "Taskq-Group: \u{E9}\r\n"), 422, "Allow", nil, nil),
            (post("1", fields: "Idempotency-Key: \"\"\r\n"), 422, "Allow", nil, nil),
        ]

    @Test func everyRequestOfTheTableHasItsAnswerOnOneConnection() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            for exchange in Self.exchanges {
                try client.send(exchange.request)
                let response = try client.response()
                #expect(response.status == exchange.status, "\(exchange.request)")
                #expect(response[header: exchange.field] == exchange.value, "\(exchange.request)")
                if let body = exchange.body { #expect(response.text == body) }
            }
            let head = try client.request("HEAD", "/tasks")
            #expect(head.status == 405 && head.body.isEmpty && head[header: "Allow"] == "POST")
            #expect(try client.request("GET", "/healthz").status == 200)
            #expect(ingest.broker.posts.isEmpty)
        }
    }

    private static let faults: [(request: String, status: Int)] = [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("garbage\r\n\r\n", 400), ("GET / HTTP/1.1\nHost: t\n\n", 400),
        ("POST /tasks HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST /tasks HTTP/1.1\r\nHost: t\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n\r\n", 400),
        ("POST /tasks HTTP/1.1\r\nHost: t\r\nContent-Length: 1025\r\n\r\n", 413),
        ("POST /tasks HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n401\r\n", 413),
        ("GET / HTTP/1.1\r\nHost: t\r\nA: \(String(repeating: "x", count: 17_000))\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: t\r\n\(String(repeating: "A: b\r\n", count: 100))\r\n", 431),
        ("POST /tasks HTTP/1.1\r\nHost: t\r\nExpect: tea\r\n\r\n", 417),
    ]

    @Test func whatIsNotARequestIsAnsweredOnceAndTheConnectionEnds() throws {
        try IngestFixture.with({ $0.maxBodyBytes = 1_024 }) { ingest in
            for fault in Self.faults {
                let client = try ingest.client()
                try client.send(fault.request + get("/healthz"))
                let response = try client.response()
                #expect(response.status == fault.status, "\(fault.request.prefix(60))")
                #expect(response[header: "Connection"] == "close")
                #expect(response.text.hasPrefix(#"{"detail":""#))
                #expect(try client.isClosedByServer())
            }
        }
    }

    @Test func aBodyComesInWhateverPieces() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            let chunks = IngestFixture.task.utf8.map { "1\r\n\(Character(Unicode.Scalar($0)))\r\n" }.joined()
            try client.send("POST /tasks HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n")
            try client.send("Transfer-Encoding: chunked\r\n\r\n")
            try client.send(chunks + "0\r\n\r\n")
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            #expect(try client.response().status == 201)
            for byte in post(IngestFixture.task).utf8 { try client.send([byte]) }
            try ingest.broker.answerPost(1, .accepted(TaskSequence(rawValue: 2)))
            #expect(try client.response().status == 201)
        }
    }

    @Test func aClientThatAsksIsToldToContinue() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            try client.send(
                "POST /tasks HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
                    + "Expect: 100-continue\r\nContent-Length: \(IngestFixture.task.utf8.count)\r\n\r\n")
            #expect(try client.response().status == 100)
            try client.send(IngestFixture.task)
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            #expect(try client.response().status == 201)
        }
    }

    @Test func slowRequestsAre408AndIdleConnectionsEnd() throws {
        try IngestFixture.with({
            $0.timeouts.head = 60
            $0.timeouts.body = 120
            $0.timeouts.idle = 180
            $0.timeouts.sweep = 10
        }) { ingest in
            let head = try ingest.client()
            try head.send("POST /tas")
            let body = try ingest.client()
            try body.send("POST /tasks HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab")
            let idle = try ingest.client()
            for client in [head, body] {
                let response = try client.response()
                #expect(response.status == 408)
                #expect(response[header: "Connection"] == "close")
                #expect(try client.isClosedByServer())
            }
            #expect(try idle.isClosedByServer())
        }
    }

    @Test func aClientMayEndItsSideAndStillBeAnswered() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            try client.send(post(IngestFixture.task))
            try ingest.broker.wait("the post") { ingest.broker.posts.count == 1 }
            client.finishSending()
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            #expect(try client.response().status == 201)
            #expect(try client.isClosedByServer())
        }
    }

    @Test func aClientThatWantsToCloseIsLetGoAfterItsAnswer() throws {
        try IngestFixture.with { ingest in
            let client = try ingest.client()
            try client.send(post(IngestFixture.task, fields: "Connection: close\r\n"))
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            let response = try client.response()
            #expect(response.status == 201)
            #expect(response[header: "Connection"] == "close")
            #expect(try client.isClosedByServer())
            let old = try ingest.client()
            try old.send("GET /healthz HTTP/1.0\r\n\r\n")
            #expect(try old.response()[header: "Connection"] == "close")
            #expect(try old.isClosedByServer())
        }
    }

    @Test func connectionsBeyondTheLimitAreToldSo() throws {
        try IngestFixture.with(connected: false, { $0.maxConnections = 2 }) { ingest in
            let clients = try (0..<2).map { _ in try ingest.client() }
            for client in clients { #expect(try client.request("GET", "/healthz").status == 200) }
            let third = try ingest.client()
            let response = try third.response()
            #expect(response.status == 503)
            #expect(response[header: "Retry-After"] == "1")
            #expect(try third.isClosedByServer())
            #expect(try clients[0].request("GET", "/healthz").status == 200)
        }
    }

    @Test func bodiesOnTheirWayShareABoundedMemory() throws {
        try IngestFixture.with({ $0.unfinishedBytesMax = 100_000 }) { ingest in
            let head = "POST /queues/mail/tasks HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\n"
            let body = "\"" + String(repeating: "x", count: 59_998) + "\""
            let slow = try ingest.client()
            try slow.send(head + "Content-Length: 60000\r\nExpect: 100-continue\r\n\r\n")
            #expect(try slow.response().status == 100)
            let refused = try ingest.client()
            try refused.send(head + "Transfer-Encoding: chunked\r\n\r\n")
            let response = try refused.response()
            #expect(response.status == 503)
            #expect(response[header: "Taskq-Outcome"] == "refused")
            #expect(try refused.isClosedByServer())
            try slow.send(body)
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            #expect(try slow.response().status == 201)
            // What was promised to the first is free again.
            try slow.send(head + "Content-Length: 60000\r\nExpect: 100-continue\r\n\r\n")
            #expect(try slow.response().status == 100)
        }
    }

    @Test func drainingFinishesWhatIsDueAndTakesNothingNew() throws {
        try IngestFixture.with { ingest in
            let busy = try ingest.client()
            try busy.send(post(IngestFixture.task))
            try ingest.broker.wait("the post") { ingest.broker.posts.count == 1 }
            let idle = try ingest.client()
            #expect(try idle.request("GET", "/healthz").status == 200)
            ingest.server.beginDrain()
            #expect(try idle.isClosedByServer())
            try ingest.broker.answerPost(0, .accepted(TaskSequence(rawValue: 1)))
            let response = try busy.response()
            #expect(response.status == 201)
            #expect(response[header: "Connection"] == "close")
            #expect(try busy.isClosedByServer())
            #expect(throws: TestSupportError.self) { try ingest.client() }
        }
    }

    @Test func withoutAQueueAnswersSayThatNothingIsStored() throws {
        try IngestFixture.with(connected: false, { $0.answersWithoutQueue = true }) { ingest in
            let client = try ingest.client()
            for number in 1...3 {
                let response = try client.post("/tasks", IngestFixture.task)
                #expect(response.status == 201)
                #expect(response[header: "Taskq-Outcome"] == "not-stored")
                #expect(response[header: "Taskq-Sequence"] == "\(number)")
            }
            #expect(try client.post("/tasks", "{}").status == 422)
        }
    }

    @Test func withoutAQueueIsRefusedWhereRealClientsMayPost() throws {
        var configuration = ServiceConfiguration()
        configuration.environment = "prod"
        #expect(throws: IngestError.wouldNotStore(because: "the environment is \"prod\"")) {
            try IngestOptions(configuration, answersWithoutQueue: true)
        }
        configuration.environment = "dev"
        #expect(throws: IngestError.wouldNotStore(because: "the service manager passed a socket")) {
            try IngestOptions(configuration, inheritedSocket: 3, answersWithoutQueue: true)
        }
        #expect(try IngestOptions(configuration, answersWithoutQueue: true).answersWithoutQueue)
    }

    @Test func onlyLoopbackIsListenedOn() throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let options = IngestOptions(
            listen: ListenAddress(host: "0.0.0.0", port: 0), brokerSocket: "/nowhere")
        let error = #expect(throws: IngestError.self) { try IngestServer(options, logger: logger) }
        guard case .openToTheNetwork = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
