private import Glibc
package import LinuxSystem

/// What keeps a child from being started or watched.
package enum ProcessorSupervisionError: Error, Hashable, Sendable {
    /// The program itself could not be executed; the cure is for whoever wrote it.
    case cannotExecute(path: String, errno: CInt)
    /// The working directory could not be entered.
    case cannotEnter(directory: String, errno: CInt)
    /// The machine refused: out of processes, memory or descriptors.
    case cannotFork(errno: CInt)
    case system(SystemError)
}

extension ProcessorSupervisionError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .cannotExecute(let path, let errno): "cannot execute \(path): \(SystemError.text(of: errno))"
        case .cannotEnter(let directory, let errno):
            "cannot enter \(directory): \(SystemError.text(of: errno))"
        case .cannotFork(let errno): "cannot start a process: \(SystemError.text(of: errno))"
        case .system(let error): error.description
        }
    }
}
