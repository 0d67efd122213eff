import AdminCommands
import Configuration
import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

/// The runner that `taskq plugin new --lang lambda` writes, around handlers that a test writes.
@Suite struct LambdaRunnerTests {
    private static let id = TaskID(high: 0x0198_f6e2_7c1a_7d54, low: 0x9b3e_0000_0000_0007)

    private static func run(
        _ handler: String, payload: String = "{\"n\":1}", manifest: String = ""
    ) async throws -> RehearsalReport {
        let reports = SharedList<RehearsalReport>()
        try await RealProcesses.run {
            try TemporaryDirectory.with { directory in
                for file in PluginTemplate.files(.lambda, queue: "mail") {
                    let text = file.name == "handler.py" ? handler : file.text
                    try directory.write(
                        text + (file.name == "plugin.toml" ? manifest : ""), to: "mail/\(file.name)",
                        mode: file.isExecutable ? 0o755 : 0o644)
                }
                let origin = PluginUnderTest.Origin(
                    id: id, group: "ada", attempt: 3, sequence: TaskSequence(rawValue: 1_234),
                    traceparent: Array("00-aa-bb-01".utf8))
                reports.append(
                    try RehearsalReport.running(
                        Array(payload.utf8), through: .init(queue: "mail", at: directory.path("mail")),
                        ServiceConfiguration(), as: origin))
            }
        }
        return try #require(reports.values.first)
    }

    @Test func theEventIsThatOfAQueueWithBatchesOfOne() async throws {
        let handler = """
            def handle(event, context):
                (record,) = event["Records"]
                attributes = record["attributes"]
                print(record["messageId"], record["eventSource"], record["eventSourceARN"])
                print(record["body"], record["md5OfBody"], record["awsRegion"], record["receiptHandle"] != "")
                print(attributes["ApproximateReceiveCount"], attributes["MessageGroupId"])
                print(attributes["SequenceNumber"], attributes["SentTimestamp"])
                print(record["messageAttributes"]["traceparent"]["stringValue"])
                print(context.aws_request_id, context.function_name)
                print(0 < context.get_remaining_time_in_millis() <= 30000)

            """
        let report = try await Self.run(handler, manifest: "AWS_REGION = \"eu-central-1\"\n")
        #expect(report.isAcked, "\(report.ending)")
        #expect(
            report.text(of: .standardOutput) == [
                "\(Self.id) aws:sqs arn:aws:sqs:eu-central-1:000000000000:mail.fifo",
                "{\"n\":1} 082c26c8a6bc75226a31da5495cc9292 eu-central-1 True",
                "3 ada",
                "00000000000000001234 1756488694810",
                "00-aa-bb-01",
                "\(Self.id) mail",
                "True",
            ])
    }

    /// Reading and writing JSON anew would change each of these.
    @Test(arguments: [
        #"{"n":1.10,"e":1E5,"big":123456789012345678901234567890}"#,
        #"{"b":"ü\u00e9","a":[ ],"a2":{"payload":1}}"#,
        #""just a text""#, "17",
    ])
    func theBodyIsThePayloadsOwnBytes(payload: String) async throws {
        let handler = """
            def handle(event, context):
                print(event["Records"][0]["body"])

            """
        let report = try await Self.run(handler, payload: payload)
        #expect(report.isAcked)
        #expect(report.text(of: .standardOutput) == [payload])
    }

    @Test(arguments: [
        ("raise ValueError('bad title')", "ValueError: bad title"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("return {'batchItemFailures': [{'itemIdentifier': 'x'}]}", "batchItemFailures"),
        ("return {1, 2}", "TypeError"),
        ("return float('nan')", "ValueError"),
    ])
    func whatIsNoSuccessInLambdaIsANack(statement: String, reason: String) async throws {
        let report = try await Self.run("def handle(event, context):\n    \(statement)\n")
        guard case .failed(.nacked, let said, nil) = report.verdict else {
            Issue.record("\(report.ending)")
            return
        }
        #expect(said.contains(reason))
        #expect(report.exit == nil)
    }

    @Test func aTracebackGoesToStandardErrorAndALogLineHasItsLevel() async throws {
        let handler = """
            import logging
            def handle(event, context):
                logging.getLogger(__name__).warning("careful")
                raise KeyError("title")

            """
        let report = try await Self.run(handler)
        let errors = report.text(of: .standardError)
        #expect(errors.first == "[WARNING]\thandler\tcareful")
        #expect(report.lines.first { $0.source == .standardError }?.priority == 4)
        #expect(errors.contains("Traceback (most recent call last):"))
        #expect(errors.last == "KeyError: 'title'")
    }

    @Test func whatItReturnsIsTheResultAndTooMuchIsDropped() async throws {
        let small = try await Self.run("def handle(event, context):\n    return {'statusCode': 200}\n")
        #expect(small.verdict == .acked(result: Array("{\"statusCode\": 200}".utf8)[...], resultError: ""))
        let large = try await Self.run("def handle(event, context):\n    return 'x' * 20000\n")
        guard case .acked(let result, _) = large.verdict else {
            Issue.record("\(large.ending)")
            return
        }
        #expect(result.isEmpty || result.elementsEqual("null".utf8))
    }

    @Test func aHandlerThatCannotBeImportedStallsTheQueue() async throws {
        let report = try await Self.run("import no_such_module_at_all\n")
        guard case .stalled(let sentence) = report.ending else {
            Issue.record("\(report.ending)")
            return
        }
        #expect(sentence.contains("no_such_module_at_all"), "\(sentence)")
    }
}
