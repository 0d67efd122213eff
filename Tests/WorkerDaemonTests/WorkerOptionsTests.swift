import Configuration
import Glibc
import LinuxSystem
import ProcessorSupervision
import TestSupport
import Testing
import WorkerDaemon

@Suite struct WorkerOptionsTests {
    private func options(
        _ directory: TemporaryDirectory, _ arguments: [String], configuration: String = "",
        environment: [String: String] = [:]
    ) throws -> WorkerOptions {
        let file = try directory.write(configuration, to: "taskq.toml")
        let all = ["--config", file, "--state", directory.path("state")] + arguments
        let request = try DaemonArguments.parse(
            all, program: "taskq-worker", summary: "", options: [.queue, .plugin, .instance])
        guard case .run(let given) = request else { throw Unmet("\(request)") }
        let sources = given.configurationSources(environment: [])
        return try WorkerOptions(given, sources.load(), environment: environment)
    }

    @Test func aFolderWithAManifestIsRunAsItSays() throws {
        try TemporaryDirectory.with { directory in
            let manifest = """
                mode = "stream"
                concurrency = 3
                timeout = "7s"
                start_timeout = "5s"
                stop_grace = "2s"
                command = [".venv/bin/python", "main.py"]
                [environment]
                COLOUR = "blue"
                """
            try directory.write(manifest, to: "mail/plugin.toml")
            let plugin = directory.path("mail")
            let options = try options(
                directory, ["--queue", "mail", "--plugin", plugin, "--instance", "2"],
                environment: ["PATH": "/opt/bin", "TZ": "UTC", "TASKQ_URL": "http://h:1", "SECRET": "x"])
            #expect(options.workerName == "worker@mail#2")
            #expect(options.brokerSocket == directory.path("state/run/worker/worker.sock"))
            let program = options.supervision.program
            #expect(program.path == "\(plugin)/.venv/bin/python")
            #expect(program.arguments == [".venv/bin/python", "main.py"])
            #expect(program.directory == plugin)
            let settings = options.supervision.settings
            #expect(settings.mode == .stream && settings.concurrency == 3)
            #expect(settings.timeoutMilliseconds == 7_000 && settings.startTimeoutMilliseconds == 5_000)
            #expect(settings.stopGraceMilliseconds == 2_000)
            #expect(settings.environment == ["COLOUR": "blue"])
            let surroundings = options.supervision.surroundings
            #expect(surroundings.searchPath == "/opt/bin" && surroundings.timeZone == "UTC")
            #expect(surroundings.url == "http://h:1")
            #expect(surroundings.home == directory.path("state/worker/mail"))
            var status = stat()
            #expect(stat(surroundings.home, &status) == 0 && status.st_mode & 0o777 == 0o700)
        }
    }

    @Test func secretsThatSystemdLoadedKeepTheNamesThatTheAdminGaveThem() throws {
        try TemporaryDirectory.with { directory in
            for (name, text) in [("queue", "none"), ("queue_api-key", "secret"), ("other", "x")] {
                try directory.write(text, to: "loaded/\(name)")
            }
            try directory.write("", to: "mail/processor")
            let environment = [
                "CREDENTIALS_DIRECTORY": directory.path("loaded"), "RUNTIME_DIRECTORY": directory.path("run"),
            ]
            let arguments = ["--queue", "mail", "--plugin", directory.path("mail")]
            for _ in 1...2 {
                let shown = try options(directory, arguments, environment: environment)
                    .supervision.surroundings.credentialsDirectory
                #expect(shown == directory.path("run/credentials"))
            }
            #expect(try FileContents.names(in: directory.path("run/credentials")) == ["api-key", "other"])
            let secret = try FileContents.read(directory.path("run/credentials/api-key"), maximumBytes: 100)
            #expect(secret == Array("secret".utf8))
        }
    }

    @Test func aQueueWithoutSecretsIsToldOfNone() throws {
        try TemporaryDirectory.with { directory in
            try directory.write("none", to: "loaded/queue")
            let environment = [
                "CREDENTIALS_DIRECTORY": directory.path("loaded"), "RUNTIME_DIRECTORY": directory.path("run"),
            ]
            #expect(try QueueCredentials.directory(environment: environment) == nil)
            #expect(try QueueCredentials.directory(environment: [:]) == nil)
        }
    }

    @Test func aSingleFileNeedsNoManifestAndStopsQuicklyInTheForeground() throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write("#!/bin/sh\n", to: "plugins/mail.sh", mode: 0o755)
            let options = try options(directory, ["--queue", "mail", "--plugin", file])
            #expect(options.supervision.program.path == file)
            #expect(options.supervision.program.directory == directory.path("plugins"))
            #expect(options.supervision.settings.mode == .oneshot)
            #expect(options.supervision.settings.stopGraceMilliseconds == 3_000)
            #expect(options.supervision.settings.timeoutMilliseconds == 30_000)
            #expect(options.supervision.manifestProblem == nil)
        }
    }

    @Test func theConfigurationOfTheQueueWinsOverTheManifest() throws {
        try TemporaryDirectory.with { directory in
            try directory.write("timeout = \"7s\"\n", to: "mail/plugin.toml")
            let arguments = ["--queue", "mail", "--plugin", directory.path("mail")]
            let options = try options(
                directory, arguments, configuration: "[queues.mail]\ntimeout = \"9s\"\n")
            #expect(options.supervision.settings.timeoutMilliseconds == 9_000)
        }
    }

    @Test func aBadManifestStallsWithFileAndLine() throws {
        try TemporaryDirectory.with { directory in
            let manifest = try directory.write("mode = \"stream\"\ntimeout = 7\n", to: "mail/plugin.toml")
            let options = try options(
                directory, ["--queue", "mail", "--plugin", directory.path("mail")])
            let problem = try #require(options.supervision.manifestProblem)
            #expect(problem.contains("\(manifest):2"))
        }
    }

    @Test(arguments: [[], ["--queue", "Mail"], ["--queue", "a b"]])
    func aMissingOrImpossibleQueueIsAUsageError(arguments: [String]) throws {
        try TemporaryDirectory.with { directory in
            let error = #expect(throws: WorkerDaemonError.self) { _ = try options(directory, arguments) }
            #expect(error?.exitStatus == 2)
        }
    }
}
