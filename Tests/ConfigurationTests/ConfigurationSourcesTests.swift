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
                    "variable TASKQ_CONFIG_QUEUES__MAIL__TIMEOUT", "variable TASKQ_CONFIG_QUEUE__LEASE",
                ])
        }
    }

    @Test func aFileThatWasNamedMustBeThere() throws {
        let error = try #require(throws: ConfigurationError.self) {
            try ConfigurationSources(file: "/nowhere/taskq.toml").load()
        }
        #expect(error.description == "/nowhere/taskq.toml: cannot be read: No such file or directory")
    }

    @Test func aMistakeThatALaterSourceHidesIsToldAndStopsTheStart() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write("[queue]\nlease = 1\nretention = \"1d\"\n", to: "t.toml")
            let first = try directory.write("[queue\n", to: "t.toml.d/1.toml")
            let second = try directory.write("[queue]\nlease = \"1m\"\nbogus = 1\n", to: "t.toml.d/2.toml")
            let error = try #require(throws: ConfigurationError.self) {
                try ConfigurationSources(file: file).load()
            }
            let places = error.problems.map { "\($0.position.source):\($0.position.line)" }
            #expect(places == ["\(file):2", "\(first):1", "\(second):3"])
        }
    }

    @Test func valuesThatMustAgreeMayStandInDifferentSources() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write(
                "[processor]\ntimeout = \"2h\"\n[api]\ntls_key = \"k\"\n", to: "t.toml")
            try directory.write(
                "[processor]\nmax_runtime = \"3h\"\n[api]\ntls_certificate = \"c\"\n", to: "t.toml.d/1.toml")
            let configuration = try ConfigurationSources(file: file).load()
            #expect(configuration.processorLimits(for: "").timeoutMilliseconds == 7_200_000)
            #expect(configuration.api.tlsKey == "k")
        }
    }

    @Test func everyEffectiveValueNamesWhereItCameFrom() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write(
                "[queue]\nlease = \"1m\"\n[queues.mail]\ntimeout = \"9s\"\n", to: "t.toml")
            let addition = try directory.write("[queue]\nmax_attempts = 4\n", to: "t.toml.d/a.toml")
            let manifest = try directory.write(
                "timeout = \"8s\"\nconcurrency = 3\n[queue]\nlease = \"2m\"\nhistory = \"2h\"\n",
                to: "plugins/mail/plugin.toml")
            let sources = ConfigurationSources(
                file: file, stateDirectory: "var", listen: ListenAddress("127.0.0.1:0"),
                environment: ["TASKQ_CONFIG_LOG__LEVEL=debug"], pluginFolders: [directory.path("plugins")])
            let inspection = sources.inspect()
            #expect(inspection.problems.isEmpty)
            let shown = inspection.values.map { value in
                let place = value.origin.map { $0.line > 0 ? "\($0.source):\($0.line)" : $0.source }
                return "\(value.key) = \(value.value) from \(place ?? "default")"
            }
            for line in [
                "queue.lease = \"1m\" from \(file):2", "queue.max_attempts = 4 from \(addition):2",
                "queue.retention = \"14d\" from default",
                "log.level = \"debug\" from variable "
                    + "TASKQ_CONFIG_LOG__LEVEL", "api.listen = \"127.0.0.1:0\" from option --listen",
                "journal.directory = \"var/journal\" from option --state",
                "queues.mail.timeout = \"9s\" from \(file):4",
                "queues.mail.concurrency = 3 from \(manifest):2",
                "queues.mail.history = \"2h\" from \(manifest):5",
            ] {
                #expect(shown.contains(line), "\(line) is not in \(shown)")
            }
            #expect(!shown.contains { $0.hasPrefix("queues.mail.lease") }, "[queue] is above the manifest")
            let isAnnounced = inspection.notices.contains {
                $0.contains("queues.mail.concurrency") && $0.contains("one at a time")
            }
            #expect(isAnnounced, "\(inspection.notices)")
        }
    }

    @Test func aManifestsMistakeIsToldWithItsFile() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write("", to: "t.toml")
            let manifest = try directory.write("\nmod = \"stream\"\n", to: "plugins/mail/plugin.toml")
            let sources = ConfigurationSources(file: file, pluginFolders: [directory.path("plugins")])
            #expect(
                sources.inspect().problems.map(\.description)
                    == ["\(manifest):2:1: mod: unknown key, did you mean \"mode\"?"])
        }
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
