/// Why a command failed; each kind has its exit code.
package enum CommandFailure: Error, Hashable, Sendable {
    /// What was asked for was refused, or went wrong on the way.
    case failed(String)
    /// The command line asks for something that there is not.
    case usage(String)
    /// Nobody answers: the daemon is down, or this user may not talk to it.
    case notReachable(String)
    /// There is no such task or queue.
    case notFound(String)
    /// The configuration has mistakes, a line each.
    case misconfigured(String)
    /// Ctrl-C or SIGTERM ended it between two steps; the sentence says how far it came.
    case interrupted(String)

    static let interruptedStatus: Int32 = 130

    /// Codes that scripts may rely on: 1 failed, 2 usage, 3 not reachable, 4 not found, 78 (EX_CONFIG)
    /// misconfigured, 130 interrupted.
    ///
    /// 0 is success.
    package var exitCode: Int32 {
        switch self {
        case .failed: 1
        case .usage: 2
        case .notReachable: 3
        case .notFound: 4
        case .misconfigured: ConfigCommand.misconfiguredStatus
        case .interrupted: Self.interruptedStatus
        }
    }
}

extension CommandFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .failed(let text), .usage(let text), .notReachable(let text), .notFound(let text),
            .misconfigured(let text), .interrupted(let text):
            text
        }
    }
}

extension CommandFailure {
    /// The same failure with more said about it.
    func saying(_ more: String) -> CommandFailure {
        switch self {
        case .failed(let text): .failed("\(text); \(more)")
        case .usage(let text): .usage("\(text); \(more)")
        case .notReachable(let text): .notReachable("\(text); \(more)")
        case .notFound(let text): .notFound("\(text); \(more)")
        case .misconfigured(let text): .misconfigured("\(text); \(more)")
        case .interrupted(let text): .interrupted("\(text); \(more)")
        }
    }
}
