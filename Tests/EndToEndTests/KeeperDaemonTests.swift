import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// `taskq-plugins` with a service manager that only says what it is asked for.
    @Suite struct KeeperDaemonTests {
        /// Waits until the service manager was asked this of the queue's worker, perhaps of others with it.
        private static func asked(
            _ keeper: ProcessFixture, _ verb: String, _ queue: String
        ) async throws -> String {
            let line = try await keeper.line(named: "\(verb) of \(queue)") { line in
                let words = line.text.split(separator: " ").map(String.init)
                return words.first == "systemctl" && words.contains(verb)
                    && words.contains("taskq-worker@\(queue).service")
            }
            return line.text
        }

        @Test func theServiceManagerIsAskedToStartLimitReplaceAndStopWorkers() async throws {
            try await Stack.with { stack in
                let directory = stack.directory
                let (place, old) = (directory.path("plugins/big"), directory.path("old"))
                // What systemctl says on standard error goes where the keeper's own words go.
                let script = "#!/bin/sh\necho systemctl \"$@\" >&2\n"
                try directory.write(script, to: "bin/systemctl", mode: 0o755)
                try directory.write("#!/bin/sh\nexit 0\n", to: "plugins/mail.sh", mode: 0o755)
                try directory.write("memory_max = \"64 MiB\"\n", to: "plugins/big/plugin.toml")
                try directory.write("#!/bin/sh\nexit 0\n", to: "plugins/big/processor", mode: 0o755)
                try await stack.startBroker()
                let description = try ProcessDescription(
                    product: "taskq-plugins",
                    [
                        "--config", directory.path("taskq.toml"), "--state", stack.state, "--log-format",
                        "text", "--plugins", directory.path("plugins"),
                    ], environment: ["PATH": directory.path("bin") + ":/usr/bin:/bin"])
                try await ProcessFixture.with(description) { keeper in
                    _ = try await Self.asked(keeper, "start", "mail")
                    _ = try await Self.asked(keeper, "start", "big")
                    let limit = try await Self.asked(keeper, "set-property", "big")
                    #expect(limit.hasSuffix(" MemoryMax=67108864 TasksMax= CPUQuota="), "\(limit)")
                    let words = keeper.lines.map(\.text).filter { $0.hasPrefix("systemctl") }
                    let limited = words.firstIndex { $0.contains("set-property") }
                    let started = words.firstIndex { $0.contains("start taskq-worker@big") }
                    #expect(try #require(limited) < #require(started), "nothing runs without its limits")
                    // Another folder under the same name is another plugin, and this one has no limit.
                    try directory.write("#!/bin/sh\nexit 1\n", to: "next/processor", mode: 0o755)
                    #expect(rename(place, old) == 0 && rename(directory.path("next"), place) == 0)
                    _ = try await Self.asked(keeper, "try-restart", "big")
                    #expect(keeper.lines.contains { $0.text.contains("MemoryMax=infinity") })
                    #expect(unlink(directory.path("plugins/mail.sh")) == 0)
                    _ = try await Self.asked(keeper, "stop", "mail")
                    let status = try await stack.taskq(["status"])
                    #expect(status.contains("mail") && status.contains("big"), "\(status)")
                    #expect(try await keeper.terminate() == .exited(0))
                }
                try await stack.stopAndReadJournal()
            }
        }
    }
}
