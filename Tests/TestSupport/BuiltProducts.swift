import Glibc

/// Finds the programs that were built with the tests.
package enum BuiltProducts {
    /// The folder of the running test bundle, or TASKQ_BUILD_FOLDER.
    package static var folder: String {
        if let chosen = getenv("TASKQ_BUILD_FOLDER") { return String(cString: chosen) }
        let resolved = realpath("/proc/self/exe", nil)
        defer { free(resolved) }
        let executable = resolved.map { String(cString: $0) } ?? ""
        return executable.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
    }

    package static func path(of name: String) throws(TestSupportError) -> String {
        let candidate = "\(folder)/\(name)"
        guard access(candidate, X_OK) == 0 else { throw .productMissing(name: name, folder: folder) }
        return candidate
    }

    /// The checkout's root, from the place of this file in it; symbolic links resolved.
    package static func repositoryRoot(file: String = #filePath) -> String {
        let resolved = realpath(file, nil)
        defer { free(resolved) }
        let path = resolved.map { String(cString: $0) } ?? file
        return path.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
    }
}
