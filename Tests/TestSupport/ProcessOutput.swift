import Glibc
import Synchronization

/// What one process said and how it ended, with everybody who waits for it.
///
/// Waiters are resumed by the thread that reads the pipes; no thread of Swift's pool is held.
final class ProcessOutput: Sendable {
    private enum Goal {
        case line(@Sendable (OutputLine) -> Bool, CheckedContinuation<OutputLine, any Error>)
        case end(CheckedContinuation<ExitStatus, any Error>)
    }

    private struct Waiter {
        let goal: Goal
        let name: String
        /// Nanoseconds of CLOCK_MONOTONIC.
        let deadline: UInt64
    }

    private struct State {
        var lines: [OutputLine] = []
        var followers: [AsyncStream<OutputLine>.Continuation] = []
        var waiters: [Waiter] = []
        var status: ExitStatus?
        /// The process has ended and all that it wrote is in `lines`.
        var isComplete = false
    }

    private let state = Mutex(State())

    var lines: [OutputLine] { state.withLock { $0.lines } }
    var status: ExitStatus? { state.withLock { $0.status } }

    func follow() -> AsyncStream<OutputLine> {
        let (stream, continuation) = AsyncStream.makeStream(of: OutputLine.self)
        state.withLock { state in
            for line in state.lines { continuation.yield(line) }
            if state.isComplete { continuation.finish() } else { state.followers.append(continuation) }
        }
        return stream
    }

    func append(_ text: String, from stream: OutputLine.Stream) {
        state.withLock { state in
            let line = OutputLine(stream: stream, text: text, index: state.lines.count)
            state.lines.append(line)
            for follower in state.followers { follower.yield(line) }
            state.waiters.removeAll { waiter in
                guard case .line(let matches, let continuation) = waiter.goal, matches(line) else {
                    return false
                }
                continuation.resume(returning: line)
                return true
            }
        }
    }

    /// Called while the process is still a zombie, so that its pid names nobody else: reaps it.
    func finish(reaping reap: () -> ExitStatus) {
        state.withLock { $0.status = reap() }
    }

    /// Runs `body` with the pid safe to signal; not at all when the process has been reaped.
    func whileUnreaped(_ body: () -> Void) {
        state.withLock { if $0.status == nil { body() } }
    }

    func complete() {
        state.withLock { state in
            guard let status = state.status else { return }
            state.isComplete = true
            for follower in state.followers { follower.finish() }
            let texts = state.lines.suffix(40).map(\.text)
            for waiter in state.waiters {
                switch waiter.goal {
                case .end(let continuation):
                    continuation.resume(returning: status)
                case .line(_, let continuation):
                    continuation.resume(
                        throwing: TestSupportError.processEnded(
                            status, waitingFor: waiter.name, output: texts))
                }
            }
            state.waiters = []
        }
    }

    /// Fails the waiters whose time is over.
    ///
    /// Returns milliseconds until the next deadline, -1 for none.
    func expireWaiters(now: UInt64) -> CInt {
        state.withLock { state in
            let texts = state.lines.suffix(40).map(\.text)
            state.waiters.removeAll { waiter in
                guard waiter.deadline <= now else { return false }
                let error = TestSupportError.deadlinePassed(waitingFor: waiter.name, output: texts)
                switch waiter.goal {
                case .line(_, let continuation): continuation.resume(throwing: error)
                case .end(let continuation): continuation.resume(throwing: error)
                }
                return true
            }
            guard let next = state.waiters.map(\.deadline).min() else { return -1 }
            return CInt((next - now) / 1_000_000 + 1)
        }
    }

    func line(
        named name: String, from start: Int, deadline: UInt64, wake: () -> Void,
        matching matches: @escaping @Sendable (OutputLine) -> Bool
    ) async throws -> OutputLine {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { state in
                if let line = state.lines.dropFirst(start).first(where: matches) {
                    continuation.resume(returning: line)
                } else if state.isComplete, let status = state.status {
                    let texts = state.lines.suffix(40).map(\.text)
                    continuation.resume(
                        throwing: TestSupportError.processEnded(status, waitingFor: name, output: texts))
                } else {
                    let goal = Goal.line({ $0.index >= start && matches($0) }, continuation)
                    state.waiters.append(Waiter(goal: goal, name: name, deadline: deadline))
                }
            }
            wake()
        }
    }

    func end(deadline: UInt64, wake: () -> Void) async throws -> ExitStatus {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { state in
                if state.isComplete, let status = state.status {
                    continuation.resume(returning: status)
                } else {
                    let waiter = Waiter(goal: .end(continuation), name: "its end", deadline: deadline)
                    state.waiters.append(waiter)
                }
            }
            wake()
        }
    }
}
