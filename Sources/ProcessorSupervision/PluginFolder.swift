private import TaskModel

/// Which processors a plugin folder holds.
///
/// Pure over a listing; ``PluginFolder/list(_:)`` makes one.
package struct PluginFolder: Hashable, Sendable {
    /// One name in the folder.
    package struct Entry: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            /// `looksLikeProgram`: executable, or beginning with a shebang.
            case file(bytes: Int, looksLikeProgram: Bool)
            case directory(hasProcessor: Bool, hasManifest: Bool)
            /// An empty file or a link to /dev/null: it hides the shipped plugin of that name.
            case mask
            case other
        }

        package var name: String
        package var kind: Kind

        package init(name: String, kind: Kind) {
            self.name = name
            self.kind = kind
        }
    }

    package struct Plugin: Hashable, Sendable {
        package var queue: String
        /// The executable, absolute.
        package var executable: String
        /// The working directory, absolute: the plugin's own folder, or the one that holds the single file.
        package var directory: String
        /// `plugin.toml`, absolute; nil where there is none.
        package var manifest: String?

        package init(queue: String, executable: String, directory: String, manifest: String?) {
            self.queue = queue
            self.executable = executable
            self.directory = directory
            self.manifest = manifest
        }
    }

    /// One clear error; the queue named has no processor because of it.
    package struct Problem: Hashable, Sendable {
        package var queue: String?
        package var sentence: String

        package init(queue: String?, sentence: String) {
            self.queue = queue
            self.sentence = sentence
        }
    }

    package var plugins: [Plugin] = []
    package var masked: Set<String> = []
    package var problems: [Problem] = []

    package init() {}

    /// - Parameter path: the folder, absolute, without a slash at its end.
    package static func scan(_ path: String, _ entries: [Entry]) -> PluginFolder {
        var folder = PluginFolder()
        var names: [String: [Entry]] = [:]
        for entry in entries where !isIgnored(entry) {
            names[queueName(of: entry), default: []].append(entry)
        }
        for (queue, candidates) in names.sorted(by: { $0.key < $1.key }) {
            let named = candidates.map { "\(path)/\($0.name)" }.sorted()
            guard QueueDeclaration.isValidName(queue) else {
                let rule = "a queue is named [a-z0-9][a-z0-9_-]{0,63}"
                folder.problems.append(Problem(queue: nil, sentence: "\(named[0]) is no plugin: \(rule)"))
                continue
            }
            guard candidates.count == 1, let entry = candidates.first else {
                let sentence =
                    "two plugins for the queue \(queue): \(named.joined(separator: " and ")); remove one"
                folder.problems.append(Problem(queue: queue, sentence: sentence))
                continue
            }
            folder.add(entry, queue: queue, under: path)
        }
        return folder
    }

    private mutating func add(_ entry: Entry, queue: String, under path: String) {
        let own = "\(path)/\(entry.name)"
        switch entry.kind {
        case .mask:
            masked.insert(queue)
        case .file:
            plugins.append(Plugin(queue: queue, executable: own, directory: path, manifest: nil))
        case .directory(_, let hasManifest):
            plugins.append(
                Plugin(
                    queue: queue, executable: "\(own)/processor", directory: own,
                    manifest: hasManifest ? "\(own)/plugin.toml" : nil))
        case .other:
            problems.append(Problem(queue: queue, sentence: "\(own) is neither a file nor a folder"))
        }
    }

    /// The folders in the order of their rank: a name in an earlier one hides it in the later ones.
    package static func layered(_ folders: [PluginFolder]) -> PluginFolder {
        var result = PluginFolder()
        var taken: Set<String> = []
        for folder in folders {
            result.plugins += folder.plugins.filter { !taken.contains($0.queue) }
            result.problems += folder.problems.filter { $0.queue.map { !taken.contains($0) } ?? true }
            result.masked.formUnion(folder.masked.subtracting(taken))
            taken.formUnion(folder.plugins.map(\.queue))
            taken.formUnion(folder.problems.compactMap(\.queue))
            taken.formUnion(folder.masked)
        }
        return result
    }

    /// A file's queue is its name up to the first dot, a folder's its whole name.
    private static func queueName(of entry: Entry) -> String {
        if case .directory = entry.kind { return entry.name }
        return String(entry.name.prefix { $0 != "." })
    }

    /// What editors, package managers and people leave beside plugins.
    private static func isIgnored(_ entry: Entry) -> Bool {
        let name = entry.name
        if name.hasPrefix(".") || name.hasSuffix("~") || name.contains(".dpkg-") { return true }
        if [".bak", ".tmp", ".swp"].contains(where: name.hasSuffix) { return true }
        switch entry.kind {
        case .file(_, let looksLikeProgram): return !looksLikeProgram
        case .directory(let hasProcessor, let hasManifest): return !hasProcessor && !hasManifest
        case .mask, .other: return false
        }
    }
}
