import Configuration
private import LinuxSystem

/// Finds the stack that a command means.
enum StateLocation {
    /// Where `taskq up` keeps its state unless it is told otherwise, relative to where it was started.
    static let foreground = "var"

    /// `--state`, `TASKQ_STATE`, the installed stack if it is there, the one that `taskq up` made here if
    /// that is, the installed one.
    static func paths(option: String?) -> StatePaths {
        if let option { return StatePaths(state: option) }
        let variables = ProcessEnvironment.variables()
        if let named = ProcessEnvironment.value(of: "TASKQ_STATE", in: variables), !named.isEmpty {
            return StatePaths(state: named)
        }
        let installed = StatePaths()
        let local = StatePaths(state: foreground)
        let isLocal = !FileContents.exists(installed.adminSocket) && FileContents.exists(local.adminSocket)
        return isLocal ? local : installed
    }
}
