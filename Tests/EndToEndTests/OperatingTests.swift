import TestSupport
import Testing

extension EndToEndTests {
    /// What a queue does with a task that uses up its attempts, and what operators do then.
    @Suite struct OperatingTests {
        /// Fails on poison until the file `mended` is there; writes down what it completed.
        private static func with(
            _ settings: String, retryAfter delay: String = "0s", _ body: (Stack) async throws -> Void
        ) async throws {
            let configuration = """
                [queues.mail]
                max_attempts = 2
                \(settings)
                [processor.retry]
                initial = "\(delay)"

                """
            try await Stack.with(configuration: configuration) { stack in
                let folder = stack.directory.path
                try stack.directory.write("", to: "done")
                let script = """
                    #!/bin/sh
                    task=$(cat)
                    case $task in *poison*) [ -e \(folder)/mended ] || exit 3;; esac
                    echo "$task" >> \(folder)/done

                    """
                try await stack.startAll(queue: "mail", plugin: stack.plugin("mail", script))
                try await body(stack)
                try await stack.stopAndReadJournal()
            }
        }

        private static func post(
            _ stack: Stack, _ word: String, group: String = "a"
        ) async throws -> String {
            let answer = try await stack.post(
                "\"\(word)\"", queue: "mail", headers: ["Taskq-Group": group])
            return try #require(answer.taskID)
        }

        private static func completed(_ stack: Stack) throws -> [String] {
            try TextFile.lines(of: stack.directory.path("done")).filter { !$0.isEmpty }
        }

        private static func status(_ stack: Stack) async throws -> JSON {
            let status = try JSON(Array(try await stack.taskq(["status", "--json"]).utf8))
            return try #require(status["queues"].array.first { $0["name"].string == "mail" })
        }

        @Test func aQueueThatDeadLettersGoesOnWithTheNextTask() async throws {
            try await Self.with("on_exhausted = \"dead-letter\"") { stack in
                let poison = try await Self.post(stack, "poison")
                let next = try await Self.post(stack, "next")
                #expect(try await stack.finished(next)["state"].string == "completed")
                let view = try await stack.finished(poison)
                #expect(view["state"].string == "dead-lettered")
                #expect(view["dead_reason"].string == "exhausted")
                #expect(view["attempts"].array.count == 2)
            }
        }

        @Test func aQueueThatParksHoldsTheGroupUntilItsTaskIsRetried() async throws {
            try await Self.with("on_exhausted = \"park-group\"") { stack in
                let poison = try await Self.post(stack, "poison")
                let next = try await Self.post(stack, "next")
                let other = try await Self.post(stack, "other", group: "b")
                #expect(try await stack.finished(poison)["state"].string == "parked")
                #expect(try await stack.finished(other)["state"].string == "completed")
                let groups = try JSON(
                    Array(try await stack.taskq(["groups", "mail", "--json"]).utf8)
                ).array
                #expect(groups.map { $0["group"].string } == ["a"])
                #expect(groups.first?["task_id"].string == poison)
                #expect(groups.first?["state"].string == "parked")
                #expect(groups.first?["last_outcome"].string == "exit 3")
                #expect(groups.first?["blocked_since"].string != nil)
                #expect(groups.first?["waiting"].int == 2)

                try stack.directory.write("", to: "mended")
                #expect(
                    try await stack.taskq(["groups", "retry", "mail", "a"])
                        == "retried: \(poison), first of group a")
                #expect(try await stack.finished(next)["state"].string == "completed")
                #expect(try await stack.finished(poison)["state"].string == "completed")
                #expect(try Self.completed(stack) == ["\"other\"", "\"poison\"", "\"next\""])
            }
        }

        @Test func aParkedTaskThatIsCancelledFreesItsGroup() async throws {
            try await Self.with("on_exhausted = \"park-group\"") { stack in
                let poison = try await Self.post(stack, "poison")
                let next = try await Self.post(stack, "next")
                #expect(try await stack.finished(poison)["state"].string == "parked")
                let told = try await stack.taskq(["groups", "cancel", "mail", "--all", "--json"])
                let outcome = try JSON(Array(told.utf8)).array
                #expect(outcome.map { $0["task_id"].string } == [poison])
                #expect(outcome.map { $0["outcome"].string } == ["done"])
                #expect(try await stack.finished(next)["state"].string == "completed")
                #expect(try await stack.finished(poison)["state"].string == "cancelled")
            }
        }

        @Test func aQueueThatHaltsDeliversNothingUntilItIsResumed() async throws {
            try await Self.with("on_exhausted = \"halt-queue\"") { stack in
                let poison = try await Self.post(stack, "poison")
                #expect(try await stack.finished(poison)["state"].string == "parked")
                let other = try await Self.post(stack, "other", group: "b")
                let queue = try await Self.status(stack)
                #expect(queue["pauses"].array.map(\.string) == ["halted"])
                #expect(queue["waiting_because"].string?.hasPrefix("halted: ") == true, "\(queue)")
                let held = try JSON(Array(try await stack.taskq(["get", other, "--json"]).utf8))
                #expect(held["state"].string == "pending")
                #expect(held["waiting_because"].string?.hasPrefix("halted: ") == true, "\(held)")

                let listed = try await stack.taskq(["queues"])
                #expect(listed.contains("  halted: a task used up its attempts"), "\(listed)")
                try stack.directory.write("", to: "mended")
                let retried = try await stack.taskq(["groups", "retry", "mail", "a"])
                #expect(retried.contains("mail is still halted: 'taskq resume mail' lets it go on"))
                _ = try await stack.taskq(["resume", "mail"])
                #expect(try await stack.finished(poison)["state"].string == "completed")
                #expect(try await stack.finished(other)["state"].string == "completed")
                #expect(try await Self.status(stack)["pauses"].array.isEmpty)
            }
        }

        @Test func aDeleteCancelsWhatNobodyWorksOnAndNothingElse() async throws {
            try await Self.with("") { stack in
                let completed = try await Self.post(stack, "fine")
                #expect(try await stack.finished(completed)["state"].string == "completed")
                _ = try await stack.taskq(["pause", "mail", "--reason", "looking"])
                let waiting = try await Self.post(stack, "waiting")
                let view = try await Self.look(stack, waiting)
                #expect(view["waiting_because"].string?.hasSuffix(": looking") == true, "\(view)")
                for _ in 0..<2 { #expect(try await Self.delete(stack, waiting) == 204) }
                #expect(try await stack.finished(waiting)["state"].string == "cancelled")
                #expect(try await Self.delete(stack, completed) == 409)
                #expect(try await Self.delete(stack, "01ffffff-ffff-7000-8000-000000000001") == 404)
                _ = try await stack.taskq(["resume", "mail"])
                #expect(try Self.completed(stack) == ["\"fine\""])
            }
        }

        @Test func aHeadThatIsDeletedWhileItWaitsForItsRetryFreesItsGroup() async throws {
            try await Self.with("", retryAfter: "60s") { stack in
                let poison = try await Self.post(stack, "poison")
                let next = try await Self.post(stack, "next")
                try await stack.process("broker").line(containing: "task attempt failed")
                let groups = try JSON(Array(try await stack.taskq(["groups", "--json"]).utf8)).array
                #expect(groups.map { $0["task_id"].string } == [poison])
                #expect(groups.first?["state"].string == "retrying")
                let why = try await Self.look(stack, next)["waiting_because"].string
                #expect(why?.hasPrefix("group blocked by \(poison), attempt 1 of 2 failed, retry in") == true)
                let (status, text) = try await stack.end(
                    of: ["groups", "retry", "mail", "a"], within: .seconds(60))
                #expect(status == .exited(4))
                #expect(text.contains("is not parked"), "\(text)")
                #expect(try await Self.delete(stack, poison) == 204)
                #expect(try await stack.finished(next)["state"].string == "completed")
            }
        }

        private static func look(_ stack: Stack, _ id: String) async throws -> JSON {
            try JSON(try await HTTPTestClient.once(try stack.address, "GET", "/tasks/\(id)").body)
        }

        private static func delete(_ stack: Stack, _ id: String) async throws -> Int {
            try await HTTPTestClient.once(try stack.address, "DELETE", "/tasks/\(id)").status
        }

        @Test func aDrainedQueueIsEmptyAndRefusesPostsUntilItIsResumed() async throws {
            try await Self.with("") { stack in
                for number in 0..<20 { _ = try await Self.post(stack, "\(number)", group: "\(number % 3)") }
                #expect(
                    try await stack.taskq(["drain", "mail"])
                        == "drained mail: posts are refused until 'taskq resume mail'")
                let queue = try await Self.status(stack)
                #expect(queue["completed"].int == 20 && queue["pending"].int == 0)
                #expect(queue["pauses"].array.map(\.string) == ["posts refused"])
                #expect(try await stack.post("1", queue: "mail").status == 503)
                _ = try await stack.taskq(["resume", "mail"])
                #expect(try await stack.post("1", queue: "mail").status == 201)
            }
        }

        @Test func aDrainThatIsInterruptedOrLateSaysWhatIsLeftAndLeavesPostsRefused() async throws {
            try await Self.with("on_exhausted = \"park-group\"") { stack in
                let poison = try await Self.post(stack, "poison")
                #expect(try await stack.finished(poison)["state"].string == "parked")
                let late = try await stack.failingTaskq(["drain", "mail", "--timeout", "0"])
                #expect(late.contains("mail still holds 1 tasks: group a blocked by \(poison)"))
                let interrupted = try await stack.terminal(["drain", "mail"]) { terminal in
                    try terminal.shows("draining mail: 1 of 1 left")
                    try terminal.interrupt()
                }
                #expect(interrupted.status == .exited(130))
                #expect(interrupted.text.contains("interrupted: mail still holds 1 tasks"))
                #expect(try await Self.status(stack)["pauses"].array.map(\.string) == ["posts refused"])
            }
        }

        @Test func aQueueIsDeletedOnlyWhenNothingKeepsIt() async throws {
            try await Stack.with(configuration: "[queues.old]\nmax_attempts = 1\n") { stack in
                let plugin = try stack.plugin("old", "#!/bin/sh\nexit 65\n")
                try await stack.startAll(queue: "old", plugin: plugin)
                let dead = try #require(try await stack.post("1", queue: "old").taskID)
                #expect(try await stack.finished(dead)["state"].string == "dead-lettered")
                let delete = ["queues", "delete", "old"]
                let declared = try await stack.failingTaskq(delete + ["--yes"])
                #expect(declared.contains("the configuration declares old"), "\(declared)")

                try await Self.forget(stack)
                let served = try await stack.failingTaskq(delete + ["--yes"])
                #expect(served.contains("stop it first"), "\(served)")
                try await stack.process("worker old").terminate()
                let waiting = try #require(try await stack.post("2", queue: "old").taskID)
                let holding = try await stack.failingTaskq(delete + ["--yes"])
                #expect(holding.contains("old holds 1 waiting, 0 leased, 0 parked and 1 dead tasks"))

                let refused = try await stack.terminal(delete + ["--purge"]) { terminal in
                    try terminal.shows("Type old to go on: ")
                    try terminal.type("yes\n")
                }
                #expect(refused.status == .exited(1) && refused.text.contains("nothing was done"))
                let deleted = try await stack.terminal(delete + ["--purge"]) { terminal in
                    try terminal.shows("which holds 1 waiting, 1 dead")
                    try terminal.shows("Type old to go on: ")
                    try terminal.type("old\n")
                }
                #expect(deleted.status == .exited(0), "\(deleted.text)")
                #expect(deleted.text.hasSuffix("deleted old\r\n"), "\(deleted.text)")
                let queues = try JSON(Array(try await stack.taskq(["queues", "--json"]).utf8)).array
                #expect(queues.map { $0["name"].string } == ["tasks"])
                #expect(try await stack.post("3", queue: "old").status == 404)
                #expect(try await stack.finished(waiting)["state"].string == "cancelled")
                try await stack.stopAndReadJournal()
            }
        }

        /// Takes the queue out of the configuration, and waits until all have found each other again.
        private static func forget(_ stack: Stack) async throws {
            let marks = try ["ingest", "worker old"].map { try stack.process($0) }.map { ($0, $0.mark) }
            try await stack.process("broker").terminate()
            try stack.directory.write("environment = \"test\"\n", to: "taskq.toml")
            try await stack.startBroker()
            try await marks[0].0.line(containing: "broker connected", from: marks[0].1)
            try await marks[1].0.line(containing: "connected to the broker", from: marks[1].1)
        }
    }
}
