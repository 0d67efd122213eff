import Configuration
import Testing

@Suite struct DaemonArgumentsTests {
    private static func parse(_ arguments: [String]) throws -> DaemonArguments.Request {
        try DaemonArguments.parse(
            arguments, program: "taskq-ingest", summary: "The HTTP front door.", options: [.listen],
            switches: ["answer-without-queue"])
    }

    @Test func valuesComeAfterABlankOrAnEqualsSign() throws {
        let request = try Self.parse(["--config", "a.toml", "--state=var", "--answer-without-queue"])
        guard case .run(let arguments) = request else {
            Issue.record("not a run")
            return
        }
        #expect(arguments[.config] == "a.toml")
        #expect(arguments[.state] == "var")
        #expect(arguments[.listen] == nil)
        #expect(arguments.switches == ["answer-without-queue"])
        #expect(arguments.configurationSources(environment: []).stateDirectory == "var")
    }

    @Test(
        arguments: [
            (["--confg", "x"], DaemonArguments.Failure.unknown(argument: "--confg", meant: "--config")),
            (["--queue", "x"], .unknown(argument: "--queue", meant: nil)),
            (["config"], .unknown(argument: "config", meant: "--config")),
            (["--config"], .missingValue(option: "--config")),
            (["--config="], .missingValue(option: "--config")),
            (["--state", "a", "--state", "b"], .repeated(option: "--state")),
            (
                ["--listen", "8080"],
                .impossible(
                    option: "--listen", value: "8080", expected: "an address and port such as 127.0.0.1:8080")
            ),
        ] as [([String], DaemonArguments.Failure)])
    func aWrongLineIsRefusedWithTheReason(arguments: [String], failure: DaemonArguments.Failure) {
        #expect(throws: failure) { try Self.parse(arguments) }
    }

    @Test func helpNamesTheOptionsOfThisProgramAlone() throws {
        guard case .show(let help) = try Self.parse(["--help"]) else {
            Issue.record("no help")
            return
        }
        #expect(help.contains("--listen"))
        #expect(!help.contains("--queue"))
        #expect(try Self.parse(["--version"]) == .show("taskq-ingest \(ProductVersion.text)\n"))
    }
}

@Suite struct ListenAddressTests {
    @Test(arguments: ["127.0.0.1:8080", "[::1]:0", "localhost:65535", "0.0.0.0:1", "my-host.example:80"])
    func anAddressReadsBackAsItsText(text: String) throws {
        #expect(try #require(ListenAddress(text)).description == text)
    }

    @Test(arguments: [
        "", ":80", "host", "host:", "host:x", "host:-1", "host:65536", "::1:80", "[]:80", "[a]:80", "a b:80",
        "h:+80",
    ])
    func anythingElseIsNoAddress(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func onlyTheMachineItselfIsLoopback() throws {
        for text in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"] {
            #expect(try #require(ListenAddress(text)).isLoopback)
        }
        for text in ["0.0.0.0:1", "127.evil.example:1", "[::]:1", "10.0.0.1:1"] {
            #expect(try !#require(ListenAddress(text)).isLoopback)
        }
    }
}
