import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// One task's way through real processes.
    @Suite struct DeliveryTests {
        @Test func aPostedTaskIsProcessedAndItsResultIsKnown() async throws {
            try await Stack.with { stack in
                let plugin = try stack.plugin(
                    "tasks", "#!/bin/sh\necho \"{\\\"result\\\":{\\\"seen\\\":$(wc -c)}}\" >&3\n")
                try await stack.startAll(plugin: plugin)
                let answer = try await stack.post(EndToEndTests.task)
                #expect(answer.status == 201)
                let id = try #require(answer.taskID)
                #expect(answer[header: "Location"] == "/tasks/\(id)")
                #expect(answer[header: "Taskq-Sequence"] == "1")
                let view = try await stack.finished(id)
                #expect(view["state"].string == "completed", "\(view)")
                // The stored task with its id, as HTTP promises it, and the newline behind it.
                let stored =
                    #"{"task_id":"\#(id)","title":"a","description":"b","priority":"low","due_date":null}"#
                #expect(view["result"]["seen"].int == stored.utf8.count + 1)
            }
        }

        @Test func oneKeyIsOneTaskAlsoAcrossARestartOfTheBroker() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                let headers = ["Idempotency-Key": "order-17"]
                let first = try await stack.post(EndToEndTests.task, headers: headers)
                let second = try await stack.post(EndToEndTests.task, headers: headers)
                #expect(first.status == 201 && second.status == 201)
                #expect(second.taskID == first.taskID)
                #expect(second[header: "Idempotency-Replayed"] == "true")
                #expect(first[header: "Idempotency-Replayed"] == nil)

                try await stack.process("broker").killHard()
                let mark = try stack.process("ingest").mark
                try await stack.startBroker()
                try await stack.process("ingest").line(containing: "broker connected", from: mark)
                let third = try await stack.post(EndToEndTests.task, headers: headers)
                #expect(third.taskID == first.taskID)
                #expect(third[header: "Idempotency-Replayed"] == "true")
                let other = try await stack.post(
                    #"{"title":"a","description":"other","priority":"low"}"#, headers: headers)
                #expect(other.status == 422)
                let status = try JSON(Array(try await stack.taskq(["status", "--json"]).utf8))
                #expect(status["queues"].array.first?["accepted"].int == 1, "\(status)")
                try await stack.stopAndReadJournal()
            }
        }

        @Test func restartingTheBrokerNeitherRunsATaskTwiceNorLosesItsAnswer() async throws {
            try await Stack.with { stack in
                let runs = stack.directory.path("runs")
                let gate = stack.directory.path("gate")
                try #require(mkfifo(gate, 0o600) == 0)
                let plugin = try stack.plugin(
                    "tasks",
                    """
                    #!/bin/sh
                    echo run >> \(runs)
                    echo started >&2
                    read line < \(gate)
                    echo '{"result":42}' >&3

                    """
                )
                try await stack.startAll(plugin: plugin)
                let id = try #require(try await stack.post(EndToEndTests.task).taskID)
                let worker = try stack.process("worker tasks")
                try await worker.line(containing: "started")

                try await stack.process("broker").killHard()
                let mark = worker.mark
                let ingestMark = try stack.process("ingest").mark
                try await stack.startBroker()
                try await worker.line(containing: "connected to the broker", from: mark)
                try await stack.process("ingest").line(containing: "broker connected", from: ingestMark)
                try openGate(gate)
                let view = try await stack.finished(id)
                #expect(view["state"].string == "completed", "\(view)")
                #expect(view["result"].int == 42)
                #expect(try TextFile.lines(of: runs).filter { !$0.isEmpty } == ["run"])
                try await stack.stopAndReadJournal()
            }
        }

        @Test func anAnswerGivenWhileTheBrokerIsAwayIsTakenWhenItIsBack() async throws {
            try await Stack.with { stack in
                let runs = stack.directory.path("runs")
                let gate = stack.directory.path("gate")
                try #require(mkfifo(gate, 0o600) == 0)
                let plugin = try stack.plugin(
                    "tasks",
                    """
                    #!/bin/sh
                    echo run >> \(runs)
                    echo started >&2
                    read line < \(gate)
                    echo ending >&2
                    echo '{"result":7}' >&3

                    """
                )
                try await stack.startAll(plugin: plugin)
                let id = try #require(try await stack.post(EndToEndTests.task).taskID)
                let worker = try stack.process("worker tasks")
                try await worker.line(containing: "started")
                try await stack.process("broker").killHard()
                try openGate(gate)
                try await worker.line(containing: "ending")
                let ingestMark = try stack.process("ingest").mark
                try await stack.startBroker()
                try await stack.process("ingest").line(containing: "broker connected", from: ingestMark)
                let view = try await stack.finished(id)
                #expect(view["state"].string == "completed", "\(view)")
                #expect(view["result"].int == 7)
                #expect(try TextFile.lines(of: runs).filter { !$0.isEmpty } == ["run"])
                try await stack.stopAndReadJournal()
            }
        }

        private func openGate(_ path: String) throws {
            let descriptor = open(path, O_WRONLY | O_CLOEXEC)
            try #require(descriptor >= 0)
            _ = write(descriptor, "go\n", 3)
            close(descriptor)
        }

        @Test func aTaskThatAlwaysFailsIsDeadAfterItsAttemptsAlsoIfTheWorkerDiesInBetween() async throws {
            let configuration = "[queue]\nmax_attempts = 4\n[processor.retry]\ninitial = \"10ms\"\n"
            try await Stack.with(configuration: configuration) { stack in
                // The second attempt takes its worker with it.
                let plugin = try stack.plugin(
                    "tasks",
                    """
                    #!/bin/sh
                    echo "attempt $TASKQ_ATTEMPT of $TASKQ_MAX_ATTEMPTS" >&2
                    if [ "$TASKQ_ATTEMPT" = 2 ]; then kill -9 $PPID; fi
                    exit 3

                    """)
                try await stack.startAll(plugin: plugin)
                let id = try #require(try await stack.post(EndToEndTests.task).taskID)
                #expect(try await stack.process("worker tasks").end() == .signalled(SIGKILL))
                try await stack.startWorker("tasks", plugin: plugin)
                let view = try await stack.finished(id)
                #expect(view["state"].string == "dead-lettered", "\(view)")
                let attempts = view["attempts"].array
                #expect(attempts.map { $0["number"].int } == [1, 2, 3, 4], "\(view)")
                #expect(
                    attempts.map { $0["outcome"].string } == ["exit 3", "worker-lost", "exit 3", "exit 3"])
                #expect(
                    attempts.map { $0["stderr"].string?.contains("attempt") ?? false } == [
                        true, false, true, true,
                    ])
                #expect(attempts.allSatisfy { ($0["duration_ms"].int ?? -1) >= 0 })
                #expect(attempts.last?["stderr"].string == "attempt 4 of 4\n")
                try await stack.stopAndReadJournal()
            }
        }

        @Test func aBrokerThatIsAwayGives503AndNothingIsLostOrInvented() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                let ingest = try stack.process("ingest")
                let mark = ingest.mark
                try await stack.process("broker").killHard()
                try await ingest.line(containing: "broker", from: mark)
                let refused = try await stack.post(EndToEndTests.task)
                #expect(refused.status == 503)
                #expect(refused[header: "Taskq-Outcome"] == "refused")
                #expect(refused[header: "Retry-After"] != nil)
                #expect(refused.text == #"{"detail":"Failed to enqueue task"}"#)
                let back = ingest.mark
                try await stack.startBroker()
                try await ingest.line(containing: "broker connected", from: back)
                #expect(try await stack.post(EndToEndTests.task)[header: "Taskq-Sequence"] == "1")
                try await stack.stopAndReadJournal()
            }
        }
    }
}
