import Configuration
import TestSupport
import Testing

/// A wrong line of a file, what is said to have been found, and what to have been expected.
struct CorpusMistake: Sendable, CustomTestStringConvertible {
    /// The wrong line stands at `line`.
    var text: String
    var line: Int
    var found: String
    var expected: String

    init(_ text: String, line: Int = 2, found: String, expected: String) {
        self.text = text
        self.line = line
        self.found = found
        self.expected = expected
    }

    var testDescription: String { text }
}

/// Whatever somebody may get wrong: one problem each, at its file and line, with both halves of the story.
@Suite struct MistakeCorpusTests {
    static let misspelt = [
        ("[queue]\nleese = \"30s\"", "queue.leese", "lease"),
        ("[queue]\nmaxattempts = 3", "queue.maxattempts", "max_attempts"),
        ("[queue]\nmax-depth = 3", "queue.max-depth", "max_depth"),
        ("[queue]\nmax_byte = 5000000", "queue.max_byte", "max_bytes"),
        ("[queue]\ndlq_retenton = \"9d\"", "queue.dlq_retenton", "dlq_retention"),
        ("[queue]\nretension = \"9d\"", "queue.retension", "retention"),
        ("[api]\nlissten = \"127.0.0.1:1\"", "api.lissten", "listen"),
        ("[api]\ncors_allowed_origin = []", "api.cors_allowed_origin", "cors_allowed_origins"),
        ("[api]\nratelimit = 5", "api.ratelimit", "rate_limit"),
        ("[api]\ntrusted_proxy = []", "api.trusted_proxy", "trusted_proxies"),
        ("[processor]\ntimout = \"9s\"", "processor.timout", "timeout"),
        ("[processor]\nworker = 2", "processor.worker", "workers"),
        ("[processor.retry]\ninital = \"1s\"", "processor.retry.inital", "initial"),
        ("[queues.mail]\ntimeot = \"1s\"", "queues.mail.timeot", "timeout"),
        ("[journal]\nsegment_byte = 5", "journal.segment_byte", "segment_bytes"),
        ("[plugins]\nowner = []", "plugins.owner", "owners"),
        ("[log]\nlvel = \"info\"", "log.lvel", "level"),
    ].map { text, key, meant in
        CorpusMistake(text, found: "\(key): unknown key", expected: "did you mean \"\(meant)\"?")
    }

    static let unknown = [
        CorpusMistake("\n[quue]", found: "quue: unknown key", expected: "did you mean \"queue\"?"),
        CorpusMistake(
            "[queue]\ncolour = 1", found: "queue.colour: unknown key", expected: "expected one of d"),
        CorpusMistake(
            "[journal]\nsync = false", found: "journal.sync: unknown key",
            expected: "expected one of directory, reserve_bytes, segment_bytes"),
        CorpusMistake(
            "[log]\nformat = \"x\"", found: "log.format: unknown key",
            expected: "expected one of level, tasks"),
        CorpusMistake("\nlease = \"1m\"", found: "lease: unknown key", expected: "expected one of api"),
        CorpusMistake(
            "\n[console]\n", found: "console: unknown key", expected: "expected one of api, environment"),
    ]

    static let types = [
        CorpusMistake("\nenvironment = 5", found: "the integer 5", expected: "a name of a-z"),
        CorpusMistake("\napi = 5", found: "the integer 5", expected: "api: expected a table"),
        CorpusMistake("\nqueue = []", found: "an array", expected: "queue: expected a table"),
        CorpusMistake(
            "[queue]\nlease = 180", found: "the integer 180", expected: "a duration from 15s to 1d"),
        CorpusMistake("[queue]\nlease = true", found: "true", expected: "a duration from 15s to 1d"),
        CorpusMistake(
            "[queue]\nmax_attempts = \"5\"", found: "the string \"5\"", expected: "from 1 to 1000"),
        CorpusMistake("[queue]\nmax_attempts = 5.0", found: "the number 5.0", expected: "an integer from 1"),
        CorpusMistake("[queue]\non_exhausted = []", found: "an array", expected: "one of \"dead-letter\""),
        CorpusMistake("[queue]\nretention = 1979-05-27", found: "a date", expected: "or \"forever\""),
        CorpusMistake("[api]\nallow_anonymous = 1", found: "the integer 1", expected: "true or false"),
        CorpusMistake("[api]\nallow_anonymous = \"yes\"", found: "\"yes\"", expected: "true or false"),
        CorpusMistake(
            "[api]\ntrusted_proxies = \"::1\"", found: "\"::1\"", expected: "an array of addresses"),
        CorpusMistake("[api]\nallowed_hosts = [5]", found: "the integer 5", expected: "a host name"),
        CorpusMistake("[api]\ntls_key = false", found: "false", expected: "a file's path"),
        CorpusMistake("[journal]\ndirectory = 5", found: "the integer 5", expected: "a folder's path"),
        CorpusMistake("[queues]\nmail = \"x\"", found: "the string \"x\"", expected: "expected a table"),
        CorpusMistake(
            "[processor]\nretry = \"1s\"", found: "the string \"1s\"", expected: "expected a table"),
        CorpusMistake("[plugins]\nowners = \"deploy\"", found: "\"deploy\"", expected: "an array of users"),
    ]

    static let ranges = [
        CorpusMistake("[queue]\nlease = \"14s\"", found: "\"14s\"", expected: "a duration from 15s to 1d"),
        CorpusMistake("[queue]\nlease = \"25h\"", found: "\"25h\"", expected: "a duration from 15s to 1d"),
        CorpusMistake("[queue]\nmax_attempts = 0", found: "the integer 0", expected: "from 1 to 1000"),
        CorpusMistake("[queue]\nmax_attempts = 1001", found: "1001", expected: "from 1 to 1000"),
        CorpusMistake("[queue]\nmax_depth = -1", found: "the integer -1", expected: "from 1 to 1000000000"),
        CorpusMistake("[queue]\nmax_bytes = \"1 MiB\"", found: "\"1 MiB\"", expected: "a size from 4 MiB"),
        CorpusMistake("[queue]\ndlq_retention = \"10ms\"", found: "\"10ms\"", expected: "of at least 1s"),
        CorpusMistake("[queue]\ndedup_max = -1", found: "the integer -1", expected: "from 0 to 100000000"),
        CorpusMistake("[api]\nmax_body_bytes = \"5 MiB\"", found: "\"5 MiB\"", expected: "1 KiB to 4 MiB"),
        CorpusMistake("[api]\nmax_connections = 0", found: "the integer 0", expected: "from 1 to 100000"),
        CorpusMistake("[api]\ntimeout = \"10ms\"", found: "\"10ms\"", expected: "a duration from 1s to 10m"),
        CorpusMistake("[api]\nrate_limit = -5", found: "the integer -5", expected: "from 0 to 1000000"),
        CorpusMistake(
            "[journal]\nsegment_bytes = 1", found: "the integer 1", expected: "from 1 MiB to 1 GiB"),
        CorpusMistake("[processor]\nconcurrency = 0", found: "the integer 0", expected: "from 1 to 1024"),
        CorpusMistake("[processor]\nworkers = 65", found: "the integer 65", expected: "from 1 to 64"),
        CorpusMistake(
            "[processor.retry]\nfactor = 0.5", found: "0.5", expected: "a number from 1.0 to 100.0"),
        CorpusMistake("[processor.retry]\nfactor = 1.234", found: "1.234", expected: "at most two decimals"),
        CorpusMistake("[processor.retry]\nfactor = nan", found: "the number nan", expected: "a number from"),
    ]

    static let units = [
        CorpusMistake("[queue]\nlease = \"2 weeks\"", found: "\"2 weeks\"", expected: "such as \"30s\""),
        CorpusMistake("[queue]\nlease = \"1m30s\"", found: "\"1m30s\"", expected: "such as \"30s\""),
        CorpusMistake("[queue]\nlease = \"30S\"", found: "\"30S\"", expected: "such as \"30s\""),
        CorpusMistake("[queue]\nlease = \"-30s\"", found: "\"-30s\"", expected: "such as \"30s\""),
        CorpusMistake("[queue]\nlease = \"\"", found: "the string \"\"", expected: "such as \"30s\""),
        CorpusMistake("[queue]\nretention = \"never\"", found: "\"never\"", expected: "or \"forever\""),
        CorpusMistake("[queue]\nmax_bytes = \"forever\"", found: "\"forever\"", expected: "or \"unlimited\""),
        CorpusMistake(
            "[queue]\nhistory = \"99999999999999999999s\"", found: "99999999999999999999s",
            expected: "a duration from"),
        CorpusMistake(
            "[journal]\nsegment_bytes = \"64 Mib\"", found: "\"64 Mib\"", expected: "such as \"64 MiB\""),
        CorpusMistake(
            "[journal]\nreserve_bytes = \"64M\"", found: "\"64M\"", expected: "such as \"64 MiB\""),
    ]

    static let words = [
        CorpusMistake("\nenvironment = \"Prod!\"", found: "\"Prod!\"", expected: "such as \"prod\""),
        CorpusMistake("[api]\nlisten = \"8080\"", found: "\"8080\"", expected: "an address and port"),
        CorpusMistake("[api]\nlisten = \"::1:8080\"", found: "\"::1:8080\"", expected: "an address and port"),
        CorpusMistake("[api]\nlisten = \"0.0.0.0:65536\"", found: "65536", expected: "an address and port"),
        CorpusMistake(
            "[api]\ntrusted_proxies = [\"10.0.0.1/8\"]", found: "\"10.0.0.1/8\"",
            expected: "without host bits"),
        CorpusMistake(
            "[api]\ntrusted_proxies = [\"300.0.0.1\"]", found: "\"300.0.0.1\"",
            expected: "an address or a range"),
        CorpusMistake(
            "[api]\ncors_allowed_origins = [\"example.com\"]", found: "\"example.com\"",
            expected: "an origin such as \"https://example.com\""),
        CorpusMistake(
            "[api]\ncors_allowed_origins = [\"https://a.com/\"]", found: "\"https://a.com/\"",
            expected: "an origin such as"),
        CorpusMistake(
            "[api]\nallowed_hosts = [\"a.com:80\"]", found: "\"a.com:80\"",
            expected: "a host name without a port"),
        CorpusMistake("[plugins]\nowners = [\"no body\"]", found: "\"no body\"", expected: "a user's name"),
        CorpusMistake(
            "[queue]\non_exhausted = \"deadletter\"", found: "\"deadletter\"",
            expected: "did you mean \"dead-letter\"?"),
        CorpusMistake(
            "[queue]\ndefault_group = \"none\"", found: "\"none\"", expected: "one of \"queue\", \"task\""),
        CorpusMistake(
            "[log]\ntasks = \"some\"", found: "\"some\"", expected: "one of \"auto\", \"all\", \"failures\""),
        CorpusMistake("[log]\nlevel = \"warn\"", found: "\"warn\"", expected: "one of \"trace\", \"debug\""),
        CorpusMistake("[journal]\ndirectory = \"\"", found: "the string \"\"", expected: "a folder's path"),
        CorpusMistake("\n[queues.Mail]", found: "found \"Mail\"", expected: "a queue's name of 1 to 64"),
        CorpusMistake("\n[queues.-mail]", found: "found \"-mail\"", expected: "a queue's name of 1 to 64"),
        CorpusMistake("\n[queues.\"a b\"]", found: "found \"a b\"", expected: "a queue's name of 1 to 64"),
    ]

    static let agreement = [
        CorpusMistake("[processor]\ntimeout = \"2h\"", found: "(2h)", expected: "at most max_runtime (1h)"),
        CorpusMistake(
            "[processor]\nmax_runtime = \"10s\"", found: "(30s)", expected: "at most max_runtime (10s)"),
        CorpusMistake("\n[processor.retry]\ninitial = \"2m\"", found: "(2m)", expected: "at most max (1m)"),
        CorpusMistake("[queues.a]\ntimeout = \"2h\"", found: "(2h)", expected: "at most max_runtime (1h)"),
        CorpusMistake(
            "[api]\ntls_key = \"k\"", found: "found tls_key alone", expected: "tls_certificate beside"),
        CorpusMistake(
            "[api]\ntls_certificate = \"c\"", found: "tls_certificate alone", expected: "tls_key beside"),
        CorpusMistake(
            "[queues.mail]\ndedup_max = 5", found: "queues.mail.dedup_max", expected: "set it in [queue]"),
        CorpusMistake(
            "[queues.mail]\nhistory_max = 5", found: "mail.history_max", expected: "set it in [queue]"),
    ]

    @Test(arguments: misspelt + unknown + types + ranges + units + words + agreement)
    func aMistakeNamesFileLineFoundAndExpected(mistake: CorpusMistake) throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write(mistake.text, to: "taskq.toml")
            let error = try #require(throws: ConfigurationError.self) {
                try ConfigurationSources(file: file).load()
            }
            #expect(error.problems.count == 1, "\(error)")
            let problem = try #require(error.problems.first)
            #expect(problem.description.hasPrefix("\(file):\(mistake.line):"), "\(problem)")
            #expect(problem.description.contains(mistake.found), "\(problem)")
            #expect(problem.description.contains(mistake.expected), "\(problem)")
        }
    }

    /// What is no TOML at all: what stands there, and what would be right.
    static let broken = [
        CorpusMistake(
            "[api\nlisten = 1", line: 1, found: "found \"[api\"",
            expected: "expected a table's name in brackets such as [queue]"),
        CorpusMistake(
            "[queue]\nlease = ", found: "found \"lease =\"", expected: "expected a value such as \"30s\""),
        CorpusMistake(
            "[queue]\nlease = 30s", found: "found \"lease = 30s\"",
            expected: "expected a value such as \"30s\", 5, true or"),
        CorpusMistake(
            "[queue]\nlease = \"30s", found: "found \"lease = \\\"30s\"",
            expected: "expected a quote at the string's end"),
        CorpusMistake(
            "[queue]\nlease \"30s\"", found: "found \"lease \\\"30s\\\"\"",
            expected: "expected a key and its value such as lease = \"30s\""),
        CorpusMistake(
            "[queue]\nlease = [1, 2", found: "found \"lease = [1, 2\"",
            expected: "expected a ] at the array's end"),
        CorpusMistake(
            "[queue]\nlease = \"30s\"\nlease = \"60s\"", line: 3, found: "found \"lease = \\\"60s\\\"\"",
            expected: "expected each key and each table once"),
        CorpusMistake(
            "[queue]\n[queue]", found: "found \"[queue]\"", expected: "each key and each table once"),
        CorpusMistake(
            "queue.lease = \"1m\"\n[queue.lease]", found: "found \"[queue.lease]\"",
            expected: "each key and each table once"),
    ]

    @Test(arguments: broken)
    func whatIsNoTOMLNamesFileAndLine(mistake: CorpusMistake) throws {
        try TemporaryDirectory.with { directory in
            let file = try directory.write(mistake.text, to: "taskq.toml")
            let error = try #require(throws: ConfigurationError.self) {
                try ConfigurationSources(file: file).load()
            }
            let problem = try #require(error.problems.first)
            #expect(problem.description.hasPrefix("\(file):\(mistake.line):"), "\(problem)")
            #expect(problem.description.contains(mistake.found), "\(problem)")
            #expect(problem.description.contains(mistake.expected), "\(problem)")
        }
    }

    @Test func theCorpusIsLarge() {
        let checked = [Self.misspelt, Self.unknown, Self.types, Self.ranges, Self.units, Self.words]
        #expect(checked.map(\.count).reduce(0, +) + Self.agreement.count + Self.broken.count >= 100)
    }
}
