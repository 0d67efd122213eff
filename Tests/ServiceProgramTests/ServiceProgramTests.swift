import Testing

@testable import ServiceProgram

@Suite struct ServiceProgramTests {
    private let program = ServiceProgram("taskq-sample", summary: "A sample.")

    @Test func helpAndVersionEndCleanlyWithoutWork() {
        for argument in ["--help", "--version"] {
            let status = program.run([argument]) { _ in
                Issue.record("work began")
                return 9
            }
            #expect(status == ServiceProgram.ExitStatus.clean)
        }
    }

    @Test(arguments: [["--confg", "x"], ["--config"], ["--log-format", "yaml"]])
    func aBadCommandLineEndsWithTheUsageStatus(arguments: [String]) {
        #expect(program.run(arguments) { _ in 9 } == ServiceProgram.ExitStatus.usage)
    }

    @Test func aMissingConfigurationFileEndsWithTheConfigurationStatus() {
        let status = program.run(["--config", "/nonexistent/taskq.toml"]) { _ in 9 }
        #expect(status == ServiceProgram.ExitStatus.misconfigured)
    }
}
