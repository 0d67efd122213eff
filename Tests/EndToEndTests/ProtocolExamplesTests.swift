import AdminCommands
import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// The examples of docs/processor-protocol.md, taken out of the page and run.
    @Suite struct ProtocolExamplesTests {
        private static let page = BuiltProducts.repositoryRoot() + "/docs/processor-protocol.md"
        private static let package = BuiltProducts.repositoryRoot() + "/examples/swift-processor"
        private static let warm = "mode = \"stream\"\n"

        static func isInstalled(_ program: String) -> Bool {
            let path = getenv("PATH").map { String(cString: $0) } ?? ""
            return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
        }

        /// The first fenced block under a heading of the third level.
        private static func example(_ heading: String) throws -> String {
            let lines = try TextFile.lines(of: page)
            let title = try #require(lines.firstIndex(of: "### \(heading)"), "no heading '\(heading)'")
            let rest = lines[(title + 1)...].prefix { !$0.hasPrefix("### ") }
            let start = try #require(rest.firstIndex { $0.hasPrefix("```") }, "no example of \(heading)")
            let block = rest[(start + 1)...].prefix { $0 != "```" }
            return block.joined(separator: "\n") + "\n"
        }

        /// Passes every trial; one that reads its payload says no to a task without a name.
        private static func expectSound(_ folder: String, readsPayload: Bool = true) async throws {
            let run = try await PluginTestRun(folder, ["--torture"])
            #expect(run.status == .exited(0), "\(run)")
            #expect(run.verdict == "acked" && run.trials("bad") == [], "\(run)")
            #expect(run.trials("good").contains("100 tasks in a row"), "\(run)")
            guard readsPayload else { return }
            #expect(run.trials("good").contains("an empty object"), "\(run)")
        }

        private static func write(
            _ program: String, _ manifest: String, to directory: TemporaryDirectory
        ) throws -> String {
            try directory.write("{\"name\":\"Ada\"}\n", to: "mail/example.json")
            try directory.write(manifest, to: "mail/plugin.toml")
            try directory.write(program, to: "mail/processor", mode: 0o755)
            return directory.path("mail")
        }

        private static func run(_ program: String, _ arguments: [String]) async throws {
            try await ProcessFixture.with(ProcessDescription("/usr/bin/env", [program] + arguments)) { tool in
                let status = try await tool.end(within: .seconds(300))
                #expect(status == .exited(0), "\(tool.lines.suffix(20).map(\.text))")
            }
        }

        @Test(.enabled(if: isInstalled("bash"), "bash is not installed"))
        func bashOneProcessPerTask() async throws {
            try await TemporaryDirectory.with { directory in
                let program = try Self.example("bash, one process per task")
                try await Self.expectSound(Self.write(program, "", to: directory))
            }
        }

        @Test(.enabled(if: isInstalled("bash"), "bash is not installed"))
        func bashWarm() async throws {
            try await TemporaryDirectory.with { directory in
                let folder = try Self.write(Self.example("bash, warm"), Self.warm, to: directory)
                try await Self.expectSound(folder, readsPayload: false)
            }
        }

        @Test(.enabled(if: isInstalled("python3"), "python3 is not installed"))
        func pythonWarm() async throws {
            try await TemporaryDirectory.with { directory in
                try await Self.expectSound(
                    Self.write(Self.example("Python, warm"), Self.warm, to: directory))
            }
        }

        @Test(.enabled(if: isInstalled("node"), "node is not installed"))
        func nodeWarm() async throws {
            try await TemporaryDirectory.with { directory in
                try await Self.expectSound(Self.write(Self.example("node, warm"), Self.warm, to: directory))
            }
        }

        @Test(.enabled(if: isInstalled("go"), "go is not installed"))
        func goWarm() async throws {
            try await TemporaryDirectory.with { directory in
                let source = try directory.write(Self.example("Go, warm"), to: "main.go")
                let folder = try Self.write("", Self.warm, to: directory)
                try await Self.run(
                    "GOCACHE=\(directory.path("cache"))",
                    ["go", "build", "-o", "\(folder)/processor", source])
                try await Self.expectSound(folder)
            }
        }

        /// The template is run by the tests of `taskq plugin new`.
        @Test func swiftInOneFileIsWhatPluginNewWrites() throws {
            let files = PluginTemplate.files(.swift, queue: "mail")
            let source = try #require(files.first { $0.name == "main.swift" })
            #expect(source.text == (try Self.example("Swift, warm, one file")))
        }

        @Test func swiftOnTheLibraryIsTheExamplePackage() throws {
            let source = try TextFile.bytes(of: "\(Self.package)/Sources/greeter/Greeter.swift")
            #expect(String(decoding: source, as: UTF8.self) == (try Self.example("Swift, on the library")))
        }

        /// The folder with the example's programs; without a network, as nothing but this checkout is needed.
        private static func buildPackage() async throws -> String {
            let scratch = BuiltProducts.folder + "/examples"
            let offline = ["--disable-automatic-resolution", "--skip-update"]
            try await run("swift", ["build", "--package-path", package, "--scratch-path", scratch] + offline)
            let checkouts = TemporaryDirectory.entries(of: "\(scratch)/checkouts")
            #expect(checkouts == [], "a processor is to need nothing but this package")
            return "\(scratch)/debug"
        }

        @Test func theExamplePackageBuildsAloneAndServesBothModes() async throws {
            let programs = try await Self.buildPackage()
            try await TemporaryDirectory.with { directory in
                let program = "#!/bin/sh\nexec \(programs)/greeter\n"
                for manifest in [Self.warm, "mode = \"oneshot\"\n"] {
                    try await Self.expectSound(Self.write(program, manifest, to: directory))
                }
            }
        }

        @Test func sigtermCancelsAnAsynchronousHandlerWhichStillAnswers() async throws {
            let program = try await Self.buildPackage() + "/sleeper"
            // Descriptor 1 stands for 3, which a test's process does not have.
            let answers = ["TASKQ_FD": "1"]
            try await ProcessFixture.with(ProcessDescription(program, environment: answers)) { sleeper in
                try await sleeper.line(containing: "\"ready\":true")
                try sleeper.write("{\"id\":\"a\",\"payload\":{\"seconds\":600}}\n")
                try await sleeper.line(containing: "\"extend\":610")
                let status = try await sleeper.terminate(within: .seconds(20))
                #expect(status == .exited(0))
                let lines = sleeper.lines.map(\.text)
                #expect(lines.contains("<5>woken early"), "\(lines)")
                #expect(
                    lines.contains("{\"id\":\"a\",\"nack\":\"woken early\",\"retry_after\":1}"), "\(lines)")
            }
            try await ProcessFixture.with(ProcessDescription(program, environment: answers)) { idle in
                try await idle.line(containing: "\"ready\":true")
                #expect(try await idle.terminate(within: .seconds(20)) == .exited(0))
            }
        }
    }
}
