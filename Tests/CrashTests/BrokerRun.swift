import Glibc
import LinuxSystem
import TestSupport

/// One life of the real broker, with or without a fault in it, and what came of it.
struct BrokerRun: Sendable {
    /// What the outside world knows afterwards.
    let ledger: Ledger
    let status: ExitStatus
    /// The broker was there until SIGTERM.
    let wentThrough: Bool
    /// Nanoseconds of CLOCK_MONOTONIC at which the fault happened; nil if its call was never made.
    let firedAt: UInt64?
    let endedAt: UInt64
    let output: [String]

    /// Starts the broker, lets the outside world play, and ends it with SIGTERM.
    static func run(
        _ folder: LifeFolder, environment: [String: String?], ledger: Ledger, under strace: [String] = [],
        _ play: @escaping @Sendable (Conversation) throws -> Void
    ) async throws -> BrokerRun {
        let broker = try BuiltProducts.path(of: "taskq-broker")
        let command =
            strace + [
                broker, "--config", folder.configuration, "--state", folder.state, "--log-format", "text",
            ]
        let description = ProcessDescription(
            command[0], Array(command.dropFirst()), environment: strace.isEmpty ? environment : [:])
        return try await ProcessFixture.with(description) { process in
            var ledger = ledger
            var wentThrough = false
            if try await isReady(process) {
                let state = folder.state
                let known = ledger
                (ledger, wentThrough) = try await DedicatedThreads.run {
                    try converse(state, process.pid, known, play)
                }
            }
            if wentThrough { try terminate(process, folder, isTraced: !strace.isEmpty) }
            let status = try await process.end(within: .seconds(10))
            let endedAt = MonotonicDeadline.now()
            let output = process.lines.map(\.text)
            return BrokerRun(
                ledger: ledger, status: status, wentThrough: wentThrough, firedAt: firedAt(output),
                endedAt: endedAt, output: output)
        }
    }

    /// False if it ended before.
    private static func isReady(_ process: ProcessFixture) async throws -> Bool {
        do {
            try await process.line(containing: ": ready")
            return true
        } catch TestSupportError.processEnded {
            return false
        }
    }

    private static func converse(
        _ state: String, _ pid: CInt, _ ledger: Ledger, _ play: (Conversation) throws -> Void
    ) throws -> (Ledger, Bool) {
        let talk: Conversation
        do {
            talk = try Conversation(state: state, pid: pid, ledger: ledger)
        } catch let error as SystemError where error.errno == ESRCH {
            return (ledger, false)
        }
        do {
            try play(talk)
            return (talk.ledger, true)
        } catch Conversation.Failure.brokerEnded {
            return (talk.ledger, false)
        } catch Conversation.Failure.silence(let goal) {
            talk.ledger.note("the broker neither went on nor ended: no \(goal)")
            return (talk.ledger, true)
        }
    }

    /// Under strace the process is strace; the lock names the broker.
    private static func terminate(_ process: ProcessFixture, _ folder: LifeFolder, isTraced: Bool) throws {
        guard isTraced else { return process.signal(SIGTERM) }
        let text = String(decoding: try TextFile.bytes(of: "\(folder.journal)/lock"), as: UTF8.self)
        if let pid = pid_t(text.split(separator: "\n").first ?? "") { kill(pid, SIGTERM) }
    }

    private static func firedAt(_ output: [String]) -> UInt64? {
        let line = output.first { $0.hasPrefix("fault ") }
        return line?.split(separator: " ").last.flatMap { UInt64($0) }
    }
}
