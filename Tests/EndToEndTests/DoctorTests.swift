import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// `taskq doctor` on stacks that are well and on those that are not.
    @Suite struct DoctorTests {
        private func doctor(_ stack: Stack, _ arguments: [String]) async throws -> (
            TestSupport.ExitStatus, JSON
        ) {
            let port = try stack.address.port
            let (status, text) = try await stack.end(
                of: ["doctor", "--json", "--listen", "127.0.0.1:\(port)"] + arguments, within: .seconds(60))
            return (status, try JSON(Array(text.utf8)))
        }

        private func verdicts(_ report: JSON) -> [String: String] {
            Dictionary(
                report["checks"].array.map { ($0["check"].string ?? "", $0["verdict"].string ?? "") },
                uniquingKeysWith: { first, _ in first })
        }

        private func check(_ name: String, in report: JSON) -> JSON? {
            report["checks"].array.first { $0["check"].string == name }
        }

        @Test func aStackThatIsWellHasNoProblem() async throws {
            try await Stack.with { stack in
                let plugin = try stack.plugin("tasks", "#!/bin/sh\nexit 0\n")
                try await stack.startAll(plugin: plugin)
                let (status, report) = try await doctor(
                    stack, ["--plugins", stack.directory.path("plugins")])
                let found = verdicts(report)
                #expect(status == .exited(0), "\(report)")
                for name in [
                    "configuration", "state folder", "disk space", "sync time", "ingest socket",
                    "worker socket", "admin socket", "broker", "queue tasks", "http", "plugin tasks",
                ] { #expect(found[name] == "good", "\(name): \(report)") }
                #expect(found["clock"] != nil && found["limits"] != nil && found["file system"] != nil)
            }
        }

        @Test func eachThingThatIsWrongIsOneLineWithItsCure() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                for name in ["ingest", "broker"] { try await stack.process(name).terminate() }
                _ = try stack.plugin("tasks", "#!/bin/sh\r\nexit 0\n")
                _ = try stack.plugin("bare", "exit 0\n")
                let folder = try stack.plugin("open", "#!/bin/sh\n")
                #expect(chmod("\(folder)/processor", 0o777) == 0)
                _ = try stack.plugin("bad", "#!/bin/sh\n", manifest: "mood = 1\n")
                #expect(chmod("\(stack.state)/journal", 0o755) == 0)
                let wrong = try stack.directory.write("[queue]\nleese = \"1m\"\n", to: "wrong.toml")
                let (status, report) = try await doctor(
                    stack, ["--plugins", stack.directory.path("plugins"), "--config", wrong])
                #expect(status == .exited(1))
                let cures = [
                    "configuration": "correct the line", "state folder": "chmod 700",
                    "admin socket": "start the broker", "broker": "taskq up", "http": "taskq up",
                    "plugin tasks": "stalled", "plugin bare": "stalled", "plugin open": "not run",
                    "plugin bad": "manifest",
                ]
                for (name, cure) in cures {
                    let finding = check(name, in: report)
                    #expect(finding?["verdict"].string == "problem", "\(name): \(report)")
                    #expect(finding?["cure"].string?.contains(cure) == true, "\(name): \(finding as Any)")
                }
                #expect(check("plugin tasks", in: report)?["text"].string?.contains("sed -i") == true)
                #expect(check("configuration", in: report)?["text"].string?.contains("\(wrong):2:") == true)
                #expect((report["problems"].int ?? 0) >= cures.count)
            }
        }
    }
}
