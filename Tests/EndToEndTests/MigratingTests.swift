import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// The move of docs/MIGRATING.md: a dump of SQS messages, its conversion, its posts, a Lambda handler.
    @Suite struct MigratingTests {
        private static let scripts = BuiltProducts.repositoryRoot() + "/examples/from-sqs"

        private static func message(_ number: Int, group: String, body: String) -> String {
            """
            {"MessageId":"m\(number)","ReceiptHandle":"r","Body":"\(body)","Attributes":{"MessageGroupId":\
            "\(group)","SequenceNumber":"188494964604676\(100_000 + number)"}}
            """
        }

        private static func order(_ number: Int, group: String) -> String {
            message(number, group: group, body: "{\\\"n\\\":\(number),\\n \\\"price\\\":1.10}")
        }

        private static func run(
            _ words: [String], in directory: TemporaryDirectory, environment: [String: String?] = [:],
            ending: TestSupport.ExitStatus = .exited(0)
        ) async throws -> [String] {
            let description = ProcessDescription(
                "/usr/bin/env", words, environment: environment, directory: directory.path)
            return try await ProcessFixture.with(description) { tool in
                let status = try await tool.end(within: .seconds(60))
                let lines = tool.lines.map(\.text)
                #expect(status == ending, "\(words): \(lines)")
                return lines
            }
        }

        @Test func aDumpInAnyOrderBecomesAFileForEachGroupInItsOrder() async throws {
            try await TemporaryDirectory.with { directory in
                let dump = [
                    Self.order(7, group: "ada"), Self.order(2, group: "bob"), Self.order(1, group: "ada"),
                    Self.order(7, group: "ada"), Self.message(5, group: "bob", body: "plain \\\"text\\\""),
                ]
                try directory.write(dump.joined(separator: "\n"), to: "lines.jsonl")
                try directory.write("{\"Messages\": [\(dump.joined(separator: ","))]}\n", to: "cli.json")
                for name in ["lines.jsonl", "cli.json"] {
                    let said = try await Self.run(
                        ["python3", "-B", "\(Self.scripts)/convert_dump.py", name, "of-\(name)"],
                        in: directory)
                    #expect(said == ["4 tasks in 2 groups; 1 bodies were no JSON"])
                    let index = String(decoding: try directory.read("of-\(name)/groups.tsv"), as: UTF8.self)
                    #expect(index == "000001.ndjson\t2\tada\n000002.ndjson\t2\tbob\n")
                    let ada = String(decoding: try directory.read("of-\(name)/000001.ndjson"), as: UTF8.self)
                    #expect(ada == "{\"n\":1,  \"price\":1.10}\n{\"n\":7,  \"price\":1.10}\n")
                    let bob = String(decoding: try directory.read("of-\(name)/000002.ndjson"), as: UTF8.self)
                    #expect(bob == "{\"n\":2,  \"price\":1.10}\n\"plain \\\"text\\\"\"\n")
                }
            }
        }

        @Test func whatWasDrainedIsInTheFileBeforeItIsDeleted() async throws {
            try await TemporaryDirectory.with { directory in
                try directory.write(Self.fakeBoto, to: "fake/boto3.py")
                let words = ["python3", "-B", "\(Self.scripts)/drain_sqs.py", "url", "dump.jsonl"]
                let said = try await Self.run(
                    words, in: directory, environment: ["PYTHONPATH": directory.path("fake")])
                #expect(said == ["not deleted, will come again: busy", "26 messages in dump.jsonl"])
                // One was not deleted the first time: it stands there twice, and is taken once.
                let convert = ["python3", "-B", "\(Self.scripts)/convert_dump.py", "dump.jsonl", "backlog"]
                #expect(
                    try await Self.run(convert, in: directory) == [
                        "25 tasks in 1 groups; 0 bodies were no JSON"
                    ])
            }
        }

        @Test func aBacklogKeepsItsOrderIsAddedOnceAndReachesTheHandler() async throws {
            try await Stack.with(configuration: "[queues.orders]\n") { stack in
                let directory = stack.directory
                let new = ["taskq", "plugin", "new", "orders", "--lang", "lambda", "--folder", "plugins"]
                let path = BuiltProducts.folder + ":" + (getenv("PATH").map { String(cString: $0) } ?? "")
                _ = try await Self.run(new, in: directory, environment: ["PATH": path])
                let handler = """
                    def handle(event, context):
                        (record,) = event["Records"]
                        with open("\(directory.path("seen"))", "a") as seen:
                            seen.write(record["attributes"]["MessageGroupId"] + " " + record["body"] + "\\n")

                    """
                try directory.write(handler, to: "plugins/orders/handler.py")
                let dump = (1...60).map { Self.order($0, group: $0 % 3 == 0 ? "ada" : "bob") }.reversed()
                try directory.write(dump.joined(separator: "\n"), to: "dump.jsonl")
                let convert = ["python3", "-B", "\(Self.scripts)/convert_dump.py", "dump.jsonl", "backlog"]
                _ = try await Self.run(convert, in: directory)

                try await stack.startAll(queue: "orders", plugin: directory.path("plugins/orders"))
                let environment: [String: String?] = [
                    "PATH": path, "TASKQ_URL": "http://127.0.0.1:\(try stack.address.port)",
                ]
                let post = ["sh", "\(Self.scripts)/post_backlog.sh", "orders", "backlog", "move"]
                for _ in 1...2 { _ = try await Self.run(post, in: directory, environment: environment) }
                let posted = try TextFile.lines(of: directory.path("backlog/posted.jsonl")).compactMap {
                    $0.isEmpty ? nil : try JSON(Array($0.utf8))
                }
                #expect(posted.filter { $0["outcome"].string == "accepted" }.count == 60)
                #expect(posted.filter { $0["outcome"].string == "replayed" }.count == 60)
                for id in Set(posted.compactMap { $0["task_id"].string }) {
                    #expect(try await stack.finished(id)["state"].string == "completed")
                }

                let seen = try TextFile.lines(of: directory.path("seen"))
                for group in ["ada", "bob"] {
                    let expected = (1...60).filter { ($0 % 3 == 0) == (group == "ada") }
                        .map { "\(group) {\"n\":\($0),\"price\":1.10}" }
                    #expect(seen.filter { $0.hasPrefix(group) } == expected)
                }
                #expect(seen.filter { !$0.isEmpty }.count == 60)
            }
        }

        /// 25 messages, ten at a time; the deletion of one fails once.
        private static let fakeBoto = """
            import os
            waiting = [{"MessageId": f"m{n}", "ReceiptHandle": f"r{n}", "Body": f'{{"n":{n}}}',
                        "Attributes": {"MessageGroupId": "g", "SequenceNumber": str(n)}} for n in range(25)]
            failures = ["r3"]

            class Client:
                def receive_message(self, **words):
                    return {"Messages": waiting[:10]} if waiting else {}

                def delete_message_batch(self, QueueUrl, Entries):
                    written = open("dump.jsonl").read()
                    failed = []
                    for entry in Entries:
                        handle = entry["ReceiptHandle"]
                        assert f'"{handle}"' in written, "deleted before it was written"
                        if handle in failures:
                            failures.remove(handle)
                            failed.append({"Id": entry["Id"], "Message": "busy"})
                        else:
                            waiting[:] = [m for m in waiting if m["ReceiptHandle"] != handle]
                    return {"Failed": failed}

            def client(name):
                return Client()

            """
    }
}
