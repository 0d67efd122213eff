import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// `taskq logs` as a program: no stack is installed, and journalctl says what it is told.
    @Suite struct LogsTests {
        private static let id = "019b7cb0-a548-7001-8000-000000000002"
        private static let entry =
            #"{"__CURSOR":"c1","__REALTIME_TIMESTAMP":"1767323046000000","MESSAGE":[27,91,50,74],"#
            + #""PRIORITY":"6","SYSLOG_IDENTIFIER":"taskq-worker","TASKQ_PLUGIN":"mail","#
            + #""_SYSTEMD_UNIT":"taskq-worker@mail.service"}"#

        /// Runs `taskq logs` in an empty folder, where no stack is found but the installed one; `script` is
        /// the journalctl that it finds, nil that there is none.
        private func logs(
            _ arguments: [String], journalctl script: String?,
            _ body: (ProcessFixture) async throws -> Void = { _ in }
        ) async throws -> (status: TestSupport.ExitStatus, output: [String], errors: String) {
            try await TemporaryDirectory.with { directory in
                try directory.makeFolder("bin")
                if let script {
                    let text = "#!/bin/sh\n[ -z \"$SYSTEMD_COLORS\" ] || exit 9\n\(script)\n"
                    try directory.write(text, to: "bin/journalctl", mode: 0o755)
                }
                let description = try ProcessDescription(
                    product: "taskq", ["logs"] + arguments,
                    environment: [
                        "PATH": directory.path("bin"), "TASKQ_STATE": nil, "SYSTEMD_COLORS": "1",
                    ], directory: directory.path)
                return try await ProcessFixture.with(description) { process in
                    try await body(process)
                    let status = try await process.end()
                    let output = process.lines.filter { $0.stream == .standardOutput }.map(\.text)
                    let errors = process.lines.filter { $0.stream == .standardError }.map(\.text)
                    return (status, output, errors.joined(separator: "\n"))
                }
            }
        }

        @Test(
            arguments: [
                (nil, 1, "there is no journalctl in PATH"),
                (
                    "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1", 1,
                    "join the group systemd-journal"
                ),
                (
                    "echo 'Hint: You are currently not seeing messages from other users and the system.' >&2",
                    1,
                    "join the group systemd-journal"
                ),
                (
                    "echo 'No journal files were found.' >&2; echo '-- No entries --'", 1,
                    "is systemd-journald running?"
                ),
                ("echo 'Failed to parse timestamp: soon' >&2; exit 1", 2, "--since takes"),
                (
                    "echo 'Failed to open: Input/output error' >&2; exit 1", 1,
                    "journalctl failed: Failed to open: Input/output error"
                ),
                ("kill -9 $$", 1, "journalctl failed"), ("echo '-- No entries --'", 4, "no such line"),
            ] as [(String?, CInt, String)])
        func whatGoesWrongIsOneSentenceWithItsStatus(script: String?, status: CInt, words: String)
            async throws
        {
            let end = try await logs(["--queue", "mail"], journalctl: script)
            #expect(end.status == .exited(status), "\(end)")
            #expect(end.errors.contains(words), "\(end)")
            #expect(!end.errors.contains("\n") && end.output == [], "\(end)")
        }

        @Test func aTaskOfWhichNobodyKnowsIsNotFoundAndABrokerThatIsDownIsNamed() async throws {
            let end = try await logs([Self.id], journalctl: "echo '-- No entries --'")
            #expect(end.status == .exited(3), "\(end)")
            #expect(end.errors.contains("the broker is not running"), "\(end)")
        }

        @Test func whatJournaldHasIsShownWithoutABroker() async throws {
            let end = try await logs([Self.id], journalctl: "echo '\(Self.entry)'")
            #expect(end.status == .exited(0), "\(end)")
            #expect(end.output == [#"2026-01-02T03:04:06.000Z  processor      info      -    \u{1b}[2J"#])
            #expect(end.errors.contains("note: this is journald's part alone"), "\(end)")
        }

        @Test func journalctlIsAskedForTheTaskOrTheQueueInEveryNamespace() async throws {
            let script = """
                for word; do case $word in --output-fields=*) ;; *) echo "$word" >> "$0".asked;; esac; done
                while read -r word; do printf '%s ' "$word"; done < "$0".asked >&2
                exit 1
                """
            let task = try await logs([Self.id.uppercased()], journalctl: script)
            #expect(
                task.errors.hasSuffix(
                    "failed: --output=json --all --no-pager --namespace=* TASKQ_TASK_ID=\(Self.id) "
                ),
                "\(task)")
            let queue = try await logs(
                ["--queue", "mail", "--group", "a b", "--since", "-1h", "--lines", "5"], journalctl: script)
            #expect(
                queue.errors.hasSuffix("--since=-1h --lines=5 TASKQ_QUEUE=mail TASKQ_GROUP=a b "), "\(queue)")
        }

        @Test func followingGoesOnFromWhereTheStoryStoodAndEndsAtCtrlC() async throws {
            let later = Self.entry.replacing("[27,91,50,74]", with: "\"later\"")
            let script = """
                case "$*" in
                    *--after-cursor=c1*--follow*) echo '\(later)'; read -r _ < "$0".fifo;;
                    *) echo '\(Self.entry)'; exec 2>&-; : > /dev/null;;
                esac
                """
            let fifo = "[ -p \"$0\".fifo ] || /usr/bin/mkfifo \"$0\".fifo\n"
            let end = try await logs([Self.id, "--follow"], journalctl: fifo + script) { process in
                try await process.line(containing: "later")
                process.signal(SIGINT)
            }
            #expect(end.status == .exited(130), "\(end)")
            #expect(end.output.count == 2, "\(end)")
        }

        @Test func aReaderThatLeavesEndsTheCommand() async throws {
            let flood = "while :; do echo '\(Self.entry)'; done"
            let program = try BuiltProducts.path(of: "taskq")
            try await TemporaryDirectory.with { directory in
                try directory.write("#!/bin/sh\n\(flood)\n", to: "journalctl", mode: 0o755)
                let pipeline =
                    "cd '\(directory.path)'; PATH=. '\(program)' logs \(Self.id) | read -r line; echo left"
                let shell = ProcessDescription(
                    "/bin/sh", ["-c", pipeline], environment: ["TASKQ_STATE": nil])
                try await ProcessFixture.with(shell) { process in
                    let status = try await process.end()
                    #expect(status == .exited(0))
                    #expect(process.lines.map(\.text).contains("left"))
                }
            }
        }

        @Test func aStackInTheForegroundTellsTheBrokersRecord() async throws {
            try await Stack.with(configuration: "[processor.retry]\ninitial = \"0s\"\n") { stack in
                let marker = stack.directory.path("once")
                let script = """
                    #!/bin/sh
                    [ -e \(marker) ] && exit 0
                    : > \(marker); printf 'no \\033[31mluck\\n' >&2; exit 3
                    """
                try await stack.startAll(plugin: stack.plugin("tasks", script))
                let id = try #require(try await stack.post(EndToEndTests.task).taskID)
                #expect(try await stack.finished(id)["state"].string == "completed")
                let (status, text) = try await stack.end(of: ["logs", id, "--json"], within: .seconds(60))
                #expect(status == .exited(0), "\(text)")
                let lines = try text.split(separator: "\n").filter { $0.hasPrefix("{") }.map {
                    try JSON(Array($0.utf8))
                }
                #expect(
                    lines.map { $0["message"].string } == [
                        "task accepted", "no \u{1B}[31mluck", "task attempt failed: exit 3", "task completed",
                    ], "\(text)")
                #expect(lines.allSatisfy { $0["source"].string == "record" && $0["task_id"].string == id })
                #expect(text.contains("to where 'taskq up' runs"), "\(text)")
                let unknown = try await stack.end(of: ["logs", Self.id], within: .seconds(60))
                #expect(unknown.status == .exited(4), "\(unknown)")
                for words in [["--queue", "tasks"], [id, "--follow"]] {
                    let refused = try await stack.end(of: ["logs"] + words, within: .seconds(60))
                    #expect(refused.status == .exited(1) && refused.text.contains("taskq up"), "\(refused)")
                }
            }
        }
    }
}
