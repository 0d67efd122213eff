import Glibc
import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

@Suite struct StalledProcessorTests {
    @Test(
        arguments: [
            ("#!/bin/sh\r\nexit 0\r\n", 0o755, "CRLF"),
            ("\u{FEFF}#!/bin/sh\nexit 0\n", 0o755, "BOM"),
            ("echo hello\n", 0o755, "no shebang"),
            ("#!/bin/sh\nexit 0\n", 0o644, "chmod +x"),
            ("#!/no/such/interpreter\n", 0o755, "interpreter /no/such/interpreter"),
            ("#!/usr/bin/env no-such-program\n", 0o755, "no-such-program"),
        ] as [(String, mode_t, String)])
    func whatCannotStartStallsWithItsCureBeforeAnyTask(script: String, mode: mode_t, cure: String)
        async throws
    {
        for mode2 in ProcessorSettings.Mode.allCases {
            try await SupervisedPlugin.with(script, mode: mode, settings: { $0.mode = mode2 }) { plugin in
                try plugin.wait("the stall") { plugin.problems.count == 1 }
                #expect(plugin.problems[0].contains(cure), "\(plugin.problems)")
                #expect(plugin.supervisor.capacity == 0)
            }
        }
    }

    @Test func aMissingProgramStallsAndStartsAtOnceWhenItComes() async throws {
        try await SupervisedPlugin.with("", named: "other") { holder in
            let plugin = try SupervisedPlugin(holder.directory, "processor", ProcessorSettings())
            try plugin.wait("the stall") { plugin.problems.count == 1 }
            #expect(plugin.problems[0].contains("is missing"))
            try holder.directory.write("#!/bin/sh\nexit 0\n", to: "processor", mode: 0o755)
            let verdict = try plugin.run().verdict
            #expect(verdict == .acked(result: [], resultError: ""))
            #expect(plugin.events.contains(.unstalled))
        }
    }

    @Test(arguments: [126, 127])
    func exit126And127ReleaseTheTaskAndStall(status: Int) async throws {
        try await SupervisedPlugin.with("#!/bin/sh\necho not found >&2\nexit \(status)\n") { plugin in
            let attempt = try plugin.run()
            #expect(attempt.verdict == .released)
            #expect(plugin.problems.count == 1)
            #expect(plugin.problems[0].contains("\(status)") && plugin.problems[0].contains("not found"))
            #expect(plugin.supervisor.capacity == 0)
            try plugin.wait("the next try") { plugin.events.contains(.probing) }
            #expect(plugin.supervisor.capacity == 1)
        }
    }

    @Test func aProgramForAnotherMachineIsNamed() async throws {
        let header: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + [UInt8](repeating: 0, count: 120)
        try await SupervisedPlugin.with("", named: "other") { holder in
            try holder.directory.write(header, to: "processor", mode: 0o755)
            let plugin = try SupervisedPlugin(holder.directory, "processor", ProcessorSettings())
            let attempt = try plugin.run()
            #expect(attempt.verdict == .released)
            #expect(plugin.problems[0].contains("no program for this machine"))
        }
    }

    @Test(arguments: [
        (
            "#!/bin/sh\necho no database >&2\nexit 3\n",
            "ended with exit 3 before it said that it is ready: no database"
        ),
        ("#!/bin/sh\nkill -KILL $$\n", "ended with signal 9 before"),
        ("#!/bin/sh\nexec sleep 100\n", "did not say that it is ready within 0.3 s"),
        ("#!/bin/sh\necho '{\"ready\":true,\"protocol\":2}' >&3\nexec sleep 100\n", "speaks version 2"),
        ("#!/bin/sh\necho '{\"ready\":true}' >&3\nexit 1\n", "right after it said that it is ready"),
    ])
    func aStreamProcessorThatNeverGetsToWorkStalls(script: String, words: String) async throws {
        try await SupervisedPlugin.with(
            script,
            settings: {
                $0.mode = .stream
                $0.startTimeoutMilliseconds = 300
            }
        ) { plugin in
            try plugin.wait("the stall") { !plugin.problems.isEmpty }
            #expect(plugin.problems[0].contains(words), "\(plugin.problems)")
            #expect(plugin.finished.isEmpty)
        }
    }

    @Test func aWritableForEverybodyPluginIsRefused() throws {
        try TemporaryDirectory.with { directory in
            try directory.write("#!/bin/sh\nexit 0\n", to: "processor", mode: 0o777)
            let facts = PluginTrust.gather(executable: directory.path("processor"), folder: directory.path)
            let findings = PluginTrust.foreground(user: getuid()).findings(facts)
            #expect(findings.count == 1)
            guard case .refusal(let sentence) = findings.first else {
                throw TestFailure(sentence: "\(findings)")
            }
            #expect(sentence.contains("can be written by everybody"))
        }
    }
}
