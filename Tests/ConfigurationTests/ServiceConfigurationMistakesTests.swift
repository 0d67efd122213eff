import Configuration
import Testing

/// A mistake in a file, and what is said about it.
struct Mistake: Sendable, CustomTestStringConvertible {
    var text: String
    var line: Int
    var says: String

    init(_ text: String, line: Int = 2, _ says: String) {
        self.text = text
        self.line = line
        self.says = says
    }

    var testDescription: String { text }
}

@Suite struct ServiceConfigurationMistakesTests {
    static let syntax = [
        Mistake("[api\nlisten = 1", line: 1, "error while parsing table header"),
        Mistake("[queue]\nlease = ", "error while parsing"),
        Mistake("[queue]\nlease = \"30s\"\nlease = \"60s\"", line: 3, "cannot redefine"),
        Mistake("[queue]\nlease = 30s", "error while parsing"),
        Mistake("[queue]\nlease = \"30s", "error while parsing string"),
        Mistake("environment = 'a'\n\u{0}", line: 2, "error"),
    ]

    static let unknown = [
        Mistake("[quue]\nlease = \"30s\"", line: 1, "quue: unknown key, did you mean \"queue\"?"),
        Mistake("[queue]\nleese = \"30s\"", "queue.leese: unknown key, did you mean \"lease\"?"),
        Mistake("[queue]\nmaxattempts = 3", "queue.maxattempts: unknown key, did you mean \"max_attempts\"?"),
        Mistake("[queue]\ncolour = \"red\"", "queue.colour: unknown key"),
        Mistake("[api]\nport = 8080", "api.port: unknown key"),
        Mistake(
            "[processor.retry]\ninital = \"1s\"",
            "processor.retry.inital: unknown key, did you mean \"initial\"?"),
        Mistake(
            "[queues.mail]\ntimeot = \"1s\"", "queues.mail.timeot: unknown key, did you mean \"timeout\"?"),
        Mistake("[queues.mail]\ndedup_max = 5", "queues.mail.dedup_max: bounds all queues together"),
        Mistake("[journal]\nsync = false", "journal.sync: unknown key"),
    ]

    static let types = [
        Mistake("\nenvironment = 5", "such as \"prod\", found the integer 5"),
        Mistake("\napi = 5", "api: expected a table, found the integer 5"),
        Mistake(
            "[queue]\nlease = 180",
            "queue.lease: expected a duration from 15s to 1d such as \"30s\", found the integer 180"),
        Mistake(
            "[queue]\nlease = true",
            "queue.lease: expected a duration from 15s to 1d such as \"30s\", found true"),
        Mistake(
            "[queue]\nmax_attempts = \"5\"", "expected an integer from 1 to 1000, found the string \"5\""),
        Mistake("[queue]\nmax_attempts = 5.0", "expected an integer from 1 to 1000, found the number 5.0"),
        Mistake("[queue]\non_exhausted = [\"dead-letter\"]", "found an array"),
        Mistake("[queue]\nretention = 1979-05-27", "found a date"),
        Mistake("[journal]\ndirectory = 5", "expected a folder's path, found the integer 5"),
        Mistake("[queues]\nmail = \"x\"", "queues.mail: expected a table, found the string \"x\""),
        Mistake("[processor]\nretry = \"1s\"", "processor.retry: expected a table, found the string \"1s\""),
    ]

    static let values = [
        Mistake("[queue]\nlease = \"14s\"", "queue.lease: expected a duration from 15s to 1d"),
        Mistake("[queue]\nlease = \"2 fortnights\"", "found the string \"2 fortnights\""),
        Mistake("[queue]\nlease = \"99999999999999999999s\"", "queue.lease: expected a duration"),
        Mistake("[queue]\nmax_attempts = 0", "expected an integer from 1 to 1000, found the integer 0"),
        Mistake("[queue]\non_exhausted = \"deadletter\"", "did you mean \"dead-letter\"?"),
        Mistake(
            "[queue]\ndefault_group = \"none\"",
            "expected one of \"queue\", \"task\", found the string \"none\""),
        Mistake(
            "[queue]\nretention = \"never\"", "such as \"30s\", or \"forever\", found the string \"never\""),
        Mistake("[queue]\nmax_depth = -1", "queue.max_depth: expected an integer"),
        Mistake("[api]\nlisten = \"8080\"", "api.listen: expected an address and port"),
        Mistake("[api]\nlisten = \"::1:8080\"", "api.listen: expected an address and port"),
        Mistake("[api]\nlisten = \"127.0.0.1:65536\"", "api.listen: expected an address and port"),
        Mistake(
            "[api]\nmax_body_bytes = \"1 Mib\"", "expected a size from 1 KiB to 4 MiB such as \"64 MiB\""),
        Mistake("[api]\nmax_body_bytes = \"5 MiB\"", "expected a size from 1 KiB to 4 MiB"),
        Mistake("[api]\nmax_connections = 0", "expected an integer from 1 to 100000"),
        Mistake(
            "[journal]\nsegment_bytes = \"1023 KiB\"", "journal.segment_bytes: expected a size from 1 MiB"),
        Mistake("[journal]\ndirectory = \"\"", "journal.directory: expected a folder's path"),
        Mistake("[processor]\nconcurrency = 0", "processor.concurrency: expected an integer from 1 to 1024"),
        Mistake(
            "[processor]\ntimeout = \"2h\"",
            "processor.timeout: expected timeout (2h) at most max_runtime (1h)"),
        Mistake("[processor]\nmax_runtime = \"10s\"", "expected timeout (30s) at most max_runtime (10s)"),
        Mistake(
            "[processor.retry]\nfactor = 0.5", "expected a number from 1.0 to 100.0 with at most two decimals"
        ),
        Mistake("[processor.retry]\nfactor = 1.234", "with at most two decimals, found the number 1.234"),
        Mistake("[processor.retry]\nfactor = nan", "found the number nan"),
        Mistake(
            "\n[processor.retry]\ninitial = \"2m\"", "processor.retry: expected initial (2m) at most max (1m)"
        ),
        Mistake("\n[queues.Mail]", "queues.Mail: expected a queue's name"),
        Mistake(
            "[queues.mail]\ntimeout = \"2h\"",
            "queues.mail.timeout: expected timeout (2h) at most max_runtime (1h)"),
        Mistake("\nenvironment = \"Prod!\"", "environment: expected a name"),
        Mistake("[log]\ntasks = \"some\"", "log.tasks: expected one of \"auto\", \"all\", \"failures\""),
        Mistake("[queue]\nlease = \"a\\nb\\u001b[0m\"", #"found the string "a\nb\u{1B}[0m""#),
    ]

    @Test(arguments: syntax + unknown + types + values)
    func aMistakeIsRefusedWithItsLineAndWhatWasExpected(mistake: Mistake) throws {
        let error = try #require(throws: ConfigurationError.self) {
            let document = try TOMLParser.parse(Array(mistake.text.utf8), source: "taskq.toml")
            _ = try ServiceConfiguration(document: document)
        }
        let problem = try #require(error.problems.first)
        #expect(error.problems.count == 1, "\(error)")
        #expect(problem.position.source == "taskq.toml")
        #expect(problem.position.line == mistake.line, "\(problem)")
        #expect(problem.description.lowercased().contains(mistake.says.lowercased()), "\(problem)")
    }

    @Test func allMistakesAreToldAtOnceInTheOrderOfTheirLines() throws {
        let text = "[queue]\nmax_attempts = 0\nlease = 5\nbogus = 1\n[api]\nlisten = 3\n[quueues]\n"
        let error = try #require(throws: ConfigurationError.self) {
            _ = try ServiceConfiguration(document: TOMLParser.parse(Array(text.utf8), source: "f"))
        }
        #expect(error.problems.map(\.position.line) == [2, 3, 4, 6, 7])
        #expect(error.description.split(separator: "\n").count == 5)
    }

    @Test func aFileTooLargeIsRefused() {
        let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: TOMLParser.bytesMax + 1)
        #expect(throws: ConfigurationError.self) { try TOMLParser.parse(bytes, source: "f") }
    }
}
