import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// Plugins that come and go while `taskq up` runs.
    @Suite struct PluginTests {
        /// A running `taskq up` over a folder of plugins.
        private struct Up {
            let process: ProcessFixture
            let directory: TemporaryDirectory
            let address: SocketAddress

            static func with(_ body: (Up) async throws -> Void) async throws {
                try await TemporaryDirectory.with { directory in
                    try directory.write("#!/bin/sh\nexit 0\n", to: "plugins/tasks/processor", mode: 0o755)
                    let description = try ProcessDescription(
                        product: "taskq",
                        [
                            "up", "--config", BuiltProducts.repositoryRoot() + "/config/dev.toml", "--state",
                            directory.path("var"), "--plugins", directory.path("plugins"), "--listen",
                            "127.0.0.1:0",
                        ], directory: directory.path)
                    try await ProcessFixture.with(description) { process in
                        let address = try await process.listeningAddress()
                        try await process.line(containing: "broker connected")
                        try await body(Up(process: process, directory: directory, address: address))
                        process.signal(SIGINT)
                        #expect(try await process.end() == .exited(0))
                    }
                }
            }

            func post(_ queue: String, _ body: String = "{\"n\":1}") async throws -> HTTPTestResponse {
                try await HTTPTestClient.once(
                    address, "POST", "/queues/\(queue)/tasks",
                    headers: ["Content-Type": "application/json"], body: body)
            }

            func finished(_ id: String) async throws -> JSON {
                try JSON(try await HTTPTestClient.once(address, "GET", "/tasks/\(id)?wait=30").body)
            }

            /// Waits until a plugin of the queue has been declared.
            func found(_ queue: String, from mark: Int = 0) async throws {
                try await process.line(named: "the plugin \(queue)", from: mark, within: .seconds(60)) {
                    $0.text.contains("plugin found") && ($0.text + " ").contains("queue=\(queue) ")
                }
                try await process.line(named: "the worker of \(queue)", from: mark, within: .seconds(60)) {
                    $0.text.contains("worker connected") && ($0.text + " ").contains("queue=\(queue) ")
                }
            }
        }

        @Test(arguments: [
            ("hello/processor", "#!/bin/sh\ncat > /dev/null\nexit 0\n"),
            ("hello.py", "#!/usr/bin/env python3\nimport sys\nsys.stdin.read()\n"),
        ])
        func aProcessorThatIsPutIntoTheFolderIsAQueueWithinTwoSeconds(
            file: String, script: String
        ) async throws {
            try await Up.with { up in
                let began = MonotonicDeadline.now()
                try up.directory.write(script, to: "plugins/\(file)", mode: 0o755)
                try await up.found("hello")
                let answer = try await up.post("hello")
                #expect(MonotonicDeadline.now() - began < 2_000_000_000)
                let view = try await up.finished(try #require(answer.taskID))
                #expect(view["state"].string == "completed")
            }
        }

        @Test func aRemovedPluginLeavesItsQueueAndTheBacklogDrainsWhenItComesBack() async throws {
            try await Up.with { up in
                try up.directory.write("#!/bin/sh\nexit 0\n", to: "plugins/hello/processor", mode: 0o755)
                try await up.found("hello")
                let away = up.directory.path("away")
                #expect(rename(up.directory.path("plugins/hello"), away) == 0)
                try await up.process.line(containing: "plugin removed")
                try await up.process.line(containing: "worker disconnected")
                let answer = try await up.post("hello")
                #expect(answer.status == 201)
                let status = try await ProcessFixture.with(
                    try ProcessDescription(product: "taskq", ["status", "--state", up.directory.path("var")])
                ) { taskq in
                    try await taskq.end()
                    return taskq.lines.map(\.text).joined(separator: "\n")
                }
                #expect(status.contains("no plugin"), "\(status)")
                #expect(rename(away, up.directory.path("plugins/hello")) == 0)
                let view = try await up.finished(try #require(answer.taskID))
                #expect(view["state"].string == "completed")
            }
        }

        @Test func eachMistakeGivesOneMessageWithItsCureAndNoOtherQueueNotices() async throws {
            try await Up.with { up in
                let good = "#!/bin/sh\nexit 0\n"
                let mistakes = [
                    ("crlf", "CRLF line ends"), ("lost", "not found"), ("open", "chmod o-w"),
                    ("broken", "plugin.toml:1"), ("twice", "two plugins for the queue twice"),
                ]
                try up.directory.write("#!/bin/sh\r\nexit 0\r\n", to: "plugins/crlf", mode: 0o755)
                try up.directory.write("#!/no/such/thing\n", to: "plugins/lost", mode: 0o755)
                try up.directory.write(good, to: "plugins/open", mode: 0o755)
                #expect(chmod(up.directory.path("plugins/open"), 0o757) == 0)
                try up.directory.write("concurrency = \"x\"\n", to: "plugins/broken/plugin.toml")
                try up.directory.write(good, to: "plugins/broken/processor", mode: 0o755)
                try up.directory.write(good, to: "plugins/twice.sh", mode: 0o755)
                try up.directory.write(good, to: "plugins/twice.py", mode: 0o755)
                for (_, cure) in mistakes { try await up.process.line(containing: cure) }
                let answer = try await HTTPTestClient.once(
                    up.address, "POST", "/tasks", headers: ["Content-Type": "application/json"],
                    body: EndToEndTests.task)
                let view = try await up.finished(try #require(answer.taskID))
                #expect(view["state"].string == "completed")
                for (queue, cure) in mistakes {
                    let told = up.process.lines.filter { $0.text.contains(cure) }
                    #expect(told.count == 1, "\(queue): \(told.map(\.text))")
                }
            }
        }

        @Test func fiftyPluginsThatAreDroppedAtOnceAllComeUp() async throws {
            try await Up.with { up in
                for number in 1...50 {
                    try up.directory.write(
                        "#!/bin/sh\nexit 0\n", to: "plugins/many\(number)/processor", mode: 0o755)
                }
                for number in 1...50 { try await up.found("many\(number)") }
                let answer = try await up.post("many50")
                #expect(try await up.finished(try #require(answer.taskID))["state"].string == "completed")
            }
        }

        @Test func aProcessorReplacedUnderLoadRunsEveryTaskOnceInItsOldOrItsNewForm() async throws {
            try await Up.with { up in
                let record = up.directory.path("record")
                func script(_ word: String) -> String {
                    "#!/bin/sh\nread -r line\necho \"\(word) $line\" >> '\(record)'\n"
                }
                try up.directory.write(script("old"), to: "plugins/hello/processor", mode: 0o755)
                try await up.found("hello")
                var ids: [String] = []
                for number in 1...60 {
                    if number == 30 {
                        try up.directory.write(
                            script("new"), to: "plugins/hello/.processor.new", mode: 0o755)
                        let (from, to) = (
                            up.directory.path("plugins/hello/.processor.new"),
                            up.directory.path("plugins/hello/processor")
                        )
                        #expect(rename(from, to) == 0)
                    }
                    ids.append(try #require(try await up.post("hello", "{\"n\":\(number)}").taskID))
                }
                for id in ids { #expect(try await up.finished(id)["state"].string == "completed") }
                let lines = String(decoding: try TextFile.bytes(of: record), as: UTF8.self)
                    .split(separator: "\n")
                #expect(lines.map { String($0.dropFirst(4)) } == (1...60).map { "{\"n\":\($0)}" })
                #expect(lines.last?.hasPrefix("new") == true)
            }
        }
    }
}
