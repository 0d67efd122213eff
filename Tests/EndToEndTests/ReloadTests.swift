import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// SIGHUP: what can change in a running daemon changes, what cannot is said.
    @Suite struct ReloadTests {
        /// Writes the configuration anew and waits until the daemon has read it.
        private func reload(_ stack: Stack, _ name: String, _ text: String, until said: String) async throws {
            try stack.directory.write("environment = \"test\"\n" + text, to: "taskq.toml")
            let process = try stack.process(name)
            process.signal(SIGHUP)
            try await process.line(containing: said)
        }

        @Test func aQueuesSettingsChangeInARunningBrokerAndASecondTimeToo() async throws {
            try await Stack.with(configuration: "[queue]\nmax_depth = 5\n") { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                for _ in 0..<5 { #expect(try await stack.post(EndToEndTests.task).status == 201) }
                #expect(try await stack.post(EndToEndTests.task).status == 503)
                try await reload(
                    stack, "broker", "[queue]\nmax_depth = 7\n[log]\ntasks = \"failures\"\n",
                    until: "changed='queue.max_depth, log.tasks'")
                for _ in 0..<2 { #expect(try await stack.post(EndToEndTests.task).status == 201) }
                #expect(try await stack.post(EndToEndTests.task).status == 503)
                // A queue that the file names anew exists from then on.
                try await reload(
                    stack, "broker", "[queue]\nmax_depth = 7\n[queues.mail]\nmax_depth = 1\n",
                    until: "queues.mail.max_depth")
                try await stack.process("broker").line(containing: "task.queue=mail")
                #expect(try await stack.post("{}", queue: "mail").status == 201)
                #expect(try await stack.post("{}", queue: "mail").status == 503)
                try await stack.stopAndReadJournal()
            }
        }

        @Test func aQueueTakesNoMoreBytesThanItsBoundUntilThatIsRaised() async throws {
            try await Stack.with(configuration: "[queues.mail]\nmax_bytes = \"4 MiB\"\n") { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                let body = "\"" + String(repeating: "x", count: 1_000_000) + "\""
                for _ in 0..<4 { #expect(try await stack.post(body, queue: "mail").status == 201) }
                let refused = try await stack.post(body, queue: "mail")
                #expect(refused.status == 503 && refused[header: "Taskq-Outcome"] == "refused")
                #expect(try await stack.post(EndToEndTests.task).status == 201)
                try await reload(
                    stack, "broker", "[queues.mail]\nmax_bytes = \"8 MiB\"\n",
                    until: "changed=queues.mail.max_bytes")
                #expect(try await stack.post(body, queue: "mail").status == 201)
            }
        }

        @Test func aDeadTaskGoesWhenItsTimeInTheDeadLetterQueueIsOver() async throws {
            try await Stack.with(configuration: "[queue]\ndlq_retention = \"1s\"\n") { stack in
                let plugin = try stack.plugin("tasks", "#!/bin/sh\nexit 65\n")
                try await stack.startAll(plugin: plugin)
                let id = try #require(try await stack.post(EndToEndTests.task).taskID)
                #expect(try await stack.finished(id)["state"].string == "dead-lettered")
                let line = "task purged by=dlq_retention task.id=\(id)"
                try await stack.process("broker").line(containing: line)
                #expect(try await stack.taskq(["dlq", "ls", "tasks"]).contains(id) == false)
                try await stack.stopAndReadJournal()
            }
        }

        @Test func aCheckTellsWhichWaitingTasksAChangeWouldExpire() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                #expect(try await stack.post(EndToEndTests.task).status == 201)
                let long = try stack.directory.write("[queue]\nretention = \"2d\"\n", to: "long.toml")
                let quiet = try await stack.taskq(["config", "check", "--config", long])
                #expect(!quiet.contains("expired"), "\(quiet)")
                let short = try stack.directory.write("[queue]\nretention = \"1s\"\n", to: "short.toml")
                // The task only has to get older than a second.
                let deadline = MonotonicDeadline.after(.seconds(30))
                var said = ""
                while !said.contains("expired"), MonotonicDeadline.now() < deadline {
                    said = try await stack.taskq(["config", "check", "--config", short])
                }
                #expect(said.contains("queue tasks: its oldest waiting task is"), "\(said)")
                #expect(said.contains("of 1 waiting tasks some go to the dead-letter queue"), "\(said)")
            }
        }

        @Test func whatTakesARestartIsSaidOnceAndAMistakeChangesNothing() async throws {
            try await Stack.with { stack in
                let broker = try await stack.startBroker()
                let large = "[journal]\nsegment_bytes = \"32 MiB\"\n"
                try await reload(stack, "broker", large, until: "changes that take a restart")
                let line = broker.lines.last { $0.text.contains("take a restart") }?.text ?? ""
                #expect(line.contains("journal.segment_bytes"), "\(line)")
                try await reload(stack, "broker", large + "[queue]\nlease = 5\n", until: "the old one stays")
                let mistake = broker.lines.last { $0.text.contains("old one stays") }?.text ?? ""
                #expect(mistake.contains("taskq.toml:5:1: queue.lease: expected"), "\(mistake)")
                try await reload(stack, "broker", large + "[log]\nlevel = \"debug\"\n", until: "log.level")
                #expect(broker.lines.count { $0.text.contains("take a restart") } == 1)
                #expect(broker.status == nil)
            }
        }

        @Test func ingestTakesOverTheSizeOfBodies() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                let text = String(repeating: "x", count: 5_000)
                let body = #"{"title":"a","description":"\#(text)","priority":"low"}"#
                #expect(try await stack.post(body).status == 201)
                try await reload(
                    stack, "ingest", "[api]\nmax_body_bytes = \"2 KiB\"\n", until: "configuration reloaded")
                #expect(try await stack.post(body).status == 413)
                #expect(try await stack.post(EndToEndTests.task).status == 201)
            }
        }

        @Test func aWorkerTakesOverTheTimeoutOfAttempts() async throws {
            try await Stack.with(configuration: "[queue]\nmax_attempts = 1\n") { stack in
                let plugin = try stack.plugin("tasks", "#!/bin/sh\nexec sleep 1000\n")
                try await stack.startAll(plugin: plugin)
                try await reload(
                    stack, "worker tasks", "[queue]\nmax_attempts = 1\n[processor]\ntimeout = \"200ms\"\n",
                    until: "changed=processor.timeout")
                let id = try #require(try await stack.post(EndToEndTests.task).taskID)
                let view = try await stack.finished(id)
                #expect(view["state"].string == "dead-lettered", "\(view)")
                #expect("\(view)".contains("timeout"), "\(view)")
            }
        }
    }
}
