import TestSupport
import Testing

extension EndToEndTests {
    /// The dead-letter queue by the command line alone.
    @Suite struct DeadLetterTests {
        private static let configuration = "[queue]\nmax_attempts = 1\n"
        /// Fails on what is poison, and says so.
        private static let processor = """
            #!/bin/sh
            task=$(cat)
            case $task in *poison*) echo "bad title" >&2; exit 3;; esac
            echo '{"result":"fine"}' >&3

            """

        private static func task(_ title: String) -> String {
            #"{"title":"\#(title)","description":"b","priority":"low"}"#
        }

        /// A stack in which tasks of these titles were processed.
        private static func with(
            _ titles: [String], _ body: (Stack, [String]) async throws -> Void
        ) async throws {
            try await Stack.with(configuration: configuration) { stack in
                try await stack.startAll(plugin: try stack.plugin("tasks", processor))
                var ids: [String] = []
                for title in titles {
                    let id = try #require(try await stack.post(task(title)).taskID)
                    _ = try await stack.finished(id)
                    ids.append(id)
                }
                try await body(stack, ids)
                try await stack.stopAndReadJournal()
            }
        }

        private static func json(_ stack: Stack, _ arguments: String...) async throws -> JSON {
            try JSON(Array(try await stack.taskq(arguments + ["--json"]).utf8))
        }

        @Test func aPoisonedTaskIsFoundUnderstoodEditedAndCompleted() async throws {
            try await Self.with(["fine", "poison"]) { stack, ids in
                let poisoned = ids[1]
                let list = try await Self.json(stack, "dlq", "ls")
                #expect(list.array.map { $0["task_id"].string } == [poisoned])
                #expect(list.array.first?["dead_reason"].string == "exhausted")
                let shown = try await Self.json(stack, "dlq", "show", poisoned)
                #expect(shown["task"]["attempts"].array.first?["stderr"].string == "bad title\n")
                #expect(shown["payload"]["title"].string == "poison")

                try stack.directory.write(Self.task("mended"), to: "mended.json")
                let file = stack.directory.path("mended.json")
                let dry = try await stack.taskq(["dlq", "edit", poisoned, "--payload", file, "--dry-run"])
                #expect(dry.contains("would redrive \(poisoned) to tasks"))
                #expect(try await Self.json(stack, "dlq", "ls").array.count == 1)
                _ = try await stack.taskq(["dlq", "edit", poisoned, "--payload", file])
                let view = try await stack.finished(poisoned)
                #expect(view["state"].string == "completed", "\(view)")
                #expect(try await Self.json(stack, "dlq", "ls").array.isEmpty)
            }
        }

        @Test func aRedriveTakesWhatTheFilterMeansAfterADryRunThatTakesNothing() async throws {
            try await Self.with(["poison 1", "poison 2", "poison 3"]) { stack, ids in
                let all = ["dlq", "redrive", "--queue", "tasks", "--reason", "exhausted"]
                #expect(try await stack.taskq(all + ["--dry-run"]) == "would be redriven: 3")
                #expect(try await Self.json(stack, "dlq", "ls").array.count == 3)
                #expect(
                    try await stack.taskq(["dlq", "redrive", "--queue", "tasks", "--reason", "rejected"])
                        == "redriven: 0")
                _ = try await stack.taskq(["pause", "tasks", "--reason", "looking"])
                #expect(try await stack.taskq(all + ["--rate", "1000"]) == "redriven: 3")
                let status = try await Self.json(stack, "status")
                #expect(status["queues"].array.first?["pending"].int == 3, "\(status)")
                #expect(try await stack.taskq(["cancel", ids[0]]) == "cancelled \(ids[0])")
                _ = try await stack.taskq(["resume", "tasks"])
                for id in ids[1...] {
                    #expect(try await stack.finished(id)["state"].string == "dead-lettered")
                }
                #expect(try await stack.finished(ids[0])["state"].string == "cancelled")
            }
        }

        @Test func aPurgeNeedsAYesAndTakesItsTasksForGood() async throws {
            try await Self.with(["poison 1", "poison 2"]) { stack, ids in
                await #expect(throws: TestSupportError.self) {
                    _ = try await stack.taskq(["dlq", "purge", ids[0]])
                }
                let asked = try await stack.terminal(["dlq", "purge", ids[0]]) { terminal in
                    try terminal.shows("This deletes 1 dead task for good")
                    try terminal.shows("Type purge to go on: ")
                    try terminal.interrupt()
                }
                #expect(asked.status == .signalled(2), "Ctrl-C at the question is a no")
                #expect(try await Self.json(stack, "dlq", "ls").array.count == 2)
                #expect(try await stack.taskq(["dlq", "purge", ids[0], "--yes"]) == "purged: 1")
                let left = try await Self.json(stack, "dlq", "ls").array.map { $0["task_id"].string }
                #expect(left == [ids[1]])
                let status = try await Self.json(stack, "status")
                #expect(status["queues"].array.first?["purged"].int == 1, "\(status)")
            }
        }
    }
}
