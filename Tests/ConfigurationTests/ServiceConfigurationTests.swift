import Configuration
import TaskModel
import TestSupport
import Testing

@Suite struct ServiceConfigurationTests {
    private static func read(_ text: String) throws -> ServiceConfiguration {
        try ServiceConfiguration(document: TOMLParser.parse(Array(text.utf8), source: "test"))
    }

    @Test func anEmptyFileMeansTheDefaults() throws {
        let configuration = try Self.read("")
        #expect(configuration == ServiceConfiguration())
        #expect(configuration.queueSettings(for: "tasks") == QueueSettings())
        #expect(configuration.processorLimits(for: "tasks") == ProcessorLimits())
    }

    @Test func everyKeyIsTaken() throws {
        let configuration = try Self.read(
            """
            environment = "staging"
            [api]
            listen = "[::1]:9090"
            max_body_bytes = "512 KiB"
            max_connections = 10
            [queue]
            lease = "1m"
            max_attempts = 7
            on_exhausted = "park-group"
            default_group = "task"
            retention = "forever"
            dedup_window = "0s"
            dedup_max = 5
            max_depth = 6
            history = "90m"
            history_max = 8
            [processor]
            timeout = "1.5s"
            max_runtime = "2h"
            concurrency = 4
            retry = { initial = 0, factor = 1.25, max = "250ms" }
            [journal]
            directory = "/srv/journal"
            segment_bytes = "1 MiB"
            [log]
            tasks = "failures"
            level = "debug"
            """)
        #expect(configuration.environment == "staging")
        #expect(configuration.api.listen == ListenAddress(host: "::1", port: 9090))
        #expect(configuration.api.maxBodyBytes == 512 << 10)
        #expect(configuration.dedupMax == 5)
        #expect(configuration.historyMax == 8)
        #expect(configuration.journal.reserveBytes == 2 << 20)
        #expect(configuration.log.tasks == .failures)
        var settings = QueueSettings()
        settings.leaseMilliseconds = 60_000
        settings.maxAttempts = 7
        settings.onExhausted = .parkGroup
        settings.defaultGroup = .task
        settings.retentionMilliseconds = Quantities.foreverMilliseconds
        settings.dedupWindowMilliseconds = 0
        settings.maxDepth = 6
        settings.historyMilliseconds = 5_400_000
        settings.retryInitialMilliseconds = 0
        settings.retryFactorHundredths = 125
        settings.retryMaxMilliseconds = 250
        #expect(configuration.queueSettings(for: "any") == settings)
        let limits = configuration.processorLimits(for: "any")
        #expect(limits.timeoutMilliseconds == 1_500)
        #expect(limits.concurrency == 4)
    }

    @Test func aQueuesOwnTableWinsOverTheFilesAndTheFileOverTheManifest() throws {
        let manifestText = "concurrency = 9\ntimeout = \"9s\"\n[queue]\nmax_attempts = 9\nlease = \"99s\"\n"
        let manifest = try PluginManifest(
            document: TOMLParser.parse(Array(manifestText.utf8), source: "plugin.toml"))
        let configuration = try Self.read(
            "[queue]\nmax_attempts = 2\n[processor]\ntimeout = \"2s\"\n[queues.mail]\nmax_attempts = 1\n")
        let mail = configuration.queueSettings(for: "mail", manifest: manifest.queue)
        #expect(mail.maxAttempts == 1)
        #expect(mail.leaseMilliseconds == 99_000)
        #expect(configuration.queueSettings(for: "other", manifest: manifest.queue).maxAttempts == 2)
        let limits = configuration.processorLimits(for: "mail", manifest: manifest.queue)
        #expect(limits.concurrency == 9)
        #expect(limits.timeoutMilliseconds == 2_000)
    }
}

@Suite struct ShippedConfigurationTests {
    private static func path(_ name: String) -> String {
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/config/\(name)"
    }

    @Test(arguments: ["taskq.toml", "dev.toml", "staging.toml", "prod.toml"])
    func everyShippedFileIsValid(name: String) throws {
        let configuration = try ConfigurationSources(file: Self.path(name)).load()
        #expect(name == "taskq.toml" || "\(configuration.environment).toml" == name)
    }

    @Test func theDocumentedKeysStandAtTheirDefaults() throws {
        let lines = try TextFile.lines(of: Self.path("taskq.toml"))
        // A key that is commented out has no blank after its #; the example queue at the end is not a
        // default.
        let documented = lines.prefix { !$0.hasPrefix("#[queues.") }.map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") ? String(line.dropFirst()) : line
        }
        let text = documented.joined(separator: "\n")
        var configuration = try ServiceConfiguration(
            document: TOMLParser.parse(Array(text.utf8), source: "taskq.toml"))
        #expect(configuration.api.listenIsSet)
        configuration.api.listenIsSet = false
        #expect(configuration.queueSettings(for: "tasks") == QueueSettings())
        #expect(configuration.processorLimits(for: "tasks") == ProcessorLimits())
        configuration.everyQueue = QueueOverrides()
        #expect(configuration == ServiceConfiguration())
    }

    @Test func everyKeyThatIsReadIsDocumented() throws {
        let text = try TextFile.lines(of: Self.path("taskq.toml")).joined(separator: "\n")
        for key in ConfigurationKey.all {
            let name = key.path.split(separator: ".").last.map(String.init) ?? key.path
            // A key without a default stands as a plain comment.
            let isThere = text.contains("\n#\(name) = ") || text.contains("\n# \(name) = ")
            #expect(isThere, "\(key.path) is not documented")
        }
    }
}
