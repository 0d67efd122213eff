import AdminCommands
import Configuration
import Glibc
import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

@Suite struct PluginRehearsalTests {
    @Test(arguments: [
        (UInt8(0), AttemptVerdict.acked(result: [], resultError: "")),
        (65, .dead(reason: "exit 65")),
        (75, .failed(.exited(status: 75), reason: "", retryAfterMilliseconds: nil)),
        (3, .failed(.exited(status: 3), reason: "", retryAfterMilliseconds: nil)),
    ])
    func aOneshotPluginGivesVerdictStatusAndLines(status: UInt8, verdict: AttemptVerdict) async throws {
        let script = "#!/bin/sh\nread -r task\necho \"got $task\"\necho oops >&2\nexit \(status)\n"
        let report = try await RehearsedPlugin.run(script)
        #expect(report.verdict == verdict)
        #expect(report.exit == .exited(status))
        #expect(report.text(of: .standardOutput) == ["got {\"n\":1}"])
        #expect(report.text(of: .standardError) == ["oops"])
        #expect(report.isAcked == (status == 0))
    }

    @Test func aSignalIsTheExitAndTheTimeOutIsSaid() async throws {
        let killed = try await RehearsedPlugin.run("#!/bin/sh\nkill -9 $$\n")
        #expect(killed.exit == .signalled(SIGKILL))
        let slow = try await RehearsedPlugin.run(
            "#!/bin/sh\nexec sleep 60\n", manifest: "timeout = \"1s\"\n")
        guard case .failed(.timedOut, _, _) = slow.verdict else {
            Issue.record("\(slow.ending)")
            return
        }
        #expect(slow.exit == .signalled(SIGTERM))
    }

    @Test func aWarmPluginLivesOnAfterItsAnswer() async throws {
        let script = """
            #!/bin/sh
            echo '{"ready":true,"protocol":1}' >&3
            read -r line
            id=${line#*\\"id\\":\\"}
            echo "{\\"id\\":\\"${id%%\\"*}\\",\\"ack\\":true,\\"result\\":7}" >&3
            read -r line

            """
        let report = try await RehearsedPlugin.run(script, manifest: "mode = \"stream\"\n")
        #expect(report.verdict == .acked(result: Array("7".utf8)[...], resultError: ""))
        #expect(report.exit == nil)
    }

    @Test(arguments: [
        ("#!/no/such/thing\n", String?.none, "/no/such/thing"),
        ("#!/bin/sh\nexit 127\n", nil, "127"),
        ("#!/bin/sh\n", "mode = 7\n", "plugin.toml:1"),
        ("#!/bin/sh\necho broken >&2\nexit 1\n", "mode = \"stream\"\n", "broken"),
    ])
    func whatCannotStartSaysWhy(script: String, manifest: String?, word: String) async throws {
        let report = try await RehearsedPlugin.run(script, manifest: manifest)
        guard case .stalled(let sentence) = report.ending else {
            Issue.record("\(report.ending)")
            return
        }
        #expect(sentence.contains(word), "\(sentence)")
    }

    @Test func anOldTasksPayloadComesWithItsOwnIDAndTouchesNoState() async throws {
        let script = """
            #!/bin/sh
            echo "$TASKQ_TASK_ID $TASKQ_GROUP $TASKQ_ATTEMPT $TASKQ_SEQUENCE"
            ls -A "$TASKQ_STATE_DIR" | wc -l
            echo mark > "$TASKQ_STATE_DIR/mark"
            echo "$TASKQ_STATE_DIR"

            """
        let id = TaskID(high: 0x0198_f6e2_7c1a_7d54, low: 0x9b3e_0000_0000_0007)
        let origin = PluginUnderTest.Origin(
            id: id, group: "ada", attempt: 4, sequence: TaskSequence(rawValue: 99))
        let report = try await RehearsedPlugin.run(script, as: origin)
        let lines = report.text(of: .standardOutput)
        #expect(lines.prefix(2) == ["\(id) ada 4 99", "0"])
        let state = try #require(lines.last)
        #expect(access(state, F_OK) != 0)
    }

    @Test func ofMuchOutputTheLastLinesAreKeptAndAllAreHeard() async throws {
        let heard = SharedList<Int>()
        try await RealProcesses.run {
            try TemporaryDirectory.with { directory in
                let plugin = try RehearsedPlugin.write("#!/bin/sh\nseq 1 1000\n", to: directory)
                let report = try RehearsalReport.running(
                    Array("{}".utf8), through: plugin, ServiceConfiguration()
                ) { heard.append($0.text.count) }
                #expect(report.lineCount == 1_000)
                #expect(report.text(of: .standardOutput) == (801...1_000).map(String.init))
            }
        }
        #expect(heard.values.count == 1_000)
    }

    @Test func theCommandFindsAPluginByNameAndByPathAndSaysItsVerdict() async throws {
        try await TemporaryDirectory.with { directory in
            let task = try directory.write("{\"n\":1}", to: "task.json")
            let plugins = directory.path("plugins")
            try RehearsedPlugin.write("#!/bin/sh\ngrep -q n\n", to: directory)
            let test = ["plugin", "test"]
            let named = test + ["mail", "--plugins", plugins]
            #expect(try await RehearsedPlugin.taskq(named + ["--task", task]) == 0)
            #expect(try await RehearsedPlugin.taskq(named) == 1)
            let example = try directory.write("{\"n\":2}", to: "plugins/mail/example.json")
            #expect(try await RehearsedPlugin.taskq(named) == 0)
            #expect(try await RehearsedPlugin.taskq(test + ["\(plugins)/mail/", "--json"]) == 0)
            #expect(try await RehearsedPlugin.taskq(test + ["\(plugins)/mail/processor"]) == 0)
            #expect(try await RehearsedPlugin.taskq(test + ["\(plugins)/fax"]) == 4)
            try directory.write("{n:2}", to: "wrong.json")
            let wrong = named + ["--task", directory.path("wrong.json")]
            #expect(try await RehearsedPlugin.taskq(wrong) == 1)
            #expect(access(example, F_OK) == 0)
        }
    }
}
