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

            /// - Parameter shipped: a processor `hello.sh` in a second folder, which the first one hides.
            static func with(shipped: String? = nil, _ body: (Up) async throws -> Void) async throws {
                try await TemporaryDirectory.with { directory in
                    if let shipped { try directory.write(shipped, to: "shipped/hello.sh", mode: 0o755) }
                    try directory.write("#!/bin/sh\nexit 0\n", to: "plugins/tasks/processor", mode: 0o755)
                    let description = try ProcessDescription(
                        product: "taskq",
                        [
                            "up", "--config", BuiltProducts.repositoryRoot() + "/config/dev.toml", "--state",
                            directory.path("var"), "--plugins", directory.path("plugins"), "--listen",
                            "127.0.0.1:0",
                        ] + (shipped == nil ? [] : ["--plugins", directory.path("shipped")]),
                        directory: directory.path)
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

        @Test func theFirstFoldersPluginWinsAndTheShippedOneComesBackWhenItGoesOrIsMasked() async throws {
            func script(_ word: String) -> String {
                "#!/bin/sh\nread -r line\necho \"{\\\"result\\\":\\\"\(word)\\\"}\" >&3\n"
            }
            try await Up.with(shipped: script("shipped")) { up in
                func served(by word: String) async throws {
                    let view = try await up.finished(try #require(try await up.post("hello").taskID))
                    #expect("\(view)".contains(word), "\(view)")
                }
                try await up.found("hello")
                try await served(by: "shipped")
                var mark = up.process.mark
                try up.directory.write(script("own"), to: "plugins/hello.sh", mode: 0o755)
                try await up.process.line(containing: "plugin hides another", from: mark)
                try await up.process.line(containing: "worker connected", from: mark)
                try await served(by: "own")
                mark = up.process.mark
                #expect(unlink(up.directory.path("plugins/hello.sh")) == 0)
                try await up.process.line(containing: "plugin is back", from: mark)
                try await up.process.line(containing: "worker connected", from: mark)
                try await served(by: "shipped")
                mark = up.process.mark
                try up.directory.write("", to: "plugins/hello.sh")
                try await up.process.line(containing: "plugin masked", from: mark)
                try await up.process.line(containing: "worker disconnected", from: mark)
                let id = try #require(try await up.post("hello").taskID)
                let view = try JSON(try await HTTPTestClient.once(up.address, "GET", "/tasks/\(id)").body)
                #expect(view["waiting_because"].string?.contains("masked in") == true, "\(view)")
                mark = up.process.mark
                #expect(unlink(up.directory.path("plugins/hello.sh")) == 0)
                #expect(try await up.finished(id)["state"].string == "completed")
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

        /// Processors that write down a word and the task's id.
        private static let recorders = [
            (
                "oneshot",
                """
                #!/bin/sh
                cat > /dev/null
                echo "WORD $TASKQ_TASK_ID" >> 'RECORD'

                """
            ),
            (
                "stream",
                """
                #!/bin/sh
                echo '{"ready":true,"protocol":1}' >&3
                while read -r line; do
                    id=${line#*\\"id\\":\\"}
                    id=${id%%\\"*}
                    echo "WORD $id" >> 'RECORD'
                    echo "{\\"id\\":\\"$id\\",\\"ack\\":true}" >&3
                done

                """
            ),
        ]

        @Test(arguments: recorders)
        func aProcessorReplacedUnderLoadRunsEveryTaskOnceInItsOldOrItsNewForm(
            mode: String, text: String
        ) async throws {
            try await Up.with { up in
                let record = up.directory.path("record")
                try up.directory.write("mode = \"\(mode)\"\n", to: "plugins/hello/plugin.toml")
                @Sendable func place(_ word: String) throws {
                    let script = text.replacing("WORD", with: word).replacing("RECORD", with: record)
                    try up.directory.write(script, to: "plugins/hello/.processor.new", mode: 0o755)
                    let folder = up.directory.path("plugins/hello")
                    #expect(rename("\(folder)/.processor.new", "\(folder)/processor") == 0)
                }
                try place("v0")
                try await up.found("hello")
                var ids = try await withThrowingTaskGroup(of: [String].self) { group in
                    for poster in 0..<4 {
                        group.addTask {
                            var ids: [String] = []
                            for number in 1...50 {
                                if poster == 0, number % 10 == 0 { try place("v\(number / 10)") }
                                ids.append(try #require(try await up.post("hello").taskID))
                            }
                            return ids
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                for id in ids { #expect(try await up.finished(id)["state"].string == "completed") }
                // The last form is at work before long, whatever the tasks met.
                try place("last")
                var lines: [[String]] = []
                let deadline = MonotonicDeadline.after(.seconds(20))
                while lines.last?.first != "last", MonotonicDeadline.now() < deadline {
                    ids.append(try #require(try await up.post("hello").taskID))
                    _ = try await up.finished(ids[ids.count - 1])
                    lines = String(decoding: try TextFile.bytes(of: record), as: UTF8.self)
                        .split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                }
                #expect(lines.last?.first == "last")
                #expect(lines.count == ids.count)
                #expect(Set(lines.compactMap(\.last)) == Set(ids))
            }
        }
    }
}
