import AdminCommands
import Configuration
import TestSupport
import Testing

@Suite struct ConfigTextTests {
    private static func report(_ text: String, environment: String? = nil) throws -> ConfigurationReport {
        try TemporaryDirectory.with { directory in
            let file = try directory.write(text, to: "t.toml")
            var inspection = ConfigurationSources(file: file).inspect()
            inspection.files = ["t.toml"]
            return ConfigurationReport(inspection, environment: environment)
        }
    }

    @Test func theTableShowsValueAndPlace() throws {
        let text = ConfigText.table(try Self.report("[queue]\nlease = \"30s\"\n"))
        let lines = text.split(separator: "\n")
        #expect(
            lines.contains {
                $0.hasPrefix("queue.lease ") && $0.contains("\"30s\"") && $0.hasSuffix("t.toml:2")
            })
        #expect(lines.contains { $0.hasPrefix("queue.history ") && $0.hasSuffix("default") })
    }

    @Test func everyMistakeHasALineAndTheLastLineCountsThem() throws {
        let text = ConfigText.mistakes(try Self.report("[queue]\nlease = 5\nbogus = 1\n"))
        let lines = text.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].contains("t.toml:2:1: queue.lease: expected a duration from 15s to 1d"))
        #expect(lines[0].hasSuffix("found the integer 5"))
        #expect(lines[1].contains("t.toml:3:1: queue.bogus: unknown key"))
        #expect(lines[2] == "taskq: 2 mistakes: no daemon starts with this")
    }

    @Test func aControlCharacterInAKeyNeverReachesTheTerminal() throws {
        let text = ConfigText.mistakes(try Self.report("\"a\\u001b[0m\" = 1\n"))
        #expect(!text.contains("\u{1B}"))
    }

    @Test func jsonTellsMistakesAndValuesWithTheirPlaces() throws {
        let wrong = ConfigText.json(try Self.report("[queue]\nlease = 5\n"))
        #expect(wrong.hasPrefix(#"{"valid":false,"files":["t.toml"],"problems":[{"source":""#))
        #expect(wrong.contains(#""line":2,"column":1,"key":"queue.lease","message":"expected a duration"#))
        let right = ConfigText.json(try Self.report("[processor.retry]\nfactor = 1.5\n"))
        #expect(right.contains(#"{"key":"processor.retry.factor","value":1.5,"source":""#))
        #expect(
            right.contains(
                #"{"key":"queue.lease","value":"3m","source":"default","line":null,"column":null}"#))
        #expect(right.contains(#""key":"api.tls_key","value":null"#))
    }

    @Test func theVerdictNotesWhatIsReadAndNotObeyed() throws {
        let text = ConfigText.verdict(try Self.report("[api]\nburst = 5\n[processor]\nconcurrency = 4\n"))
        #expect(text.hasPrefix("configuration is right: t.toml, 2 values set"))
        #expect(text.contains("api.burst: read, but no daemon obeys it yet"))
        #expect(
            text.contains("processor.concurrency: tasks posted without Taskq-Group still run one at a time"))
    }

    @Test func aFileOfAnotherEnvironmentIsAMistake() throws {
        let report = try Self.report("\nenvironment = \"dev\"\n", environment: "prod")
        #expect(report.problems.map(\.position.line) == [2])
        #expect(report.problems.first?.message == "expected \"prod\", which was asked for, found \"dev\"")
        #expect(try Self.report("environment = \"prod\"\n", environment: "prod").isValid)
    }
}
