import TestSupport
import Testing

extension EndToEndTests {
    /// `taskq plugin test --torture`, whole: a sound processor passes, and of each that has one fault exactly
    /// that one is named.
    @Suite struct PluginTortureTests {
        struct Sample: Sendable, CustomTestStringConvertible {
            /// The trials that must go badly; none for a sound one.
            let bad: [String]
            let mode: String
            let program: String
            var testDescription: String { bad.first ?? "sound, \(mode)" }
        }

        private static func shell(_ bad: String..., body: String) -> Sample {
            Sample(bad: bad, mode: "oneshot", program: "#!/bin/sh\n\(body)\n")
        }

        /// A warm processor in Python; `work` sees `line` and `task`, and may end with another `answer`.
        private static func python(_ bad: String..., work: String) -> Sample {
            let program = """
                #!/usr/bin/env python3
                import json, os, signal, sys
                def say(text): os.write(3, text.encode())
                say('{"ready":true,"protocol":1}\\n')
                for line in sys.stdin:
                    task = json.loads(line)
                    answer = {"ack": True} if "n" in task["payload"] else {"dead": "no n"}
                    \(work)
                    say(json.dumps({"id": task["id"], **answer}) + "\\n")

                """
            return Sample(bad: bad, mode: "stream", program: program)
        }

        static let samples = [
            shell(body: "grep -q '\"n\"' || exit 65"),
            python(work: "print('done', task['id'])"),
            shell("an empty object", body: "grep -q '\"n\"' || kill -SEGV $$"),
            shell("a payload of 1 MiB", body: "[ $(wc -c) -lt 1000 ]"),
            shell("text with every kind of character", body: "! grep -q \"$(printf '\\342\\200\\250')\""),
            shell("a payload nested 64 deep", body: "grep -qF '[[' && kill -SEGV $$\nexit 0"),
            shell("numbers that fit no type", body: "grep -qF 1e400 && kill -ABRT $$\nexit 0"),
            shell("members of a later version", body: "[ -z \"$TASKQ_LATER\" ]"),
            shell("nothing but answers on descriptor 3", body: "echo hello >&3"),
            shell("nothing left running", body: "sleep 60 >/dev/null 2>&1 3>&1 &"),
            // What it leaves behind is only in the way where it had no chance to tidy up.
            shell(
                "SIGKILL while working",
                body: "lock=$HOME/lock; [ ! -e $lock ] || exit 1\ntrap 'rm -f $lock; exit 1' TERM\n"
                    + "touch $lock\nsleep 0.03\nrm $lock"),
            shell(
                "SIGTERM while working",
                body: "trap 'while :; do sleep 1; done' TERM\nsleep 0.03"),
            shell("100 tasks in a row", body: "echo >> $HOME/n\n[ $(wc -l < $HOME/n) -lt 50 ]"),
            python(
                "the same task twice",
                work: "global_ids = globals().setdefault('ids', set()); "
                    + "answer = {'nack': 'again'} if task['id'] in ids else answer; ids.add(task['id'])"),
            python(
                "members of a later version",
                work: "answer = {'nack': 'unknown'} if 'later' in task else answer"),
            python(
                "nothing but answers on descriptor 3", work: "say('{\"id\":\"another\",\"ack\":true}\\n')"),
            python(
                "text with every kind of character",
                work: "answer = {'nack': 'two lines'} if len(line.splitlines()) > 1 else answer"),
        ]

        @Test(arguments: samples)
        func exactlyTheFaultIsNamed(sample: Sample) async throws {
            try await TemporaryDirectory.with { directory in
                try directory.write(sample.program, to: "mail/processor", mode: 0o755)
                try directory.write("mode = \"\(sample.mode)\"\n", to: "mail/plugin.toml")
                try directory.write("{\"n\":1}\n", to: "mail/example.json")
                let run = try await PluginTestRun(directory.path("mail"), ["--torture"])
                #expect(run.verdict == "acked", "without torture all is well: \(run)")
                #expect(run.trials("bad") == sample.bad, "\(run)")
                #expect(run.status == .exited(sample.bad.isEmpty ? 0 : 1))
            }
        }

        /// The processor behind `POST /tasks`, and the examples that ship.
        @Test(arguments: [
            ("tasks", #"{"task_id":"x","title":"a","description":"b","priority":"low","due_date":null}"#),
            ("echo-sh", #"{"n":1}"#), ("echo-python", #"{"n":1}"#),
        ])
        func whatShipsPassesEveryTrial(name: String, payload: String) async throws {
            try await TemporaryDirectory.with { directory in
                let task = try directory.write(payload, to: "task.json")
                let folder = BuiltProducts.repositoryRoot() + "/plugins/\(name)"
                let run = try await PluginTestRun(folder, ["--torture", "--task", task])
                #expect(run.status == .exited(0), "\(run)")
                #expect(run.trials("bad") == [], "\(run)")
            }
        }
    }
}
