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

    /// Codes that scripts may rely on: 1 failed, 2 usage, 3 not reachable, 4 not found, 78 (EX_CONFIG)
    /// misconfigured.
    ///
    /// 0 is success.
    package var exitCode: Int32 {
        switch self {
        case .failed: 1
        case .usage: 2
        case .notReachable: 3
        case .notFound: 4
        case .misconfigured: ConfigCommand.misconfiguredStatus
        }
    }
}

extension CommandFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .failed(let text), .usage(let text), .notReachable(let text), .notFound(let text),
            .misconfigured(let text):
            text
        }
    }
}
