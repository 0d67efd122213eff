import Configuration
import TaskModel
import TestSupport
import Testing

@Suite struct ConfigurationSourcesTests {
    @Test func laterSourcesWin() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write(
                "[queue]\nmax_attempts = 2\nlease = \"20s\"\nmax_depth = 5\n", to: "t.toml")
            try directory.write("[queue]\nmax_attempts = 3\nlease = \"30s\"\n", to: "t.toml.d/10-first.toml")
            try directory.write("[queue]\nmax_attempts = 4\n", to: "t.toml.d/20-second.toml")
            try directory.write("nonsense", to: "t.toml.d/notes.txt")
            let sources = ConfigurationSources(
                file: file, stateDirectory: "var", listen: ListenAddress("127.0.0.1:0"),
                environment: [
                    "PATH=/bin", "TASKQ_CONFIG_QUEUE__MAX_ATTEMPTS=5", "TASKQ_CONFIG_ENVIRONMENT=dev",
                ])
            let configuration = try sources.load()
            let settings = configuration.queueSettings(for: "tasks")
            #expect(settings.maxAttempts == 5)
            #expect(settings.leaseMilliseconds == 30_000)
            #expect(settings.maxDepth == 5)
            #expect(configuration.environment == "dev")
            #expect(configuration.api.listen == ListenAddress(host: "127.0.0.1", port: 0))
            #expect(configuration.journal.directory == "var/journal")
            #expect(configuration.paths.ingestSocket == "var/run/ingest/ingest.sock")
        }
    }

    @Test func aWrongVariableIsNamed() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write("", to: "t.toml")
            let variables = ["TASKQ_CONFIG_QUEUE__LEASE=soon", "TASKQ_CONFIG_QUEUES__MAIL__TIMEOUT=1"]
            let error = try #require(throws: ConfigurationError.self) {
                try ConfigurationSources(file: file, environment: variables).load()
            }
            #expect(
                error.problems.map(\.position.source) == [
                    "variable TASKQ_CONFIG_QUEUE__LEASE", "variable TASKQ_CONFIG_QUEUES__MAIL__TIMEOUT",
                ])
        }
    }

    @Test func aFileThatWasNamedMustBeThere() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ConfigurationSources(file: "/nowhere/taskq.toml").load()
        }
        #expect(error.description == "/nowhere/taskq.toml: cannot be read: No such file or directory")
    }

    @Test func aProblemNamesTheFileItStandsIn() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write("[queue]\nlease = \"20s\"\n", to: "t.toml")
            let addition = try directory.write("\n[queue]\nlease = 1\n", to: "t.toml.d/a.toml")
            let error = try #require(throws: ConfigurationError.self) {
                try ConfigurationSources(file: file).load()
            }
            #expect(error.problems.map(\.position) == [SourcePosition(source: addition, line: 3, column: 1)])
        }
    }
}
