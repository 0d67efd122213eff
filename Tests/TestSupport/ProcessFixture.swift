package import Glibc

/// A real program under test: its output line by line, its signals, its end.
///
/// Waits are on events, each with a deadline that fails the test with the program's last lines.
package final class ProcessFixture: Sendable {
    package let pid: pid_t
    private let output: ProcessOutput
    private let pipes: ProcessPipes

    /// Starts a program for the time of the closure; whatever is left of it then is killed.
    package static func with<Value>(
        _ description: ProcessDescription, _ body: (ProcessFixture) async throws -> Value
    ) async throws -> Value {
        try await ProcessScope.with { scope in try await body(scope.start(description)) }
    }

    /// Prefer ``ProcessScope``, which also ends it.
    static func start(_ description: ProcessDescription) async throws -> ProcessFixture {
        let output = ProcessOutput()
        let pipes = try ProcessPipes()
        // One thread starts the process and waits for it: the kernel ties the child to that thread's life.
        let pid: pid_t = try await withCheckedThrowingContinuation { continuation in
            DedicatedThreads.start {
                let spawned = Result { () throws(TestSupportError) in try pipes.spawn(description) }
                continuation.resume(with: spawned.mapError { $0 as any Error })
                guard case .success(let pid) = spawned else { return }
                waitForEnd(of: pid, output: output)
                pipes.wake()
            }
        }
        DedicatedThreads.start { pipes.read(into: output) }
        return ProcessFixture(pid: pid, output: output, pipes: pipes)
    }

    private init(pid: pid_t, output: ProcessOutput, pipes: ProcessPipes) {
        self.pid = pid
        self.output = output
        self.pipes = pipes
    }

    private static func waitForEnd(of pid: pid_t, output: ProcessOutput) {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        output.finish {
            var status: CInt = 0
            while waitpid(pid, &status, 0) == -1, errno == EINTR {}
            return ExitStatus(waitStatus: status)
        }
    }

    /// All lines so far, of both streams in the order in which they were read.
    package var lines: [OutputLine] { output.lines }

    /// How many lines there are: give it as `from` to wait for later ones only.
    package var mark: Int { output.lines.count }

    /// nil while it runs.
    package var status: ExitStatus? { output.status }

    /// Every line, past ones first; ends with the process.
    package func follow() -> AsyncStream<OutputLine> { output.follow() }

    /// The first line at or after `from` that contains `text`.
    @discardableResult
    package func line(
        containing text: String, from start: Int = 0, within limit: Duration = .seconds(30)
    ) async throws -> OutputLine {
        let pattern = Array(text.utf8)
        return try await line(named: "a line containing '\(text)'", from: start, within: limit) { line in
            line.text.utf8.contains(pattern)
        }
    }

    @discardableResult
    package func line(
        named name: String, from start: Int = 0, within limit: Duration = .seconds(30),
        matching matches: @escaping @Sendable (OutputLine) -> Bool
    ) async throws -> OutputLine {
        let deadline = MonotonicDeadline.after(limit)
        return try await output.line(
            named: name, from: start, deadline: deadline, wake: pipes.wake, matching: matches)
    }

    /// The address in the line in which a daemon says where it listens: tests bind port 0.
    package func listeningAddress(
        from start: Int = 0, within limit: Duration = .seconds(60)
    ) async throws -> SocketAddress {
        let line = try await line(containing: "listening", from: start, within: limit)
        guard let address = SocketAddress(firstIn: line.text) else {
            throw TestSupportError.noAddress(line: line.text)
        }
        return address
    }

    /// Does nothing when the process has ended.
    package func signal(_ number: CInt) {
        output.whileUnreaped { _ = kill(pid, number) }
    }

    @discardableResult
    package func end(within limit: Duration = .seconds(30)) async throws -> ExitStatus {
        try await output.end(deadline: MonotonicDeadline.after(limit), wake: pipes.wake)
    }

    @discardableResult
    package func terminate(within limit: Duration = .seconds(30)) async throws -> ExitStatus {
        signal(SIGTERM)
        return try await end(within: limit)
    }

    /// kill -9, and its end.
    @discardableResult
    package func killHard() async throws -> ExitStatus {
        signal(SIGKILL)
        return try await end()
    }

    /// Writes to its standard input; `closingInput` then shows it the end of file.
    package func write(_ text: String) throws(TestSupportError) { try pipes.writeInput(Array(text.utf8)) }
    package func closeInput() { pipes.closeInput() }

    /// The whole group, so that a child that it left in its group goes too.
    func killGroup() {
        output.whileUnreaped { _ = kill(-pid, SIGKILL) }
    }
}

/// Programs that a test starts and restarts freely; all of them are killed when the closure ends.
package final class ProcessScope: Sendable {
    private let started = SharedList<ProcessFixture>()

    package static func with<Value>(
        _ body: (ProcessScope) async throws -> Value
    ) async throws -> Value {
        let scope = ProcessScope()
        do {
            let value = try await body(scope)
            await scope.close()
            return value
        } catch {
            await scope.close()
            throw error
        }
    }

    package func start(_ description: ProcessDescription) async throws -> ProcessFixture {
        let process = try await ProcessFixture.start(description)
        started.append(process)
        return process
    }

    private func close() async {
        for process in started.values where process.status == nil { process.killGroup() }
        for process in started.values {
            _ = try? await process.end()  // ignoring: the body's own error is the one worth seeing.
        }
    }
}
