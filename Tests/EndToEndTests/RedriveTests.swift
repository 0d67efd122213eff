import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// A whole dead-letter queue goes back at a rate, is interrupted, and goes on.
    ///
    /// 5,000 tasks; `TASKQ_REDRIVE_COUNT=100000` for the whole (docs/TESTING.md).
    @Suite struct RedriveTests {
        private static var count: Int {
            getenv("TASKQ_REDRIVE_COUNT").flatMap { Int(String(cString: $0)) } ?? 5_000
        }
        /// Tasks a second: some seconds' work, so that there is something to interrupt.
        private static var rate: Int { count < 25_000 ? count / 5 : 5_000 }

        private static let configuration = """
            [queue]
            default_group = "task"
            [log]
            tasks = "failures"

            """
        private static let manifest = "mode = \"stream\"\nconcurrency = 8\n"

        /// Lets everything die while the file `ill` is there; then writes down each task that it completed.
        private static func processor(_ folder: String) -> String {
            """
            #!/usr/bin/env python3
            import json, os, sys
            answers = os.fdopen(3, "w", buffering=1)
            done = open("\(folder)/done." + str(os.getpid()), "a", buffering=1)
            answers.write('{"ready":true,"protocol":1}\\n')
            for line in sys.stdin:
                task = json.loads(line)
                if os.path.exists("\(folder)/ill"):
                    answers.write(json.dumps({"id": task["id"], "dead": "ill"}) + "\\n")
                else:
                    done.write(str(task["payload"]) + "\\n")
                    answers.write(json.dumps({"id": task["id"], "ack": True}) + "\\n")

            """
        }

        private static func mail(_ stack: Stack) async throws -> JSON {
            let status = try JSON(Array(try await stack.taskq(["status", "--json"]).utf8))
            return try #require(status["queues"].array.first { $0["name"].string == "mail" })
        }

        /// `redriven: N` as a command printed it.
        private static func redriven(_ text: String) -> Int? {
            let bytes = Array(text.utf8)
            guard let place = bytes.ranges(of: Array("redriven: ".utf8)).last else { return nil }
            let digits = bytes[place.upperBound...].prefix { (0x30...0x39).contains($0) }
            return Int(String(decoding: digits, as: UTF8.self))
        }

        /// A stack whose queue `mail` holds so many dead tasks, which are well now.
        private static func withDead(_ count: Int, _ body: (Stack) async throws -> Void) async throws {
            try await Stack.with(configuration: configuration + "[queues.mail]\n") { stack in
                let folder = stack.directory.path
                try stack.directory.write("", to: "ill")
                let plugin = try stack.plugin("mail", processor(folder), manifest: manifest)
                try await stack.startAll(queue: "mail", plugin: plugin)
                try await putAll(stack, count)
                _ = try await stack.taskq(["drain", "mail"], within: .seconds(600))
                #expect(try await mail(stack)["dead"].int == count)
                #expect(unlink("\(folder)/ill") == 0)
                try await body(stack)
                _ = try await stack.taskq(["drain", "mail"], within: .seconds(600))
                try await expectEachOnce(stack, count)
                try await stack.stopAndReadJournal()
            }
        }

        @Test func aRedriveThatIsInterruptedGoesOnAndNothingIsLostOrDoubled() async throws {
            let count = Self.count
            try await Self.withDead(count) { stack in
                let command = ["dlq", "redrive", "--queue", "mail", "--all", "--rate", "\(Self.rate)"]
                #expect(try await stack.taskq(command + ["--dry-run"]) == "would be redriven: \(count)")
                let began = MonotonicDeadline.now()
                let first = try await stack.terminal(command) { terminal in
                    // A quarter of the way.
                    while Self.redriven(terminal.text) ?? 0 < count / 4 { try terminal.shows(" of \(count)") }
                    try terminal.interrupt()
                    try terminal.shows("the same command goes on with it")
                }
                let elapsed = MonotonicDeadline.now() - began
                let done = try #require(Self.redriven(first.text))
                StandardError.write(
                    "redrive: redriven \(done) of \(count) in \(elapsed / 1_000_000) ms, then Ctrl-C\n")
                #expect(first.status == .exited(130), "\(first.text.suffix(400))")
                #expect(done >= count / 4 && done < count)
                #expect(UInt64(done) <= UInt64(Self.rate) * (elapsed + 200_000_000) / 1_000_000_000)
                let between = try await Self.mail(stack)
                #expect(between["dead"].int == count - done, "\(between)")

                let again = MonotonicDeadline.now()
                let second = try await stack.taskq(command, within: .seconds(300))
                let rest = (MonotonicDeadline.now() - again) / 1_000_000
                StandardError.write("redrive: the same command again: \(second) in \(rest) ms\n")
                #expect(second == "redriven: \(count - done)")
                // The last request goes when those before it have had their time.
                let least = UInt64(count - done - Self.rate / 10) * 1_000 / UInt64(Self.rate)
                #expect(rest >= least)
            }
        }

        @Test func aRedriveWhoseBrokerIsKilledGoesOnWithTheNextOne() async throws {
            let count = 3_000
            try await Self.withDead(count) { stack in
                let command = ["dlq", "redrive", "--queue", "mail", "--all", "--rate", "1000"]
                let broker = try stack.process("broker")
                let marks = try ["ingest", "worker mail"].map { try stack.process($0) }.map { ($0, $0.mark) }
                let first = try await stack.terminal(command) { terminal in
                    while Self.redriven(terminal.text) ?? 0 < count / 4 { try terminal.shows(" of \(count)") }
                    broker.signal(SIGKILL)
                    try terminal.shows("the same command goes on with it")
                }
                #expect(first.status == .exited(3), "\(first.text.suffix(400))")
                let done = try #require(Self.redriven(first.text))
                try await broker.end()
                try await stack.startBroker()
                try await marks[0].0.line(containing: "broker connected", from: marks[0].1)
                try await marks[1].0.line(containing: "connected to the broker", from: marks[1].1)
                let dead = try #require(try await Self.mail(stack)["dead"].int)
                // A request whose answer was lost may have been done, and no other.
                #expect((count - done - 100...count - done).contains(dead))
                let second = try await stack.taskq(command, within: .seconds(60))
                #expect(second == "redriven: \(dead)")
            }
        }

        private static func putAll(_ stack: Stack, _ count: Int) async throws {
            let lines = (1...count).map { "\($0)\n" }.joined()
            try stack.directory.write(lines, to: "all.ndjson")
            let url = "http://\(try stack.address)"
            let put = ["put", "mail", "@" + stack.directory.path("all.ndjson"), "--ndjson", "--json"]
            let (status, text) = try await stack.tool(
                put + ["--connections", "32", "--idempotency-key", "all", "--url", url], within: .seconds(600)
            )
            #expect(status == .exited(0))
            #expect(text.hasSuffix(#""refused":0,"unknown":0,"complete":true}}"#), "\(text.suffix(200))")
        }

        private static func expectEachOnce(_ stack: Stack, _ count: Int) async throws {
            let queue = try await mail(stack)
            #expect(queue["accepted"].int == count && queue["completed"].int == count, "\(queue)")
            #expect(queue["dead"].int == 0)
            var runs: [Int: Int] = [:]
            for name in TemporaryDirectory.entries(of: stack.directory.path) where name.hasPrefix("done.") {
                for line in try TextFile.lines(of: stack.directory.path(name)) where !line.isEmpty {
                    runs[Int(line) ?? 0, default: 0] += 1
                }
            }
            #expect(runs.count == count, "every task ran")
            #expect(runs.values.allSatisfy { $0 == 1 }, "and none ran twice")
            #expect(runs.keys.allSatisfy { (1...count).contains($0) })
        }
    }
}
