private import Glibc

extension PluginTrust {
    /// What `stat` sees of a plugin's entry, its folder, and the directories above.
    ///
    /// What is missing is left out: the start says so.
    ///
    /// - Parameters:
    ///   - executable: absolute.
    ///   - folder: the plugin's own folder; the executable's directory for a single file.
    package static func gather(executable: String, folder: String) -> [PathFacts] {
        var paths: [PathFacts] = []
        if let facts = look(at: executable, role: .plugin) { paths.append(facts) }
        var directory = folder
        var role = PathFacts.Role.plugin
        while true {
            if let facts = look(at: directory, role: role) { paths.append(facts) }
            guard let slash = directory.lastIndex(of: "/"), directory != "/" else { return paths }
            directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
            role = .parent
        }
    }

    private static func look(at path: String, role: PathFacts.Role) -> PathFacts? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        var link = stat()
        let isLink = lstat(path, &link) == 0 && link.st_mode & S_IFMT == S_IFLNK
        var target: String?
        if isLink, role == .plugin, let resolved = realpath(path, nil) {
            target = String(cString: resolved)
            free(resolved)
        }
        return PathFacts(
            path: path, role: role, owner: status.st_uid, mode: UInt32(status.st_mode & 0o7777),
            linkTarget: target)
    }
}
