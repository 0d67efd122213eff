import AdminCommands
import TestSupport
import Testing

@Suite struct ConfigCommandTests {
    private static func run(_ words: String...) -> Int32 { AdminProgram.run(["config"] + words) }

    @Test func aRightConfigurationIsZero() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write("[queue]\nlease = \"30s\"\n", to: "t.toml")
            #expect(Self.run("check", "--config", file) == 0)
            #expect(Self.run("check", "--quiet", "--config", file) == 0)
            #expect(Self.run("check", "--json", "--config", file) == 0)
            #expect(Self.run("show", "--config", file, "--state", "var", "--listen", "[::1]:0") == 0)
            #expect(Self.run("show", "--json", "--config", file) == 0)
        }
    }

    @Test(arguments: ["[queue]\nlease = 5\n", "[queue\n", "bogus = 1\n"])
    func aWrongConfigurationIsSeventyEight(text: String) throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write(text, to: "t.toml")
            for command in ["check", "show"] {
                #expect(Self.run(command, "--config", file) == 78)
                #expect(Self.run(command, "--json", "--config", file) == 78)
            }
        }
    }

    @Test func aFileThatIsNotThereIsSeventyEight() {
        #expect(Self.run("check", "--config", "/nowhere/taskq.toml") == 78)
    }

    @Test func aWrongManifestIsSeventyEight() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write("", to: "t.toml")
            try directory.write("mode = 5\n", to: "plugins/mail/plugin.toml")
            let plugins = directory.path("plugins")
            #expect(Self.run("check", "--config", file, "--plugins", plugins) == 78)
        }
    }

    @Test func wrongUsageIsTwo() {
        #expect(Self.run("check", "--config", "a", "--env", "b") == 2)
        #expect(Self.run("check", "--env", "../x") == 2)
        #expect(Self.run("show", "--listen", "8080") == 2)
        #expect(Self.run("chek") == 2)
    }

    @Test func anEnvironmentWithoutAFileIsOne() {
        #expect(Self.run("check", "--env", "no-such-environment") == 1)
    }
}
