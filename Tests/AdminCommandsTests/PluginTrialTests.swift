import AdminCommands
import Configuration
import ProcessorSupervision
import TestSupport
import Testing

/// What `taskq plugin test --torture` finds out about processors with one fault each.
@Suite struct PluginTrialTests {
    private static func grade(
        _ trial: PluginTrial, _ script: String, manifest: String? = nil
    ) async throws -> PluginTrial.Outcome {
        let outcomes = SharedList<PluginTrial.Outcome>()
        try await RealProcesses.run {
            try TemporaryDirectory.with { directory in
                let plugin = try RehearsedPlugin.write(script, manifest: manifest, to: directory)
                try directory.makeFolder("state")
                var subject = PluginUnderTest(
                    plugin, ServiceConfiguration(), variables: [], stateDirectory: directory.path("state"))
                subject.settings.stopKillMilliseconds = 300
                outcomes.append(try trial.run(subject, payload: Array("{\"n\":1}".utf8)))
            }
        }
        return try #require(outcomes.values.first)
    }

    @Test(arguments: PluginTrial.allCases)
    func aCarefulProcessorPassesEveryTrial(trial: PluginTrial) async throws {
        let script = """
            #!/usr/bin/env python3
            import json, sys
            task = sys.stdin.read()
            try:
                json.loads(task)["n"]
            except (ValueError, KeyError):
                sys.exit(65)
            print("done")

            """
        let outcome = try await Self.grade(trial, script)
        #expect(outcome.grade == .good, "\(outcome)")
    }

    /// Each is sound but for the one thing that its trial looks for.
    @Test(arguments: [
        (PluginTrial.sameTaskTwice, "[ ! -e $HOME/seen ] || exit 1\ntouch $HOME/seen", "comes again"),
        (.emptyObject, "grep -q n || kill -SEGV $$", "crashes"),
        (.largePayload, "[ $(wc -c) -lt 1000 ]", "whole line"),
        (.killed, "[ ! -e $HOME/lock ] || exit 1\ntouch $HOME/lock\nsleep 0.2\nrm $HOME/lock", "half done"),
        (.terminated, "trap '' TERM\nsleep 1\nsleep 1", "SIGTERM"),
        (.everyCharacter, "! grep -q \"$(printf '\\342\\200\\250')\"", "only LF"),
        (.deepPayload, "grep -q '\\[\\[' && kill -SEGV $$; exit 0", "crashes"),
        (.extremeNumbers, "grep -q 1e400 && kill -ABRT $$; exit 0", "crashes"),
        (.laterVersion, "[ -z \"$TASKQ_LATER$TRACEPARENT\" ]", "ignore the rest"),
        (.answersOnly, "echo hello >&3", "print to stdout"),
        (.leftovers, "sleep 60 >/dev/null 2>&1 3>&1 &", "wait for what you start"),
        (.hundredTasks, "echo >> $HOME/n\n[ $(wc -l < $HOME/n) -lt 5 ]", "spoil the next"),
    ])
    func aFaultIsFoundByItsTrial(trial: PluginTrial, body: String, word: String) async throws {
        let outcome = try await Self.grade(trial, "#!/bin/sh\n\(body)\n")
        #expect(outcome.grade == .bad, "\(outcome)")
        #expect(outcome.meaning.contains(word), "\(outcome)")
    }

    /// Bad where the next task was being handed to it just then, else worth a remark.
    @Test func aWarmProcessorThatEndsAfterEachTaskIsToldSo() async throws {
        let script = """
            #!/bin/sh
            echo '{"ready":true,"protocol":1}' >&3
            read -r line
            id=${line#*\\"id\\":\\"}
            echo "{\\"id\\":\\"${id%%\\"*}\\",\\"ack\\":true}" >&3

            """
        let outcome = try await Self.grade(.hundredTasks, script, manifest: "mode = \"stream\"\n")
        #expect(outcome.grade != .good, "\(outcome)")
    }

    @Test func everyTrialIsExplained() throws {
        let page = try TextFile.bytes(of: BuiltProducts.repositoryRoot() + "/docs/processor-protocol.md")
        let text = String(decoding: page, as: UTF8.self)
        for trial in PluginTrial.allCases {
            #expect(text.contains("\n| \(trial.rawValue) |"), "\(trial.rawValue)")
        }
    }

    @Test func aWarmProcessorThatIgnoresTheEndOfItsInputIsBad() async throws {
        let script = """
            #!/bin/sh
            trap '' TERM
            echo '{"ready":true,"protocol":1}' >&3
            while :; do sleep 0.05; done

            """
        let outcome = try await Self.grade(
            .inputEndsEarly, script, manifest: "mode = \"stream\"\n")
        #expect(outcome.grade == .bad, "\(outcome)")
        #expect(outcome.meaning.contains("neither"), "\(outcome)")
    }

    @Test func whatIsBadIsTheCommandsStatus() async throws {
        try await TemporaryDirectory.with { directory in
            let body = "[ ! -e $HOME/seen ] || exit 1\ntouch $HOME/seen"
            try RehearsedPlugin.write("#!/bin/sh\n\(body)\n", to: directory)
            let test = ["plugin", "test", directory.path("plugins/mail")]
            #expect(try await RehearsedPlugin.taskq(test) == 0)
            #expect(try await RehearsedPlugin.taskq(test + ["--torture", "--json"]) == 1)
        }
    }
}
