import AdminCommands
import Glibc
import ProcessorSupervision
import TestSupport
import Testing

@Suite struct PluginInventoryTests {
    private static let script = "#!/bin/sh\nexit 0\n"

    /// What `plugin ls` would say of folders `first` and `second`, by queue.
    private static func look(
        _ folders: [String] = ["first"], _ fill: (TemporaryDirectory) throws -> Void
    ) throws -> PluginInventory {
        try TemporaryDirectory.with { directory in
            for folder in folders { try directory.makeFolder(folder) }
            try fill(directory)
            return try PluginInventory(
                folders: folders.map { directory.path($0) }, trust: .foreground(user: getuid()),
                searchPath: ProcessorSurroundings.usualSearchPath)
        }
    }

    @Test func aFolderAndASingleFileAreReady() throws {
        let inventory = try Self.look { directory in
            try directory.write(Self.script, to: "first/mail/processor", mode: 0o755)
            try directory.write("mode = \"stream\"\n", to: "first/mail/plugin.toml")
            try directory.write(Self.script, to: "first/sms.sh", mode: 0o755)
            try directory.write("notes", to: "first/README")
        }
        #expect(inventory.entries.map(\.queue) == ["mail", "sms"])
        #expect(inventory.entries.map(\.mode) == ["stream", "oneshot"])
        #expect(inventory.entries.allSatisfy { $0.standing == .ready && $0.warnings.isEmpty })
        #expect(inventory.plugins.map(\.queue) == ["mail", "sms"])
    }

    /// Each with a word of the cure.
    @Test(arguments: [
        ("mail/processor", "#!/bin/sh\r\nexit 0\r\n", mode_t(0o755), "CR"),
        ("mail/processor", "#!/no/such/interpreter\n", 0o755, "/no/such/interpreter"),
        ("mail/processor", "#!/bin/sh\n", 0o644, "chmod +x"),
        ("mail/processor", "#!/bin/sh\n", 0o777, "chmod"),
        ("mail/plugin.toml", "mode = \"warm\"\n", 0o644, "plugin.toml:1"),
        ("Mail", "#!/bin/sh\n", 0o755, "[a-z0-9]"),
    ])
    func whatDoesNotRunNamesItsCure(name: String, text: String, mode: mode_t, word: String) throws {
        let inventory = try Self.look { try $0.write(text, to: "first/\(name)", mode: mode) }
        let entry = try #require(inventory.entries.first)
        guard case .broken(let sentence) = entry.standing else {
            Issue.record("\(entry.standing)")
            return
        }
        #expect(sentence.contains(word), "\(sentence)")
    }

    @Test func twoFilesForOneQueueAreOneSentence() throws {
        let inventory = try Self.look { directory in
            try directory.write(Self.script, to: "first/mail.sh", mode: 0o755)
            try directory.write(Self.script, to: "first/mail.py", mode: 0o755)
            try directory.write(Self.script, to: "first/sms", mode: 0o755)
        }
        #expect(inventory.entries.map(\.standing.label) == ["broken", "ready"])
        #expect(inventory.entries[0].standing.words.contains("remove one"))
        #expect(inventory.plugins.map(\.queue) == ["sms"])
    }

    @Test func anEarlierFolderHidesAndMasksALaterOne() throws {
        let inventory = try Self.look(["first", "second"]) { directory in
            try directory.write(Self.script, to: "first/mail", mode: 0o755)
            try directory.write("", to: "first/sms")
            for queue in ["mail", "sms", "fax"] {
                try directory.write(Self.script, to: "second/\(queue)/processor", mode: 0o755)
            }
        }
        let standings = inventory.entries.map { "\($0.queue ?? "-") \($0.standing.label)" }
        #expect(standings == ["fax ready", "mail ready", "mail shadowed", "sms mask", "sms masked"])
        #expect(inventory.plugins.map(\.queue) == ["mail", "fax"])
    }

    @Test func whatAGroupMayWriteIsAWarningToItsOwner() throws {
        let inventory = try Self.look { directory in
            try directory.write(Self.script, to: "first/mail", mode: 0o775)
        }
        let entry = try #require(inventory.entries.first)
        #expect(entry.standing == .ready)
        #expect(entry.warnings.count == 1)
    }

    @Test func theCommandsStatusSaysWhetherAllIsWell() throws {
        try TemporaryDirectory.with { directory in
            try directory.write(Self.script, to: "plugins/mail", mode: 0o755)
            let list = ["plugin", "ls", "--plugins", directory.path("plugins")]
            #expect(AdminProgram.run(list) == 0)
            #expect(AdminProgram.run(list + ["--json"]) == 0)
            try directory.write("#!/bin/sh\n", to: "plugins/sms", mode: 0o644)
            #expect(AdminProgram.run(list) == 1)
            #expect(AdminProgram.run(list + ["--installed"]) == 2)
            #expect(AdminProgram.run(["plugin", "ls", "--plugins", directory.path("none")]) == 1)
        }
    }
}
