import LinuxSystem
import ProcessorSupervision

/// Programs of the system that taskq asks: looked for in PATH, with variables that keep their words plain.
enum SystemProgram {
    /// Nil where there is none.
    static func path(of name: String) -> String? {
        let variables = ProcessEnvironment.variables()
        let path =
            ProcessEnvironment.value(of: "PATH", in: variables) ?? ProcessorSurroundings.usualSearchPath
        return path.split(separator: ":").map { "\($0)/\(name)" }.first(where: FileContents.isExecutableFile)
    }

    /// This process's variables, but English words and no colours, pager or debugging lines.
    static func plainEnvironment() -> [String] {
        let changed = ["LC_ALL=", "LANG=", "LANGUAGE=", "SYSTEMD_"]
        return ProcessEnvironment.variables().filter { variable in
            !changed.contains { variable.hasPrefix($0) }
        } + ["LC_ALL=C.UTF-8"]
    }
}
