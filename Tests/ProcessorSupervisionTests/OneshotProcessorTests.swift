import Glibc
import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

@Suite struct OneshotProcessorTests {
    @Test func aThreeLineScriptAcksByItsExitStatus() async throws {
        let script = """
            #!/bin/sh
            cat
            echo "$TASKQ_QUEUE $TASKQ_TASK_ID $TASKQ_GROUP $TASKQ_ATTEMPT/$TASKQ_MAX_ATTEMPTS"
            """
        try await SupervisedPlugin.with(script) { plugin in
            let task = SupervisedPlugin.task("{\"to\":\"a\"}")
            let attempt = try plugin.run(task)
            #expect(attempt.verdict == .acked(result: [], resultError: ""))
            #expect(plugin.outputText == ["{\"to\":\"a\"}", "mail \(task.id) g 1/5"])
            #expect(plugin.output.allSatisfy { $0.task == task.label && $0.priority == 6 })
        }
    }

    @Test(arguments: [
        ("exit 3", AttemptVerdict.failed(.exited(status: 3), reason: "", retryAfterMilliseconds: nil)),
        ("exit 75", .failed(.exited(status: 75), reason: "", retryAfterMilliseconds: nil)),
        ("exit 65", .dead(reason: "exit 65")),
        ("kill -SEGV $$", .failed(.signalled(11), reason: "", retryAfterMilliseconds: nil)),
        ("kill -KILL $$", .failed(.signalled(9), reason: "", retryAfterMilliseconds: nil)),
        ("exit 0", .acked(result: [], resultError: "")),
    ])
    func theExitStatusDecides(command: String, verdict: AttemptVerdict) async throws {
        try await SupervisedPlugin.with("#!/bin/sh\n\(command)\n") { plugin in
            let ended = try plugin.run().verdict
            #expect(ended == verdict)
        }
    }

    @Test func unreadStandardInputIsNoError() async throws {
        try await SupervisedPlugin.with("#!/bin/sh\nexec 0<&-\nexit 0\n") { plugin in
            let payload = "\"" + String(repeating: "x", count: 1 << 20) + "\""
            let verdict = try plugin.run(SupervisedPlugin.task(payload)).verdict
            #expect(verdict == .acked(result: [], resultError: ""))
        }
    }

    @Test func aPayloadLargerThanThePipeArrivesWhole() async throws {
        try await SupervisedPlugin.with("#!/bin/sh\nwc -c\n") { plugin in
            let payload = "\"" + String(repeating: "x", count: 3 << 20) + "\""
            let verdict = try plugin.run(SupervisedPlugin.task(payload)).verdict
            #expect(verdict == .acked(result: [], resultError: ""))
            #expect(plugin.outputText == [String((3 << 20) + 3)])
        }
    }

    @Test func aResultIsKeptAndAnOversizedOneIsDroppedWithAWord() async throws {
        let script = """
            #!/usr/bin/env python3
            import os, sys
            size = int(sys.stdin.read())
            os.write(3, b'{"progress":0.5}\\n{"result":"' + b'x' * (size - 2) + b'"}\\n')
            """
        try await SupervisedPlugin.with(script) { plugin in
            let kept = try plugin.run(SupervisedPlugin.task("16384", number: 1))
            guard case .acked(let result, "") = kept.verdict else { throw TestFailure(sentence: "\(kept)") }
            #expect(result.count == 16_384)
            let dropped = try plugin.run(SupervisedPlugin.task("16385", number: 2))
            let words = "result of 16385 bytes dropped, at most 16384 are kept"
            #expect(dropped.verdict == .acked(result: [], resultError: words))
            #expect(plugin.events.contains(.progress(kept.task.id, share: 0.5)))
        }
    }

    @Test func noiseOnDescriptor3ChangesNoVerdictButIsTold() async throws {
        try await SupervisedPlugin.with("#!/bin/sh\nprintf 'no\\001se\\n' >&3\n") { plugin in
            guard case .acked(_, let error) = try plugin.run().verdict else {
                throw TestFailure(sentence: "no ack")
            }
            #expect(error.contains("not JSON") && error.contains("no\\x01se"))
        }
    }

    @Test func aHangIsTerminatedAtTheTimeout() async throws {
        try await SupervisedPlugin.with("#!/bin/sh\necho last words >&2\nexec sleep 100\n") {
            $0.timeoutMilliseconds = 200
        } _: { plugin in
            let attempt = try plugin.run()
            #expect(
                attempt.verdict
                    == .failed(.timedOut, reason: "timed out after 0.2 s", retryAfterMilliseconds: nil))
            #expect(attempt.stderrTail.elementsEqual("last words\n".utf8))
            #expect((200..<10_000).contains(attempt.durationMilliseconds))
        }
    }

    @Test func whoIgnoresTermIsKilledAfterTheGrace() async throws {
        let script = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.05; done\n"
        try await SupervisedPlugin.with(script) {
            $0.timeoutMilliseconds = 100
        } _: { plugin in
            let attempt = try plugin.run()
            guard case .failed(.timedOut, _, _) = attempt.verdict else {
                throw TestFailure(sentence: "\(attempt)")
            }
            #expect(attempt.durationMilliseconds >= 400)
        }
    }

    @Test func anExtensionMovesTheDeadlineAndMaxRuntimeBoundsIt() async throws {
        let script = "#!/bin/sh\necho '{\"extend\":60}' >&3\nexec sleep 100\n"
        try await SupervisedPlugin.with(script) {
            $0.timeoutMilliseconds = 5_000
            $0.maxRuntimeMilliseconds = 400
        } _: { plugin in
            let attempt = try plugin.run()
            guard case .failed(.timedOut, _, _) = attempt.verdict else {
                throw TestFailure(sentence: "\(attempt)")
            }
            #expect((400..<4_900).contains(attempt.durationMilliseconds))
        }
        try await SupervisedPlugin.with("#!/bin/sh\necho '{\"extend\":20}' >&3\nread line\nsleep 0.5\n") {
            $0.timeoutMilliseconds = 300
        } _: { plugin in
            let verdict = try plugin.run().verdict
            #expect(verdict == .acked(result: [], resultError: ""))
        }
    }

    @Test func childrenThatLeftTheirSessionDieWithTheAttempt() async throws {
        let script = """
            #!/bin/sh
            setsid sh -c 'echo $$; exec sleep 300' &
            sh -c 'setsid sleep 301 & echo $!' &
            while [ $(wc -w < /proc/$$/task/$$/children) -lt 1 ]; do :; done
            read payload
            exit 4
            """
        try await SupervisedPlugin.with(script) { plugin in
            let attempt = try plugin.run()
            guard case .failed(.exited(status: 4), _, _) = attempt.verdict else {
                throw TestFailure(sentence: "\(attempt)")
            }
            #expect(plugin.notices.count == 1)
            for pid in plugin.outputText.compactMap({ Int32($0) }) {
                try plugin.wait("the death of \(pid)") { !isAlive(pid) }
            }
        }
    }

    @Test func theTailOfStderrIsItsLast4KiB() async throws {
        let script =
            "#!/usr/bin/env python3\nimport sys\n"
            + "for i in range(2000): print(f'line {i:05}', file=sys.stderr)\nsys.exit(1)\n"
        try await SupervisedPlugin.with(script) { plugin in
            let attempt = try plugin.run()
            #expect(attempt.stderrTail.count == 4_096)
            #expect(String(decoding: attempt.stderrTail, as: UTF8.self).hasSuffix("line 01998\nline 01999\n"))
            #expect(plugin.outputText.count == 2_000)
            #expect(plugin.output.allSatisfy { $0.source == .standardError })
        }
    }

    @Test func levelPrefixesAreTakenOffAndCappedAtErr() async throws {
        let script =
            "#!/bin/sh\necho '<0>panic'; echo '<3>err'; echo '<7>debug'; echo '<8>text'; printf half\n"
        try await SupervisedPlugin.with(script) { plugin in
            _ = try plugin.run()
            #expect(plugin.outputText == ["panic", "err", "debug", "<8>text", "half"])
            #expect(plugin.output.map(\.priority) == [3, 3, 7, 6, 6])
        }
    }

    @Test func muchOutputIsHeldBackByThePipeAndNothingIsLost() async throws {
        let script = "#!/usr/bin/env python3\nfor i in range(60000): print(f'{i:06}')\n"
        try await SupervisedPlugin.with(script) { plugin in
            plugin.refusesOutput = true
            try plugin.assign()
            try plugin.wait("a full pipe") {
                plugin.supervisor.pids.first.map { Self.isBlockedInPipe($0) } ?? false
            }
            #expect(plugin.finished.isEmpty)
            plugin.refusesOutput = false
            try plugin.wait("the end") { plugin.finished.count == 1 && plugin.output.count == 60_000 }
            #expect(plugin.outputText == (0..<60_000).map { String(format: $0) })
        }
    }

    @Test func theSurroundingsAreCleanAndDescriptorsAreFour() async throws {
        let script = """
            #!/usr/bin/env python3
            import os, signal, sys
            print(sorted(os.environ))
            print(sorted(int(n) for n in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}')))
            print([os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in range(4)])
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
            print(signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL, mask)
            print(oct(os.umask(0)), os.getcwd() == os.environ['HOME'], os.getpgrp() == os.getpid())
            print(open('/proc/self/oom_score_adj').read().strip())
            print([line for line in open('/proc/self/status') if line.startswith('SigIgn')])
            """
        try await SupervisedPlugin.with(script) {
            $0.environment = ["COLOUR": "blue", "TASKQ_FD": "9"]
        } _: { plugin in
            _ = try plugin.run()
            let text = plugin.outputText
            try #require(text.count == 7, "\(text) \(plugin.events)")
            let expected = [
                "COLOUR", "HOME", "LANG", "PATH", "PYTHONUNBUFFERED", "TASKQ_ATTEMPT", "TASKQ_DEADLINE",
                "TASKQ_FD",
                "TASKQ_GROUP", "TASKQ_MAX_ATTEMPTS", "TASKQ_PROCESSOR", "TASKQ_QUEUE", "TASKQ_SEQUENCE",
                "TASKQ_STATE_DIR",
                "TASKQ_TASK_ID", "TMPDIR",
            ]
            for name in expected { #expect(text[0].contains("'\(name)'")) }
            let python = ["LC_CTYPE"]
            let count = text[0].split(separator: ",").count
            #expect(count == expected.count || (count == expected.count + 1 && text[0].contains(python[0])))
            #expect(text[1] == "[0, 1, 2, 3]")
            #expect(text[2] == "['pipe', 'pipe', 'pipe', 'pipe']")
            #expect(text[3] == "True set()")
            #expect(text[4] == "0o77 True True")
            #expect(text[5] == "500")
        }
    }

    @Test func severalRunAtOnceUpToTheConcurrency() async throws {
        try await SupervisedPlugin.with("#!/bin/sh\nread n\nuntil [ -e \"$HOME/go\" ]; do sleep 0.01; done\n")
        {
            $0.concurrency = 3
        } _: { plugin in
            for number in 1...3 { try plugin.assign(SupervisedPlugin.task(number: UInt64(number))) }
            #expect(plugin.supervisor.processCount == 3)
            #expect(
                plugin.supervisor.assign(
                    SupervisedPlugin.task(number: 4), now: SupervisedPlugin.now(), wall: WallTime(rawValue: 0)
                ) == nil)
            try plugin.directory.write("", to: "go")
            try plugin.wait("three ends") { plugin.finished.count == 3 }
            #expect(plugin.finished.allSatisfy { $0.verdict == .acked(result: [], resultError: "") })
        }
    }

    @Test func aStopReturnsTheTaskUncounted() async throws {
        try await SupervisedPlugin.with("#!/bin/sh\nexec sleep 100\n") { _ in
        } _: { plugin in
            try plugin.assign()
            plugin.supervisor.stop(now: SupervisedPlugin.now())
            try plugin.wait("the end") { plugin.supervisor.processCount == 0 }
            #expect(plugin.finished.map(\.verdict) == [.released])
        }
    }

    @Test func anAbandonedAttemptSaysNothingMore() async throws {
        try await SupervisedPlugin.with("#!/bin/sh\ntrap '' TERM\nexec sleep 100\n") { _ in
        } _: { plugin in
            let slot = try plugin.assign()
            plugin.supervisor.abandon(slot: slot)
            #expect(plugin.supervisor.capacity == 0)
            try plugin.wait("the end") { plugin.supervisor.processCount == 0 }
            #expect(plugin.finished.isEmpty)
            #expect(plugin.supervisor.capacity == 1)
        }
    }

    /// Sleeping in a write to a pipe, as the kernel sees it: the process has written all it can.
    private static func isBlockedInPipe(_ pid: Int32) -> Bool {
        let bytes = try? TextFile.bytes(of: "/proc/\(pid)/wchan")  // ignoring: it has ended
        guard let bytes else { return false }
        let name = String(decoding: bytes, as: UTF8.self)
        return name.contains("pipe")
    }
}

extension String {
    /// Six digits.
    fileprivate init(format number: Int) {
        let digits = String(number)
        self = String(repeating: "0", count: 6 - digits.count) + digits
    }
}
