/// How a process ended.
package enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    /// From the status word of waitpid.
    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7F
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xFF) : .signalled(signal)
    }

    package var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}

/// One line that a process wrote, without its line feed.
package struct OutputLine: Equatable, Sendable {
    package enum Stream: Sendable { case standardOutput, standardError }
    package let stream: Stream
    package let text: String
    /// Its place among all lines of the process, from 0.
    package let index: Int
}
