package import Configuration
package import LinuxSystem
package import ProcessorSupervision

/// Why a worker does not start, or cannot go on.
package enum WorkerDaemonError: Error, Sendable {
    case usage(String)
    case configuration(ConfigurationError)
    /// No processor for the queue in any plugin folder.
    case noPlugin(queue: String, folders: [String])
    case supervision(ProcessorSupervisionError)
    case system(SystemError)
}

extension WorkerDaemonError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .usage(let sentence): sentence
        case .configuration(let error): error.description
        case .noPlugin(let queue, let folders):
            "no processor for the queue \(queue) in \(folders.joined(separator: ", "))"
        case .supervision(let error): error.description
        case .system(let error): error.description
        }
    }

    /// What the program ends with.
    ///
    /// 2 for its command line, 78 (EX_CONFIG) for its configuration, else 1.
    package var exitStatus: Int32 {
        switch self {
        case .usage: 2
        case .configuration, .noPlugin: 78
        case .supervision, .system: 1
        }
    }
}
