import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// `taskq up`, as the README's reader runs it.
    @Suite struct UpTests {
        private func description(_ directory: TemporaryDirectory) throws -> ProcessDescription {
            try ProcessDescription(
                product: "taskq",
                [
                    "up", "--config", BuiltProducts.repositoryRoot() + "/config/dev.toml", "--state",
                    directory.path("var"), "--plugins", directory.path("plugins"), "--listen", "127.0.0.1:0",
                ], directory: directory.path)
        }

        @Test func theForegroundStackTellsATasksStoryAndFindsItsBacklogAgain() async throws {
            try await TemporaryDirectory.with { directory in
                try directory.write("#!/bin/sh\nexit 0\n", to: "plugins/tasks/processor", mode: 0o755)
                let waiting = try await ProcessFixture.with(try description(directory)) { up in
                    let address = try await up.listeningAddress()
                    try await up.line(containing: "broker connected")
                    let answer = try await HTTPTestClient.once(
                        address, "POST", "/tasks", headers: ["Content-Type": "application/json"],
                        body: EndToEndTests.task)
                    let id = try #require(answer.taskID)
                    try await up.line(named: "the task's story") {
                        $0.text.contains("accepted") && $0.text.contains("leased")
                            && $0.text.contains("completed")
                    }
                    let view = try JSON(
                        try await HTTPTestClient.once(address, "GET", "/tasks/\(id)?wait=10").body)
                    #expect(view["state"].string == "completed")
                    // A queue without a plugin keeps what it is given.
                    try directory.write("#!/bin/sh\nexit 75\n", to: "plugins/tasks/processor", mode: 0o755)
                    let left = try await HTTPTestClient.once(
                        address, "POST", "/tasks", headers: ["Content-Type": "application/json"],
                        body: EndToEndTests.task)
                    let waiting = try #require(left.taskID)
                    try await up.line(named: "a failed attempt") { $0.text.contains("attempt") }
                    let began = MonotonicDeadline.now()
                    up.signal(SIGINT)
                    #expect(try await up.end() == .exited(0))
                    #expect(
                        MonotonicDeadline.now() - began < 5_000_000_000, "Ctrl-C stops everything within 5 s")
                    return waiting
                }
                try directory.write("#!/bin/sh\nexit 0\n", to: "plugins/tasks/processor", mode: 0o755)
                try await ProcessFixture.with(try description(directory)) { up in
                    let address = try await up.listeningAddress()
                    try await up.line(containing: "broker connected")
                    let view = try JSON(
                        try await HTTPTestClient.once(address, "GET", "/tasks/\(waiting)?wait=20").body)
                    #expect(view["state"].string == "completed", "\(view)")
                    up.signal(SIGINT)
                    try await up.end()
                }
            }
        }
    }
}
