import ArgumentParser
import Configuration
import TestSupport
import Testing

@testable import AdminCommands

/// What `make install` puts beside the programs: manual pages and shell completions.
@Suite struct ManualTests {
    /// The pages by their file names, as `scripts/manual` writes them.
    private static func pages() async throws -> [String: String] {
        try await TemporaryDirectory.with { directory in
            let script = "\(BuiltProducts.repositoryRoot())/scripts/manual"
            let writer = ProcessDescription(script, [BuiltProducts.folder, directory.path])
            try await ProcessFixture.with(writer) { process in
                let status = try await process.end(within: .seconds(60))
                #expect(status == .exited(0), "\(process.lines.map(\.text))")
            }
            var pages: [String: String] = [:]
            for folder in TemporaryDirectory.entries(of: directory.path) {
                for name in TemporaryDirectory.entries(of: directory.path(folder)) {
                    let text = String(decoding: try directory.read("\(folder)/\(name)"), as: UTF8.self)
                    pages[name] = text.replacing("\\-", with: "-").replacing("\\fR\\&", with: "\\fR")
                }
            }
            return pages
        }
    }

    /// Every command below a command, by the words that call it.
    private static func commands(
        below parent: any ParsableCommand.Type, _ words: String
    ) -> [(words: String, command: any ParsableCommand.Type)] {
        parent.configuration.subcommands.flatMap { command in
            let name = "\(words) \(command._commandName)"
            return [(name, command)] + commands(below: command, name)
        }
    }

    @Test func everyProgramAndEveryFileOfTheAdminsHasAPage() async throws {
        let expected = [
            "taskq-broker.8", "taskq-ingest.8", "taskq-plugin.toml.5", "taskq-plugins.8", "taskq-processor.7",
            "taskq-worker.8", "taskq.1", "taskq.7", "taskq.toml.5",
        ]
        let found = try await Self.pages().keys.sorted()
        #expect(found == expected)
    }

    @Test func thePageOfTaskqHasEveryCommandWithItsOptions() async throws {
        let pages = try await Self.pages()
        let page = try #require(pages["taskq.1"])
        let commands = Self.commands(below: TaskqCommand.self, "taskq")
        #expect(commands.count > 30)
        for (words, command) in commands {
            let section = page.split(separator: ".SS \"\(words)\"\n").dropFirst().first
            let text = try #require(section, "\(words)").prefix(upTo: ".SS ")
            let help = command.helpMessage(columns: 1_000)
            for option in help.matches(of: /--[a-z-]+/).map(\.output)
            where command.configuration.subcommands.isEmpty && option != "--help" && option != "--version" {
                #expect(text.contains(option), "\(words) \(option)")
            }
        }
    }

    @Test func thePagesOfTheFilesHaveEveryKey() async throws {
        let pages = try await Self.pages()
        let shared = try #require(pages["taskq.toml.5"])
        for key in ConfigurationKey.all {
            #expect(shared.contains(".TP\n\\fB\(key.path)\\fR\n"), "\(key.path)")
        }
        let manifest = try #require(pages["taskq-plugin.toml.5"])
        for key in ConfigurationKey.manifestExpectations.keys {
            #expect(manifest.contains(".TP\n\\fB\(key)\\fR\n"), "\(key)")
        }
    }

    @Test(arguments: ["taskq-broker", "taskq-ingest", "taskq-plugins", "taskq-worker"])
    func aDaemonsPageHasItsOptions(name: String) async throws {
        let pages = try await Self.pages()
        let page = try #require(pages["\(name).8"])
        let help = try ProcessDescription(product: name, ["--help"])
        try await ProcessFixture.with(help) { process in
            let status = try await process.end(within: .seconds(30))
            #expect(status == .exited(0))
            let options = process.lines.flatMap { $0.text.matches(of: /^  (--[a-z-]+)/).map(\.output.1) }
            #expect(options.count > 4)
            for option in options {
                #expect(page.contains(".TP\n\\fB\(option)\\fR"), "\(option)")
            }
        }
    }

    @Test(arguments: [CompletionShell.bash, .zsh, .fish])
    func everyShellCompletesEveryCommand(shell: CompletionShell) {
        let script = TaskqCommand.completionScript(for: shell)
        for (words, _) in Self.commands(below: TaskqCommand.self, "taskq") {
            let verb = words.split(separator: " ").last ?? ""
            #expect(script.contains(verb), "\(words)")
        }
    }
}

extension Substring {
    /// All of it where the mark is not in it.
    fileprivate func prefix(upTo mark: String) -> Substring {
        firstRange(of: mark).map { self[..<$0.lowerBound] } ?? self
    }
}
