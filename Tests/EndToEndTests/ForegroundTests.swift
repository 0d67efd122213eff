import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// `taskq up` when something happens to it or to its daemons.
    @Suite struct ForegroundTests {
        /// A running `taskq up` with a configuration of its own.
        struct Up {
            let process: ProcessFixture
            let directory: TemporaryDirectory
            let address: SocketAddress
            /// That of `taskq` itself.
            let pid: pid_t

            /// - Parameter wrapper: a command that runs the command after it.
            static func with(
                configuration: String = "", processor: String = "#!/bin/sh\nexit 0\n", json: Bool = false,
                wrapper: [String] = [], _ body: (Up) async throws -> Void
            ) async throws {
                try await TemporaryDirectory.with { directory in
                    try directory.write("environment = \"test\"\n" + configuration, to: "taskq.toml")
                    try directory.write(processor, to: "plugins/tasks/processor", mode: 0o755)
                    let arguments =
                        [
                            "up", "--config", directory.path("taskq.toml"), "--state", directory.path("var"),
                            "--plugins", directory.path("plugins"), "--listen", "127.0.0.1:0",
                        ] + (json ? ["--log-format", "json"] : [])
                    var description = try ProcessDescription(
                        product: "taskq", arguments, directory: directory.path)
                    if let program = wrapper.first {
                        description.arguments =
                            Array(wrapper.dropFirst()) + [description.executable] + arguments
                        description.executable = program
                    }
                    try await ProcessFixture.with(description) { process in
                        let address = try await process.listeningAddress()
                        try await process.line(containing: "worker connected")
                        try await process.line(containing: "broker connected")
                        let pid = wrapper.isEmpty ? process.pid : try child(of: process.pid, "taskq")
                        try await body(Up(process: process, directory: directory, address: address, pid: pid))
                    }
                }
            }

            func post() async throws -> HTTPTestResponse {
                try await HTTPTestClient.once(
                    address, "POST", "/tasks", headers: ["Content-Type": "application/json"],
                    body: EndToEndTests.task)
            }

            func finished(_ id: String) async throws -> JSON {
                try JSON(try await HTTPTestClient.once(address, "GET", "/tasks/\(id)?wait=30").body)
            }

            func stop() async throws {
                #expect(kill(pid, SIGTERM) == 0)
                #expect(try await process.end() == .exited(0))
            }

            /// The daemon of that name, a child of `taskq up`.
            func child(_ name: String) throws -> pid_t { try Up.child(of: pid, name) }

            static func child(of parent: pid_t, _ name: String) throws -> pid_t {
                let list = try TextFile.bytes(of: "/proc/\(parent)/task/\(parent)/children")
                let pids = String(decoding: list, as: UTF8.self).split(separator: " ").compactMap {
                    pid_t($0)
                }
                for pid in pids {
                    let comm = try TextFile.bytes(of: "/proc/\(pid)/comm")
                    if String(decoding: comm, as: UTF8.self) == name + "\n" { return pid }
                }
                throw TestSupportError.productMissing(name: name, folder: "the children of \(parent)")
            }
        }

        @Test func aDaemonThatDiesIsStartedAgainAndTheOthersServeOn() async throws {
            try await Up.with { up in
                for name in ["taskq-broker", "taskq-ingest"] {
                    let mark = up.process.mark
                    #expect(kill(try up.child(name), SIGKILL) == 0)
                    try await up.process.line(
                        containing: "\(name) ended: signal 9; starting it again in", from: mark)
                    try await up.process.line(containing: "broker connected", from: mark)
                    // A port that the kernel chose is kept.
                    let id = try #require(try await up.post().taskID)
                    #expect(try await up.finished(id)["state"].string == "completed")
                }
                try await up.stop()
            }
        }

        /// As the first process of a container.
        private static let asFirstProcess = [
            "/usr/bin/unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc",
        ]

        private static func canBeFirst() async -> Bool {
            guard getuid() == 0, access(asFirstProcess[0], X_OK) == 0 else { return false }
            var description = try? ProcessDescription(product: "taskq", [])  // ignoring: then it cannot
            description?.executable = asFirstProcess[0]
            description?.arguments = asFirstProcess.dropFirst() + ["/bin/true"]
            guard let description else { return false }
            do {
                return try await ProcessFixture.with(description) { try await $0.end() } == .exited(0)
            } catch {
                return false
            }
        }

        @Test func aDeadWorkersProcessorDiesBeforeItsSuccessorStarts() async throws {
            try await Self.killWorkerInTheMiddle(wrapper: [])
        }

        @Test(.enabled("needs namespaces") { await canBeFirst() })
        func theFirstProcessOfAContainerReapsAndStopsInOrder() async throws {
            try await Self.killWorkerInTheMiddle(wrapper: Self.asFirstProcess)
        }

        private static func killWorkerInTheMiddle(wrapper: [String]) async throws {
            let processor = """
                #!/bin/sh
                if [ -e first ]; then
                    kill -0 "$(cat first)" 2>/dev/null && echo alive > second || echo gone > second
                    exit 0
                fi
                # In a session of its own, beyond the reach of a signal to the worker's group.
                exec setsid -w sh -c 'echo $$ > making && mv making first; echo running; exec sleep 1000'

                """
            try await Up.with(processor: processor, wrapper: wrapper) { up in
                let id = try #require(try await up.post().taskID)
                try await up.process.line(containing: "tasks | running")
                #expect(kill(try up.child("taskq-worker"), SIGKILL) == 0)
                let view = try await up.finished(id)
                #expect(view["state"].string == "completed", "\(view)")
                let second = try TextFile.bytes(of: up.directory.path("plugins/tasks/second"))
                #expect(String(decoding: second, as: UTF8.self) == "gone\n")
                try await up.stop()
            }
        }

        @Test func aHangupSignalHasEveryDaemonReadItsConfigurationAgain() async throws {
            try await Up.with { up in
                let text =
                    "environment = \"test\"\n[queue]\nmax_attempts = 3\n[processor]\ntimeout = \"2s\"\n"
                try up.directory.write(text, to: "taskq.toml")
                up.process.signal(SIGHUP)
                for name in ["taskq-broker", "taskq-ingest", "taskq-worker@tasks"] {
                    try await up.process.line(named: "the reload of \(name)") {
                        $0.text.hasPrefix("\(name): ") && $0.text.contains("configuration re")
                    }
                }
                let id = try #require(try await up.post().taskID)
                #expect(try await up.finished(id)["state"].string == "completed")
                try await up.stop()
            }
        }

        @Test func withJSONAskedForEveryLineIsAnObjectOfOneShape() async throws {
            try await Up.with(json: true) { up in
                let id = try #require(try await up.post().taskID)
                #expect(try await up.finished(id)["state"].string == "completed")
                try up.directory.write("#!/bin/sh\nexit 0\n", to: "plugins/mail.sh", mode: 0o755)
                try await up.process.line(named: "the worker of mail") {
                    $0.text.contains("worker connected") && $0.text.contains("\"mail\"")
                }
                try await up.stop()
                for line in up.process.lines {
                    let object = try JSON(Array(line.text.utf8))
                    for key in ["time", "level", "program", "message"] {
                        #expect(object[key].string != nil, "\(key) in \(line.text)")
                    }
                }
                let programs = up.process.lines.compactMap { line in
                    (try? JSON(Array(line.text.utf8)))?["program"].string  // ignoring: parsed above
                }
                #expect(
                    Set(programs).isSuperset(of: [
                        "taskq", "taskq-plugins", "taskq-broker", "taskq-ingest", "taskq-worker",
                    ]))
            }
        }

        @Test func atATerminalTheLinesAreColouredTheBannerHasACommandToPasteAndCtrlCStops() async throws {
            try await TemporaryDirectory.with { directory in
                try directory.write("#!/bin/sh\nexit 0\n", to: "plugins/tasks/processor", mode: 0o755)
                let description = try ProcessDescription(
                    product: "taskq", ["up", "--listen", "127.0.0.1:0"], environment: ["NO_COLOR": nil],
                    directory: directory.path)
                let (status, text) = try await TerminalFixture.run(description) { terminal in
                    try terminal.shows("ready on http://127.0.0.1:")
                    try terminal.shows("curl -i http://127.0.0.1:")
                    try terminal.shows("worker connected")
                    try terminal.interrupt()
                    try terminal.shows("stopping")
                }
                #expect(status == .exited(0))
                #expect(text.contains("\u{1B}[36mtaskq-broker: \u{1B}[0m"), "\(text)")
                // Nothing was named: the usual folders were made.
                #expect(access(directory.path("var/journal"), F_OK) == 0)
            }
        }
    }
}
