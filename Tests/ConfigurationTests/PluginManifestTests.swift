import Configuration
import TaskModel
import Testing

@Suite struct PluginManifestTests {
    private static func read(_ text: String) throws -> PluginManifest {
        try PluginManifest(document: TOMLParser.parse(Array(text.utf8), source: "plugin.toml"))
    }

    @Test func everyKeyIsTaken() throws {
        let manifest = try Self.read(
            """
            mode = "stream"
            command = [".venv/bin/python", "main.py"]
            concurrency = 3
            timeout = "10s"
            max_runtime = "5m"
            start_timeout = "5s"
            stop_grace = "1s"
            schema = "schema.json"
            memory_max = "256 MiB"
            tasks_max = 64
            cpu_quota = "50%"
            [retry]
            initial = 0
            [environment]
            GREETING = "hello"
            [queue]
            max_attempts = 2
            """)
        #expect(manifest.mode == .stream)
        #expect(manifest.command == [".venv/bin/python", "main.py"])
        #expect(manifest.startTimeoutMilliseconds == 5_000)
        #expect(manifest.stopGraceMilliseconds == 1_000)
        #expect(manifest.schema == "schema.json")
        #expect(manifest.environment == ["GREETING": "hello"])
        #expect(manifest.memoryMaxBytes == 256 << 20)
        #expect(manifest.tasksMax == 64)
        #expect(manifest.cpuQuotaPercent == 50)
        #expect(manifest.queue.maxAttempts == 2)
        #expect(manifest.queue.processor.concurrency == 3)
        #expect(manifest.queue.processor.retryInitialMilliseconds == 0)
    }

    @Test(arguments: [
        Mistake("\nmode = \"streem\"", "did you mean \"stream\"?"),
        Mistake("\ncommand = []", "command: expected an array with a program and its arguments"),
        Mistake("\ncommand = [\"a\", 5]", "command: expected a string in the array, found the integer 5"),
        Mistake("\ncommand = \"a b\"", "command: expected an array of strings"),
        Mistake("[environment]\nTASKQ_URL = \"x\"", "TASKQ_ variables are taskq's own"),
        Mistake("[environment]\n\"A=B\" = \"x\"", "expected a variable's name without ="),
        Mistake("[environment]\nA = 5", "environment.A: expected a string, found the integer 5"),
        Mistake("\ncpu_quota = \"half\"", "cpu_quota: expected per cent"),
        Mistake("\nconcurency = 2", "did you mean \"concurrency\"?"),
        Mistake("\ntimeout = \"2h\"", "timeout: expected timeout (2h) at most max_runtime (1h)"),
        Mistake("[queue]\nlease = \"1s\"", "queue.lease: expected a duration"),
        Mistake("[queue]\nhistory_max = 1", "queue.history_max: unknown key"),
    ])
    func aMistakeIsRefusedWithItsLine(mistake: Mistake) throws {
        let error = try #require(throws: ConfigurationError.self) { try Self.read(mistake.text) }
        #expect(error.problems.count == 1)
        let problem = try #require(error.problems.first)
        #expect(problem.position.line == mistake.line)
        #expect(problem.description.contains(mistake.says), "\(problem)")
    }
}
