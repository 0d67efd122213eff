private import Glibc
package import LinuxSystem

extension PluginFolder {
    /// The names in a folder with what ``scan(_:_:)`` wants to know of them, sorted.
    package static func list(_ path: String) throws(SystemError) -> [Entry] {
        guard let directory = opendir(path) else { throw SystemError("opendir \(path)") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted().map { Entry(name: $0, kind: kind(of: "\(path)/\($0)")) }
    }

    private static func kind(of path: String) -> Entry.Kind {
        var status = stat()
        // A link that leads nowhere is a plugin whose start will say so.
        guard stat(path, &status) == 0 else { return .file(bytes: 0, looksLikeProgram: true) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            return .directory(
                hasProcessor: FileContents.exists("\(path)/processor"),
                hasManifest: FileContents.exists("\(path)/plugin.toml"))
        case S_IFREG where status.st_size == 0:
            return .mask
        case S_IFREG:
            let facts = ProgramFacts(lookingAt: path, directory: "/", searchPath: "")
            let isExecutable = facts.kind == .file(isExecutable: true)
            let isScript = Shebang(head: facts.head) != nil
            return .file(bytes: Int(status.st_size), looksLikeProgram: isExecutable || isScript)
        case S_IFCHR:
            // The link to /dev/null.
            return .mask
        case _:
            return .other
        }
    }
}

extension PluginFolder {
    /// Where plugins of an installed system are: the admin's own hide the shipped ones.
    package static let installedFolders = ["/usr/local/lib/taskq/plugins", "/usr/lib/taskq/plugins"]
}

extension PluginFolder.Plugin {
    /// The plugin at a path: a folder with its `processor`, or a single file.
    ///
    /// - Parameter path: absolute, without a slash at its end.
    package init(queue: String, at path: String) {
        guard FileContents.isDirectory(path) else {
            let directory = FileContents.parentDirectory(of: path) ?? "/"
            self.init(queue: queue, executable: path, directory: directory, manifest: nil)
            return
        }
        let manifest = "\(path)/plugin.toml"
        self.init(
            queue: queue, executable: "\(path)/processor", directory: path,
            manifest: FileContents.exists(manifest) ? manifest : nil)
    }
}
