import Glibc
import TestSupport
import Testing

@Suite struct ProcessFixtureTests {
    private func shell(_ script: String) -> ProcessDescription {
        ProcessDescription("/bin/sh", ["-c", script])
    }

    @Test func aLineIsSeenWhenItIsWrittenAndFromAMarkOnlyLaterOnes() async throws {
        try await ProcessFixture.with(shell("echo one; read x; echo two one $x >&2; read x")) { process in
            let first = try await process.line(containing: "one")
            #expect(first.stream == .standardOutput)
            let mark = process.mark
            try process.write("three\n")
            let second = try await process.line(containing: "one", from: mark)
            #expect(second.text == "two one three")
            #expect(second.stream == .standardError)
        }
    }

    @Test func theEndTellsStatusOrSignal() async throws {
        let exited = try await ProcessFixture.with(shell("exit 7")) { try await $0.end() }
        let killed = try await ProcessFixture.with(shell("read x")) { try await $0.killHard() }
        let terminated = try await ProcessFixture.with(shell("read x")) { try await $0.terminate() }
        #expect([exited, killed, terminated] == [.exited(7), .signalled(SIGKILL), .signalled(SIGTERM)])
    }

    @Test func waitingForALineOfAnEndedProcessFailsWithWhatItSaid() async throws {
        try await ProcessFixture.with(shell("echo broken; printf unfinished; exit 3")) { process in
            let error = await #expect(throws: TestSupportError.self) {
                try await process.line(containing: "listening")
            }
            let expected = TestSupportError.processEnded(
                .exited(3), waitingFor: "a line containing 'listening'", output: ["broken", "unfinished"])
            #expect(error == expected)
        }
    }

    @Test func aPassedDeadlineNamesWhatWasAwaited() async throws {
        try await ProcessFixture.with(shell("read x")) { process in
            let error = await #expect(throws: TestSupportError.self) {
                try await process.line(containing: "never", within: .milliseconds(20))
            }
            #expect(error == .deadlinePassed(waitingFor: "a line containing 'never'", output: []))
        }
    }

    @Test func theScopeKillsWhatStillRuns() async throws {
        let pid = try await ProcessFixture.with(shell("trap '' TERM; echo up; read x")) { process in
            try await process.line(containing: "up")
            return process.pid
        }
        #expect(kill(pid, 0) == -1)
    }

    @Test func aChildThatHoldsThePipesDoesNotHoldUpTheEnd() async throws {
        try await ProcessFixture.with(shell("sleep 30 & echo $!; exit 0")) { process in
            let child = try await process.line(named: "the child's pid") { Int32($0.text) != nil }
            #expect(try await process.end(within: .seconds(10)) == .exited(0))
            if let pid = Int32(child.text) { kill(pid, SIGKILL) }
        }
    }

    @Test func aMissingProgramIsAnErrorWithItsName() async throws {
        await #expect(throws: TestSupportError.spawnFailed(executable: "/nowhere", errno: ENOENT)) {
            try await ProcessFixture.with(ProcessDescription("/nowhere")) { _ in }
        }
    }

    @Test func theListeningAddressIsReadFromTheLine() async throws {
        let line = "2026-01-01 12:00:00.123 notice listening address=127.0.0.1:54321"
        let address = try await ProcessFixture.with(shell("echo '\(line)'; read x")) { process in
            try await process.listeningAddress()
        }
        #expect(address == SocketAddress(port: 54_321))
        #expect(SocketAddress(firstIn: "listening on 1.2.3:4 or 300.1.1.1:5") == nil)
        #expect(SocketAddress(firstIn: #"{"address":"127.0.0.1:8080"}"#) == SocketAddress(port: 8_080))
    }
}
