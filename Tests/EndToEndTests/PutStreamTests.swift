import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// Many tasks out of one file, through the real ingest and broker.
    @Suite struct PutStreamTests {
        private static func arguments(_ stack: Stack, _ file: String) throws -> [String] {
            let url = "http://\(try stack.address)"
            return ["put", "mail", "@" + stack.directory.path(file), "--ndjson", "--url", url]
        }

        private static func queue(_ stack: Stack) async throws -> JSON {
            let status = try JSON(Array(try await stack.taskq(["status", "--json"]).utf8))
            return try #require(status["queues"].array.first { $0["name"].string == "mail" })
        }

        @Test func aFileOfTasksIsAcceptedInItsOrderAndItsBadLinesAreNamed() async throws {
            try await Stack.with(configuration: "[queues.mail]\n") { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                let lines = (1...300).map { $0 == 100 ? "{\"n\":" : "{\"n\":\($0)}" }
                try stack.directory.write(lines.joined(separator: "\n"), to: "all.ndjson")
                let (status, text) = try await stack.tool(try Self.arguments(stack, "all.ndjson"))
                #expect(status == .exited(1))
                #expect(text.contains("taskq: line 100 was refused: HTTP 422: 5: JSON decode error"))
                #expect(text.contains("accepted 299, refused 1"))
                let ids = text.split(separator: "\n").filter { $0.count == 36 }.map(String.init)
                #expect(ids.count == 299)
                for (place, line) in [(0, 1), (98, 99), (99, 101), (298, 300)] {
                    let view = try JSON(
                        Array(try await stack.taskq(["dlq", "show", ids[place], "--json"]).utf8))
                    #expect(view["payload"]["n"].int == line)
                    #expect(view["task"]["sequence"].int == place + 1, "accepted in the order of the lines")
                }
                try await stack.stopAndReadJournal()
            }
        }

        @Test func anInterruptedPutGoesOnAndAddsNothingTwice() async throws {
            try await Stack.with(configuration: "[queues.mail]\n") { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                let count = 50_000
                try stack.directory.write((1...count).map { "\($0)\n" }.joined(), to: "all.ndjson")
                let command =
                    try Self.arguments(stack, "all.ndjson")
                    + ["--connections", "8", "--idempotency-key", "all"]
                let description = try ProcessDescription(
                    product: "taskq", command, environment: ["TASKQ_STATE": stack.state])
                let first = try await TerminalFixture.run(description) { terminal in
                    repeat {
                        try terminal.shows(" % of the input read")
                    } while !terminal.text.contains(/accepted [1-9]/)
                    try terminal.interrupt()
                    try terminal.shows("the same command goes on")
                }
                #expect(first.status == .exited(130), "\(first.text.suffix(300))")
                let accepted = try #require(try await Self.queue(stack)["accepted"].int)
                #expect(accepted > 0 && accepted < count)
                let (status, text) = try await stack.tool(command + ["--json"])
                #expect(status == .exited(0), "\(text.suffix(300))")
                let last = try #require(text.split(separator: "\n").last)
                let summary = try JSON(Array(last.utf8))["summary"]
                let replayed = try #require(summary["replayed"].int)
                #expect(replayed >= accepted, "what a slow disk took after the interruption is replayed too")
                #expect(summary["accepted"].int == count - replayed)
                #expect(try await Self.queue(stack)["accepted"].int == count)
                try await stack.stopAndReadJournal()
            }
        }

        @Test func aPausedQueueEndsThePutAndSaysHowFarItCame() async throws {
            try await Stack.with(configuration: "[queues.mail]\n") { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                _ = try await stack.taskq(["pause", "mail", "--ingest"])
                try stack.directory.write((1...5_000).map { "\($0)\n" }.joined(), to: "all.ndjson")
                let (status, text) = try await stack.tool(try Self.arguments(stack, "all.ndjson"))
                #expect(status == .exited(3))
                #expect(text.contains("every line up to"), "\(text.suffix(300))")
                #expect(try await Self.queue(stack)["accepted"].int == 0)
            }
        }
    }
}
