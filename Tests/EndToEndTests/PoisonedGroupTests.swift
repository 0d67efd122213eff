import TestSupport
import Testing

extension EndToEndTests {
    /// What a developer types at a terminal when a group does not move.
    @Suite struct PoisonedGroupTests {
        private static let configuration = """
            [queue]
            max_attempts = 2
            [queues.mail]
            on_exhausted = "park-group"
            [processor.retry]
            initial = "0s"

            """
        private static let processor = """
            #!/bin/sh
            task=$(cat)
            case $task in *@*) exit 0;; esac
            echo "no @ in the address: $task" >&2
            exit 3

            """

        /// Runs one command at a terminal, and gives what was seen.
        private static func seen(
            _ stack: Stack, _ arguments: [String], status: TestSupport.ExitStatus = .exited(0),
            _ body: @escaping @Sendable (TerminalFixture) throws -> Void = { _ in }
        ) async throws -> String {
            let end = try await stack.terminal(arguments, body)
            #expect(end.status == status, "taskq \(arguments.joined(separator: " ")): \(end.text)")
            return end.text
        }

        private static func put(_ stack: Stack, _ body: String, group: String) async throws -> String {
            let url = "http://\(try stack.address)"
            let text = try await stack.tool(["put", "mail", body, "--group", group, "--url", url]).text
            return try #require(text.split(separator: "\n").last.map(String.init))
        }

        @Test func aPoisonedGroupIsFoundUnderstoodMendedAndCompletedAtATerminal() async throws {
            try await Stack.with(configuration: Self.configuration) { stack in
                try await stack.startAll(queue: "mail", plugin: stack.plugin("mail", Self.processor))
                let poisoned = try await Self.put(stack, #"{"to":"nobody"}"#, group: "orders")
                let behind = try await Self.put(stack, #"{"to":"a@b"}"#, group: "orders")
                let other = try await Self.put(stack, #"{"to":"c@d"}"#, group: "letters")
                #expect(try await stack.finished(poisoned)["state"].string == "parked")
                #expect(try await stack.finished(other)["state"].string == "completed")

                // Blocked, and by what.
                let status = try await Self.seen(stack, ["status"])
                #expect(status.contains("group orders blocked by \(poisoned), parked after 2 attempts"))
                let held = try await Self.seen(stack, ["get", behind])
                #expect(held.contains("waiting because  group blocked by \(poisoned)"))
                let groups = try await Self.seen(stack, ["groups", "mail"])
                let words = groups.split { $0 == " " }.joined(separator: " ")
                #expect(words.contains("mail orders \(poisoned)"), "\(groups)")
                #expect(words.contains("s parked 2 exit 3 parked after 2 attempts"), "\(groups)")

                // The group goes on without it.
                let dry = try await Self.seen(
                    stack, ["groups", "dead-letter", "mail", "orders", "--dry-run"])
                #expect(dry == "would be dead-lettered: \(poisoned), first of group orders\r\n")
                let moved = try await Self.seen(stack, ["groups", "dead-letter", "mail", "orders"])
                #expect(moved == "dead-lettered: \(poisoned), first of group orders\r\n")
                #expect(try await stack.finished(behind)["state"].string == "completed")

                // Why it died.
                #expect(try await Self.seen(stack, ["dlq", "ls", "mail"]).contains("\(poisoned)  orders"))
                let shown = try await Self.seen(stack, ["dlq", "show", poisoned])
                #expect(shown.contains("attempt 2: exit 3"))
                #expect(shown.contains(#"stderr  no @ in the address: {"to":"nobody"}"#))
                let plugins = stack.directory.path("plugins")
                let tried = try await Self.seen(
                    stack, ["dlq", "retry", poisoned, "--here", "--plugins", plugins], status: .exited(1)
                ) { terminal in
                    try terminal.shows("no @ in the address")
                    try terminal.shows("Redrive it all the same? [y/N] ")
                    try terminal.type("n\n")
                }
                #expect(tried.contains("verdict  failed, exit 3"))

                // Mended, with a dry run first.
                let redrive = ["dlq", "redrive", "--queue", "mail", "--group", "orders", "--dry-run"]
                #expect(try await Self.seen(stack, redrive) == "would be redriven: 1\r\n")
                try stack.directory.write(#"{"to": "some@body"}"#, to: "mended.json")
                let edit = ["dlq", "edit", poisoned, "--payload", stack.directory.path("mended.json")]
                let would = try await Self.seen(stack, edit + ["--dry-run"])
                #expect(would == "would redrive \(poisoned) to mail with a payload of 18 bytes\r\n")
                #expect(try await stack.finished(poisoned)["state"].string == "dead-lettered")
                #expect(try await Self.seen(stack, edit) == "redriven \(poisoned) to mail\r\n")
                let done = try await Self.seen(stack, ["get", poisoned, "--wait", "30"])
                #expect(done.contains("state     completed"), "\(done)")
                #expect(try await Self.seen(stack, ["groups", "mail"]) == "no group is blocked\r\n")
                try await stack.stopAndReadJournal()
            }
        }

        @Test func aTaskThatRunsHereIsRedrivenWhenItsDeveloperSaysSo() async throws {
            try await Stack.with(configuration: "[queues.mail]\nmax_attempts = 1\n") { stack in
                let gate = stack.directory.path("gate")
                let script = "#!/bin/sh\ncat; [ -e \(gate) ]\n"
                try await stack.startAll(queue: "mail", plugin: stack.plugin("mail", script))
                let id = try await Self.put(stack, #"{"n":1}"#, group: "a")
                #expect(try await stack.finished(id)["state"].string == "dead-lettered")
                try stack.directory.write("", to: "gate")
                let plugins = stack.directory.path("plugins")
                let retry = ["dlq", "retry", id, "--here", "--plugins", plugins]
                let (status, text) = try await stack.end(of: retry + ["--json"], within: .seconds(60))
                #expect(status == .exited(0), "\(text)")
                let json = try JSON(Array(text.utf8))
                #expect(json["task_id"].string == id && json["verdict"].string == "acked")
                #expect(json["stdout"].array.first?.string == #"{"n":1}"#)
                #expect(try await stack.finished(id)["state"].string == "dead-lettered")
                let seen = try await Self.seen(stack, retry) { terminal in
                    try terminal.shows("It is still dead. Redrive it? [y/N] ")
                    try terminal.type("y\n")
                }
                #expect(seen.hasSuffix("redriven: 1\r\n"), "\(seen)")
                #expect(try await stack.finished(id)["state"].string == "completed")
            }
        }
    }
}
