import Glibc
import ProcessorSupervision
import TaskModel
import TestSupport
import Testing
import WireProtocol
import WorkerDaemon

@Suite struct WorkerDaemonTests {
    /// Writes its task's payload down, and waits for the file `go` before it ends well.
    private static let patient = """
        #!/bin/sh
        read payload
        echo "$payload" >> "$HOME/begun"
        until [ -e "$HOME/go" ]; do sleep 0.01; done
        echo '{"result":"done"}' >&3
        """

    private static let stream = """
        #!/usr/bin/env python3
        import json, os, sys
        os.write(3, b'{"ready":true,"protocol":1}\\n')
        for line in sys.stdin:
            os.write(3, b'{"id":"%s","ack":true}\\n' % json.loads(line)["id"].encode())
        """

    @Test func aTaskIsRunAndItsResultAcked() async throws {
        try await WorkerFixture.with("#!/bin/sh\ncat >&2\necho '{\"result\":[1]}' >&3\n") { worker in
            try worker.broker.wait("credit") { !worker.broker.credits.isEmpty }
            #expect(worker.broker.hellos.count == 1)
            #expect(worker.broker.hellos[0].role == .worker)
            #expect(worker.broker.hellos[0].name == "worker@mail")
            #expect(worker.broker.hellos[0].queue == "mail")
            #expect(worker.broker.hellos[0].receipts.isEmpty)
            #expect(worker.broker.credits == [1])
            let task = try worker.broker.deliver("{\"a\":1}")
            try worker.broker.wait("the ack") { !worker.broker.acks.isEmpty }
            #expect(
                worker.broker.requests.last
                    == .ack(
                        receipt: task.receipt, id: task.id, result: Array("[1]".utf8)[...], resultError: ""))
            let line = "info {\"a\":1} attempt=1 group=g plugin=mail"
            #expect(worker.log.values.contains { $0.hasPrefix(line) && $0.contains("task.id=\(task.id)") })
        }
    }

    @Test func aStreamProcessorCountsFromReadyOnAndTakesTaskAfterTask() async throws {
        try await WorkerFixture.with(Self.stream, mode: .stream) { worker in
            try worker.broker.wait("credit") { worker.broker.credits.contains(1) }
            for number in 1...200 {
                try worker.broker.deliver("{\"n\":\(number)}")
                try worker.broker.wait("ack \(number)") { worker.broker.acks.count == number }
            }
            #expect(worker.broker.acks == (1...200).map { worker.broker.receipt($0) })
            #expect(worker.broker.credits.filter { $0 > 0 } == [1])
        }
    }

    @Test(arguments: [
        ("exit 3", AttemptOutcome.exited(status: 3)), ("kill -ABRT $$", .signalled(6)),
        ("exec sleep 60", .timedOut),
    ])
    func aFailedAttemptIsExplained(command: String, outcome: AttemptOutcome) async throws {
        try await WorkerFixture.with(
            "#!/bin/sh\necho why >&2\n\(command)\n", settings: { $0.timeoutMilliseconds = 300 }
        ) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            try worker.broker.deliver()
            try worker.broker.wait("the nack") { !worker.broker.nacks.isEmpty }
            #expect(worker.broker.nacks[0].outcome == outcome)
            #expect(worker.broker.nacks[0].stderrTail.elementsEqual("why\n".utf8))
        }
    }

    @Test func aTaskBeyondHelpIsRejected() async throws {
        try await WorkerFixture.with("#!/bin/sh\nexit 65\n") { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            let task = try worker.broker.deliver()
            try worker.broker.wait("the answer") { worker.broker.requests.count == 3 }
            guard case .reject(task.receipt, task.id, let failure) = worker.broker.requests[2] else {
                throw Unmet("\(worker.broker.requests)")
            }
            #expect(failure.outcome == .rejected)
        }
    }

    @Test func concurrencyIsCreditAndTasksRunAtOnce() async throws {
        try await WorkerFixture.with(Self.patient, settings: { $0.concurrency = 3 }) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [3] }
            for number in 1...3 { try worker.broker.deliver("\(number)") }
            try worker.broker.wait("three at once") { worker.lines(of: "begun").count == 3 }
            try worker.touch("go")
            try worker.broker.wait("three acks") { worker.broker.acks.count == 3 }
            #expect(Set(worker.broker.acks) == Set((1...3).map { worker.broker.receipt($0) }))
        }
    }

    @Test func aBrokerRestartNeitherRunsATaskTwiceNorLosesItsAnswer() async throws {
        try await WorkerFixture.with(Self.patient) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            let task = try worker.broker.deliver("once")
            try worker.broker.wait("the start") { worker.lines(of: "begun") == ["once"] }
            worker.broker.close()
            try worker.broker.open()
            try worker.broker.wait("the second hello") { worker.broker.hellos.count == 2 }
            #expect(worker.broker.hellos[1].receipts == [task.receipt])
            #expect(worker.broker.hellos[1].session == worker.broker.hellos[0].session)
            try worker.touch("go")
            try worker.broker.wait("the ack") { worker.broker.acks == [task.receipt] }
            #expect(worker.lines(of: "begun") == ["once"])
        }
    }

    @Test func anAnswerGivenWhileTheBrokerIsAwayIsKept() async throws {
        try await WorkerFixture.with(Self.patient + "\necho over >> \"$HOME/over\"\n") { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            let task = try worker.broker.deliver()
            try worker.broker.wait("the start") { worker.lines(of: "begun").count == 1 }
            worker.broker.close()
            try worker.touch("go")
            let deadline = MonotonicDeadline.after(.seconds(20))
            while worker.lines(of: "over").isEmpty { try #require(MonotonicDeadline.now() < deadline) }
            try worker.broker.open()
            try worker.broker.wait("the ack") { worker.broker.acks == [task.receipt] }
            #expect(worker.broker.hellos[1].receipts == [task.receipt])
        }
    }

    @Test func anUnconfirmedAnswerIsSaidAgainUntilItIsConfirmed() async throws {
        try await WorkerFixture.with("#!/bin/sh\nexit 0\n", broker: { $0.confirms = false }) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            let task = try worker.broker.deliver()
            try worker.broker.wait("the ack") { worker.broker.acks.count == 1 }
            worker.broker.close()
            worker.broker.confirms = true
            try worker.broker.open()
            try worker.broker.wait("the ack again") { worker.broker.acks == [task.receipt, task.receipt] }
            #expect(worker.broker.hellos[1].receipts == [task.receipt])
            // Comes after the confirmation on the same connection.
            try worker.broker.say(.helloRequired)
            try worker.broker.wait("the third hello") { worker.broker.hellos.count == 3 }
            #expect(worker.broker.hellos[2].receipts.isEmpty)
        }
    }

    @Test func staleKillsTheProcessorAndNothingIsAnswered() async throws {
        try await WorkerFixture.with(
            "#!/bin/sh\nread p\necho $$ >> \"$HOME/begun\"\ntrap '' TERM\nsleep 60\n"
        ) {
            worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            let task = try worker.broker.deliver()
            try worker.broker.wait("the start") { worker.lines(of: "begun").count == 1 }
            try worker.broker.say(.settled(receipt: task.receipt, .stale))
            try worker.broker.deliver()
            try worker.broker.wait("the next start") { worker.lines(of: "begun").count == 2 }
            #expect(
                worker.broker.acks.isEmpty && worker.broker.nacks.isEmpty && worker.broker.releases.isEmpty)
            let pid = try #require(worker.lines(of: "begun").first.flatMap { Int32($0) })
            #expect(kill(pid, 0) == -1)
        }
    }

    @Test func allLeasesAreRenewedEveryThirdInOneFrame() async throws {
        try await WorkerFixture.with(
            Self.patient, settings: { $0.concurrency = 2 }, broker: { $0.leaseMilliseconds = 300 }
        ) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [2] }
            let first = try worker.broker.deliver()
            let second = try worker.broker.deliver()
            let both = [first.receipt, second.receipt]
            let start = MonotonicDeadline.now()
            try worker.broker.wait("renewals") { worker.broker.renewals.count { $0 == both } >= 4 }
            #expect(MonotonicDeadline.now() - start >= 300_000_000)
        }
    }

    @Test func aBrokerThatDoesNotKnowUsHearsHelloAgain() async throws {
        try await WorkerFixture.with("#!/bin/sh\nexit 0\n") { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            try worker.broker.say(.helloRequired)
            try worker.broker.wait("hello and credit") {
                worker.broker.hellos.count == 2 && worker.broker.credits == [1, 1]
            }
            let task = try worker.broker.deliver()
            try worker.broker.wait("the ack") { worker.broker.acks == [task.receipt] }
        }
    }

    @Test func aRefusedHelloIsRepeatedUntilItIsWelcome() async throws {
        try await WorkerFixture.with("#!/bin/sh\nexit 0\n", broker: { $0.welcomes = false }) { worker in
            for count in 1...3 {
                try worker.broker.wait("hello \(count)") { worker.broker.hellos.count == count }
                try worker.broker.say(.helloRefused(reason: "a worker named so is connected already"))
            }
            worker.broker.welcomes = true
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
        }
    }

    @Test func aDeliveryBeforeTheWelcomeNeverArrived() async throws {
        try await WorkerFixture.with("#!/bin/sh\ncat >> \"$HOME/begun\"\n", broker: { $0.welcomes = false }) {
            worker in
            try worker.broker.wait("hello") { worker.broker.hellos.count == 1 }
            try worker.broker.deliver("early")
            try worker.broker.say(
                .welcome(Welcome(instance: FakeBroker.instance, leaseMilliseconds: 180_000)))
            let task = try worker.broker.deliver("late")
            try worker.broker.wait("the ack") { worker.broker.acks == [task.receipt] }
            #expect(worker.lines(of: "begun") == ["late"])
        }
    }

    @Test(
        arguments: [
            [], [9], [1, 0, 0], [1, 1, 0, 0, 0, 250], [1, 255, 255, 255, 255, 1], [1, 2, 0, 0, 0, 129, 0],
        ] as [[UInt8]])
    func aBadFrameIsDroppedAndTheWorkerGoesOn(bytes: [UInt8]) async throws {
        try await WorkerFixture.with("#!/bin/sh\nexit 0\n") { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            try worker.broker.sayBytes(bytes)
            let task = try worker.broker.deliver()
            try worker.broker.wait("the ack") { worker.broker.acks == [task.receipt] }
            #expect(worker.log.values.contains { $0.hasPrefix("warning bad frame from the broker") })
        }
    }

    @Test func aKilledProcessorIsNoticedAtOnce() async throws {
        let script = "#!/bin/sh\nread p\necho $$ >> \"$HOME/begun\"\nexec sleep 60\n"
        try await WorkerFixture.with(script) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            try worker.broker.deliver()
            try worker.broker.wait("the start") { worker.lines(of: "begun").count == 1 }
            let pid = try #require(worker.lines(of: "begun").first.flatMap { Int32($0) })
            #expect(kill(pid, SIGKILL) == 0)
            try worker.broker.wait("the nack", seconds: 5) {
                worker.broker.nacks.map(\.outcome) == [.signalled(9)]
            }
        }
    }

    @Test func aStopFinishesWhatRunsAndGivesBackWhatWaits() async throws {
        try await WorkerFixture.with(Self.patient) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            let running = try worker.broker.deliver("first")
            try worker.broker.wait("the start") { worker.lines(of: "begun") == ["first"] }
            worker.stop()
            try worker.broker.wait("no more credit") { worker.broker.credits == [1, 0] }
            let late = try worker.broker.deliver("late")
            try worker.broker.wait("the release") { worker.broker.releases == [late.receipt] }
            try worker.touch("go")
            try worker.broker.wait("the ack") { worker.broker.acks == [running.receipt] }
            #expect(worker.endsWithin(seconds: 10))
            #expect(worker.lines(of: "begun") == ["first"])
        }
    }

    @Test func pastTheGraceTheTaskIsGivenBackUncounted() async throws {
        try await WorkerFixture.with(Self.patient, settings: { $0.stopGraceMilliseconds = 200 }) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            let task = try worker.broker.deliver()
            try worker.broker.wait("the start") { worker.lines(of: "begun").count == 1 }
            worker.stop()
            try worker.broker.wait("the release") { worker.broker.releases == [task.receipt] }
            #expect(worker.endsWithin(seconds: 10))
            #expect(worker.broker.nacks.isEmpty && worker.broker.acks.isEmpty)
        }
    }

    @Test func aProcessorThatCannotStartStallsTheQueueUntilItIsMended() async throws {
        try await WorkerFixture.with("#!/bin/sh\r\nexit 0\r\n") { worker in
            try worker.broker.wait("the stall") { worker.broker.stalls.count == 1 }
            #expect(worker.broker.stalls[0].contains("CRLF"))
            #expect(worker.broker.credits.allSatisfy { $0 == 0 })
            #expect(worker.log.values.count { $0.hasPrefix("error queue stalled") } == 1)
            try worker.directory.write("#!/bin/sh\nexit 0\n", to: "plugin/processor", mode: 0o755)
            try worker.broker.wait("credit") { worker.broker.credits.last == 1 }
            #expect(worker.broker.stalls.last == "")
            let task = try worker.broker.deliver()
            try worker.broker.wait("the ack") { worker.broker.acks == [task.receipt] }
        }
    }

    @Test func exit127GivesTheTaskBackAndIsTriedAgain() async throws {
        let script = "#!/bin/sh\n[ -e \"$HOME/go\" ] || exec no-such-command\nexit 0\n"
        try await WorkerFixture.with(script) { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            let first = try worker.broker.deliver()
            try worker.broker.wait("the stall") {
                worker.broker.releases == [first.receipt] && worker.broker.stalls.count == 1
            }
            #expect(
                worker.broker.stalls[0].contains("127") && worker.broker.stalls[0].contains("no-such-command")
            )
            try worker.touch("go")
            try worker.broker.wait("credit again") { worker.broker.credits == [1, 0, 1] }
            let second = try worker.broker.deliver()
            try worker.broker.wait("the ack") { worker.broker.acks == [second.receipt] }
            #expect(worker.broker.nacks.isEmpty)
        }
    }

    @Test func aChangedManifestEndsTheWorkerForANewStart() async throws {
        try await WorkerFixture.with("#!/bin/sh\nexit 0\n") { worker in
            try worker.broker.wait("credit") { worker.broker.credits == [1] }
            try worker.directory.write("concurrency = 2\n", to: "plugin/plugin.toml")
            #expect(worker.endsWithin(seconds: 10))
        }
    }
}
