private import CLinux

/// The variables that this process was started with.
package enum ProcessEnvironment {
    /// Each as `NAME=value`.
    ///
    /// Taken before other threads run: setenv elsewhere would race with it.
    package static func variables() -> [String] {
        guard var place = clinux_environment() else { return [] }
        var variables: [String] = []
        while let text = place.pointee {
            variables.append(String(cString: text))
            place += 1
        }
        return variables
    }

    /// The value of a variable in such a list; nil if it is not there.
    package static func value(of name: String, in variables: [String]) -> String? {
        let prefix = "\(name)="
        return variables.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }
}
