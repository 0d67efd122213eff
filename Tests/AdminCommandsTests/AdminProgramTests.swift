import AdminCommands
import TestSupport
import Testing

@Suite struct AdminProgramTests {
    @Test(arguments: [
        [], ["--help"], ["--version"], ["help", "up"], ["up", "--help"],
    ])
    func askingForHelpIsASuccess(arguments: [String]) {
        #expect(AdminProgram.run(arguments) == 0)
    }

    @Test(arguments: [
        ["launch"], ["status", "--colour"], ["get"], ["get", "not-a-uuid"],
        ["get", "--wait", "31", "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10"], ["put", "No Such Queue", "{}"],
        ["put", "tasks", "{}", "--group", "two\nlines"], ["put", "tasks", "{}", "--idempotency-key", ""],
        ["put", "tasks", "{}", "--url", "ftp://x"], ["up", "--listen", "8080"],
        ["up", "--log-format", "xml"], ["logs"], ["logs", "not-a-uuid"], ["logs", "--queue", "No Such"],
        ["logs", "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10", "--queue", "tasks"],
        ["logs", "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10", "--since", "yesterday"],
        ["logs", "--queue", "tasks", "--lines", "-1"],
    ])
    func wrongUsageIsTwo(arguments: [String]) {
        #expect(AdminProgram.run(arguments) == 2)
    }

    @Test func withoutABrokerTheExitCodeIsThree() throws {
        try TemporaryDirectory.with { directory in
            for command in ["status", "queues"] {
                let code = AdminProgram.run([command, "--state", directory.path])
                #expect(code == 3)
            }
        }
    }

    @Test func withoutAnIngestTheExitCodeIsThree() {
        // Port 1 is tcpmux, which nobody runs.
        #expect(AdminProgram.run(["put", "tasks", "{}", "--url", "http://127.0.0.1:1"]) == 3)
    }

    @Test func eachKindOfFailureHasItsCode() {
        let failures: [CommandFailure] = [.failed(""), .usage(""), .notReachable(""), .notFound("")]
        #expect(failures.map(\.exitCode) == [1, 2, 3, 4])
    }
}
