import AdminCommands
import Glibc
import TestSupport
import Testing

@Suite struct PluginNewTests {
    private static func new(_ directory: TemporaryDirectory, _ words: String...) -> Int32 {
        AdminProgram.run(["plugin", "new", "--folder", directory.path("plugins")] + words)
    }

    private static func test(_ directory: TemporaryDirectory, _ name: String) async throws -> Int32 {
        try await RehearsedPlugin.taskq(["plugin", "test", directory.path("plugins/\(name)")])
    }

    @Test(arguments: ["sh", "python", "swift", "lambda"])
    func whatIsWrittenWorksAtOnce(language: String) async throws {
        try await TemporaryDirectory.with { directory in
            #expect(Self.new(directory, "mail", "--lang", language) == 0)
            let list = ["plugin", "ls", "--plugins", directory.path("plugins")]
            #expect(AdminProgram.run(list) == 0)
            let status = try await Self.test(directory, "mail")
            #expect(status == 0)
        }
    }

    /// The Swift one compiled first, as its README says.
    @Test(arguments: ["sh", "python", "swift", "lambda"])
    func whatIsWrittenPassesEveryTrial(language: String) async throws {
        try await TemporaryDirectory.with { directory in
            #expect(Self.new(directory, "mail", "--lang", language) == 0)
            let folder = directory.path("plugins/mail")
            if language == "swift" {
                let compile = ["swiftc", "\(folder)/main.swift", "-o", "\(folder)/processor"]
                try await ProcessFixture.with(ProcessDescription("/usr/bin/env", compile)) { compiler in
                    let status = try await compiler.end(within: .seconds(120))
                    #expect(status == .exited(0))
                }
            }
            let status = try await RehearsedPlugin.taskq(["plugin", "test", folder, "--torture"])
            #expect(status == 0)
        }
    }

    @Test func nothingIsOverwritten() throws {
        try TemporaryDirectory.with { directory in
            try directory.write("#!/bin/sh\n", to: "plugins/mail.sh", mode: 0o755)
            #expect(Self.new(directory, "mail") == 1)
            #expect(Self.new(directory, "sms") == 0)
            try directory.write("mine", to: "plugins/sms/README.md")
            #expect(Self.new(directory, "sms") == 1)
            #expect(try directory.read("plugins/sms/README.md") == Array("mine".utf8))
        }
    }

    @Test(arguments: [
        ["Mail"], ["-x"], ["a/b"], [""], ["mail", "--lang", "cobol"], ["mail", "--handler", "a.b"],
        ["mail", "--lang", "lambda", "--handler", "nodot"],
        ["mail", "--lang", "lambda", "--handler", "a..b"],
        ["mail", "--lang", "lambda", "--handler", "a.b\"c"],
        ["mail", "--lang", "lambda", "--handler", "1a.b"],
    ])
    func wrongUsageIsTwoAndWritesNothing(words: [String]) throws {
        try TemporaryDirectory.with { directory in
            let new = ["plugin", "new", "--folder", directory.path("plugins")]
            #expect(AdminProgram.run(new + words) == 2)
            #expect(TemporaryDirectory.entries(of: directory.path) == [])
        }
    }

    @Test func aHandlerOfOnesOwnIsCalledWhereItStands() async throws {
        try await TemporaryDirectory.with { directory in
            let words = ["mail", "--lang", "lambda", "--handler", "app.main.on_task"]
            #expect(AdminProgram.run(["plugin", "new", "--folder", directory.path("plugins")] + words) == 0)
            #expect(access(directory.path("plugins/mail/handler.py"), F_OK) != 0)
            // Without it the plugin does not start.
            #expect(try await Self.test(directory, "mail") == 1)
            let handler = "def on_task(event, context):\n    assert len(event['Records']) == 1\n"
            try directory.write(handler, to: "plugins/mail/app/main.py")
            #expect(try await Self.test(directory, "mail") == 0)
        }
    }
}
