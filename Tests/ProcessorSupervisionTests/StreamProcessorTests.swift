import Glibc
import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

@Suite struct StreamProcessorTests {
    /// Says ready, then hands each task to `body`, which has `task`, `id` and `say(…)`.
    static func python(_ body: String, before: String = "") -> String {
        """
        #!/usr/bin/env python3
        import json, os, signal, subprocess, sys, time
        def say(**answer): os.write(3, (json.dumps(answer) + '\\n').encode())
        \(before)
        say(ready=True, protocol=1)
        for line in sys.stdin:
            task = json.loads(line)
            id = task['id']
        \(body.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
        """
    }

    private func with(
        _ body: String, before: String = "", settings: (inout ProcessorSettings) -> Void = { _ in },
        _ test: @escaping @Sendable (SupervisedPlugin) throws -> Void
    ) async throws {
        try await SupervisedPlugin.with(
            Self.python(body, before: before),
            settings: {
                $0.mode = .stream
                settings(&$0)
            }, test)
    }

    @Test func oneWarmProcessTakesOneTaskAfterAnother() async throws {
        try await with(
            "say(id=id, ack=True, result=[task['payload']['n'], task['attempt'], task['group'], os.getpid()])"
        ) { plugin in
            var pids: Set<Substring> = []
            for number in 1...50 {
                let task = SupervisedPlugin.task(
                    "{\"n\":\(number)}", number: UInt64(number), group: "a\"\\b", attempt: 2)
                guard case .acked(let result, "") = try plugin.run(task).verdict else {
                    throw TestFailure(sentence: "no ack")
                }
                let text = String(decoding: result, as: UTF8.self)
                #expect(text.hasPrefix("[\(number), 2, \"a\\\"\\\\b\", "))
                pids.insert(text.split(separator: " ").last ?? "")
            }
            #expect(pids.count == 1)
        }
    }

    @Test func nothingIsTakenBeforeReady() async throws {
        try await with(
            "say(id=id, ack=True)",
            before: "while not os.path.exists(os.environ['HOME'] + '/go'): time.sleep(0.01)"
        ) { plugin in
            #expect(plugin.supervisor.capacity == 0)
            #expect(
                plugin.supervisor.assign(
                    SupervisedPlugin.task(), now: SupervisedPlugin.now(), wall: WallTime(rawValue: 0)) == nil)
            try plugin.directory.write("", to: "go")
            try plugin.wait("ready") { plugin.supervisor.capacity == 1 }
            _ = try plugin.run()
            #expect(plugin.finished.count == 1)
        }
    }

    @Test(arguments: [
        (
            "say(id=id, nack='later', retry_after=2.5)",
            AttemptVerdict.failed(.nacked, reason: "later", retryAfterMilliseconds: 2_500)
        ),
        (
            "say(id=id, nack='much later', retry_after=99999)",
            .failed(.nacked, reason: "much later", retryAfterMilliseconds: 3_600_000)
        ),
        ("say(id=id, nack='no')", .failed(.nacked, reason: "no", retryAfterMilliseconds: nil)),
        ("say(id=id, dead='never')", .dead(reason: "never")),
        ("say(id=id, ack=True, more='ignored', result=None)", .acked(result: [], resultError: "")),
        (
            "os.write(3, b'{\"id\":\"%s\",\"ack\":true}\\r\\n' % id.encode())",
            .acked(result: [], resultError: "")
        ),
        (
            "say(id=id.upper(), progress=0.1); say(id='other', ack=True); say(id=id, ack=True)",
            .acked(result: [], resultError: "")
        ),
        (
            "b = b'{\"id\":\"%s\",\"ack\":true}\\n' % id.encode()\nfor i in b: os.write(3, bytes([i]))",
            .acked(result: [], resultError: "")
        ),
        (
            "sys.exit(7)",
            .failed(.exited(status: 7), reason: "ended without an answer", retryAfterMilliseconds: nil)
        ),
        (
            "sys.exit(0)",
            .failed(.exited(status: 0), reason: "ended without an answer", retryAfterMilliseconds: nil)
        ),
        (
            "os.kill(os.getpid(), 11)",
            .failed(.signalled(11), reason: "ended without an answer", retryAfterMilliseconds: nil)
        ),
        (
            "os.write(3, b'{\"id\":\"%s\",\"ack\":true}' % id.encode()); sys.exit(0)",
            .acked(result: [], resultError: "")
        ),
    ])
    func anAnswerIsTheVerdict(body: String, verdict: AttemptVerdict) async throws {
        try await with(body) { plugin in
            let first = try plugin.run(SupervisedPlugin.task(number: 1))
            #expect(first.verdict == verdict)
            // Whatever became of the first process, the next task finds one.
            let second = try plugin.run(SupervisedPlugin.task(number: 2))
            #expect(second.verdict == verdict)
        }
    }

    @Test(arguments: [
        ("os.write(3, b'gar\\xffbage\\n')", "gar\\xffbage"),
        ("os.write(3, b'x' * 65537 + b'\\n')", "a line over 64 KiB"),
        ("os.write(3, b'[1]\\n')", "not an object"),
        ("say(id=id, ack=False)", "ack is not true"),
        ("say(id=id, ack=True, nack='both')", "more than one of"),
        ("say(ack=True)", "no id"),
        ("say(id=id)", "none of"),
    ])
    func garbageIsANackAndEndsTheProcess(body: String, words: String) async throws {
        try await with(body) { plugin in
            let attempt = try plugin.run()
            guard case .failed(.badAnswer, let reason, nil) = attempt.verdict else {
                throw TestFailure(sentence: "\(attempt)")
            }
            #expect(reason.hasPrefix("bad answer: ") && reason.contains(words), "\(reason)")
        }
    }

    @Test func anAnswerAfterTheTimeoutIsDropped() async throws {
        let late =
            "signal.signal(signal.SIGTERM, lambda *_: (say(id=id, ack=True), sys.exit(0)))\ntime.sleep(100)"
        try await with(late, settings: { $0.timeoutMilliseconds = 200 }) { plugin in
            guard case .failed(.timedOut, _, _) = try plugin.run().verdict else {
                throw TestFailure(sentence: "no timeout")
            }
            #expect(plugin.finished.count == 1)
        }
    }

    @Test func anExtensionLetsATaskRunOn() async throws {
        try await with(
            "say(id=id, extend=20); time.sleep(0.5); say(id=id, ack=True)",
            settings: { $0.timeoutMilliseconds = 300 }
        ) { plugin in
            let verdict = try plugin.run().verdict
            #expect(verdict == .acked(result: [], resultError: ""))
        }
    }

    @Test func deathIsNoticedThoughAChildHoldsDescriptor3() async throws {
        let body =
            "orphan = subprocess.Popen(['sleep', '300'], close_fds=False, start_new_session=True)\n"
            + "print(orphan.pid, flush=True)\nos._exit(9)"
        try await with(body) { plugin in
            let attempt = try plugin.run()
            #expect(
                attempt.verdict
                    == .failed(
                        .exited(status: 9), reason: "ended without an answer", retryAfterMilliseconds: nil))
            let orphan = try #require(plugin.outputText.compactMap { Int32($0) }.first)
            try plugin.wait("the orphan's death") { !isAlive(orphan) }
            #expect(plugin.notices == ["killed 1 that it left behind"])
        }
    }

    @Test func stderrOfAnAttemptIsItsOwn() async throws {
        try await with(
            "print('attempt of', task['payload'], file=sys.stderr); sys.stderr.flush(); say(id=id, nack='no')"
        ) { plugin in
            _ = try plugin.run(SupervisedPlugin.task("1", number: 1))
            let second = try plugin.run(SupervisedPlugin.task("2", number: 2))
            #expect(String(decoding: second.stderrTail, as: UTF8.self) == "attempt of 2\n")
            #expect(plugin.output.map(\.task?.id) == plugin.finished.map(\.task.id))
        }
    }

    @Test func aDrainLetsTheTaskInHandFinishAndClosesStandardInput() async throws {
        let body = """
            while not os.path.exists(os.environ['HOME'] + '/go'): time.sleep(0.01)
            say(id=id, ack=True)
            """
        try await with(
            body, before: "import atexit; atexit.register(lambda: print('end of input', flush=True))",
            settings: { $0.closeGraceMilliseconds = 10_000 }
        ) { plugin in
            try plugin.assign()
            plugin.supervisor.drain(now: SupervisedPlugin.now())
            #expect(plugin.supervisor.capacity == 0)
            try plugin.directory.write("", to: "go")
            try plugin.wait("the end") { plugin.supervisor.processCount == 0 }
            #expect(plugin.finished.map(\.verdict) == [.acked(result: [], resultError: "")])
            #expect(plugin.outputText == ["end of input"])
        }
    }

    @Test func aReplacedProgramIsStartedAnew() async throws {
        try await with("say(id=id, ack=True, result='old')") { plugin in
            _ = try plugin.run(SupervisedPlugin.task(number: 1))
            try plugin.directory.write(
                Self.python("say(id=id, ack=True, result='new')"), to: ".next", mode: 0o755)
            #expect(rename(plugin.directory.path(".next"), plugin.directory.path("processor")) == 0)
            try plugin.wait("the notice") { !plugin.notices.isEmpty }
            let verdict = try plugin.run(SupervisedPlugin.task(number: 2)).verdict
            #expect(verdict == .acked(result: Array("\"new\"".utf8)[...], resultError: ""))
        }
    }

    @Test func severalWarmProcessesServeAtOnce() async throws {
        let body =
            "while not os.path.exists(os.environ['HOME'] + '/go'): time.sleep(0.01)\n"
            + "say(id=id, ack=True, result=os.getpid())"
        try await with(body, settings: { $0.concurrency = 3 }) { plugin in
            try plugin.wait("three ready processes") { plugin.supervisor.capacity == 3 }
            for number in 1...3 { try plugin.assign(SupervisedPlugin.task(number: UInt64(number))) }
            try plugin.directory.write("", to: "go")
            try plugin.wait("three ends") { plugin.finished.count == 3 }
            #expect(Set(plugin.finished.map(\.verdict)).count == 3)
        }
    }
}
