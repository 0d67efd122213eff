import TestSupport
import Testing

extension EndToEndTests {
    /// A Lambda handler of a service with FastAPI in front of SQS, unchanged, behind the lambda plugin.
    @Suite struct LambdaTests {
        private static let handler = """
            \"""Processes the tasks that the API puts on the queue.\"""
            import json
            import logging

            from app.models import TaskMessage
            from app.service import process_task

            logger = logging.getLogger(__name__)
            logger.setLevel(logging.INFO)


            def handle(event, context):
                logger.info("%d records, request %s", len(event["Records"]), context.aws_request_id)
                for record in event["Records"]:
                    message = TaskMessage(**json.loads(record["body"]))
                    process_task(message, attempt=int(record["attributes"]["ApproximateReceiveCount"]))
                return {"statusCode": 200}

            """
        private static let models = """
            from dataclasses import dataclass
            from typing import Optional


            @dataclass
            class TaskMessage:
                task_id: str
                title: str
                description: str
                priority: str
                due_date: Optional[str] = None

            """
        private static let service = """
            class ProcessingError(Exception):
                pass


            def process_task(message, attempt):
                if "poison" in message.title:
                    raise ProcessingError(f"cannot process {message.title!r}, attempt {attempt}")
                print("processed", message.task_id, message.title)

            """

        @Test func successCompletesAndWhatRaisesIsFoundInTheDLQWithItsTraceback() async throws {
            let configuration = "[queue]\nmax_attempts = 2\n[processor.retry]\ninitial = \"0s\"\n"
            try await Stack.with(configuration: configuration) { stack in
                let folder = stack.directory.path("plugins")
                let made = try await stack.tool([
                    "plugin", "new", "tasks", "--folder", folder, "--lang", "lambda", "--handler",
                    "app.handler.handle",
                ])
                #expect(made.status == .exited(0), "\(made.text)")
                for (name, text) in [
                    ("__init__", ""), ("handler", Self.handler), ("models", Self.models),
                    ("service", Self.service),
                ] {
                    try stack.directory.write(text, to: "plugins/tasks/app/\(name).py")
                }
                try await stack.startAll(plugin: "\(folder)/tasks")
                let good = try #require(
                    try await stack.post(#"{"title":"fine","description":"d","priority":"low"}"#).taskID)
                let bad = try #require(
                    try await stack.post(#"{"title":"poison","description":"d","priority":"low"}"#).taskID)

                let done = try await stack.finished(good)
                #expect(done["state"].string == "completed", "\(done)")
                #expect(done["result"]["statusCode"].int == 200, "\(done)")
                try await stack.process("worker tasks").line(containing: "processed \(good) fine")
                let dead = try await stack.finished(bad)
                #expect(dead["state"].string == "dead-lettered", "\(dead)")

                let text = try await stack.taskq(["dlq", "show", bad, "--json"])
                let attempts = try JSON(Array(text.utf8))["task"]["attempts"].array
                #expect(attempts.map { $0["outcome"].string } == ["nack", "nack"])
                let tail = try #require(attempts.last?["stderr"].string)
                #expect(tail.contains("Traceback (most recent call last):"))
                #expect(tail.contains("in process_task"))
                #expect(tail.hasSuffix("ProcessingError: cannot process 'poison', attempt 2\n"), "\(tail)")
                try await stack.stopAndReadJournal()
            }
        }
    }
}
