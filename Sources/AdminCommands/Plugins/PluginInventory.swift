private import Configuration
package import LinuxSystem
package import ProcessorSupervision

/// Every plugin of some folders, with what would keep it from serving its queue.
package struct PluginInventory: Hashable, Sendable {
    package enum Standing: Hashable, Sendable {
        /// Nothing that can be seen stands against it.
        case ready
        /// It does not run; the sentence names the cure.
        case broken(String)
        /// An earlier folder has a plugin of that name.
        case shadowed(by: String)
        /// An earlier folder has an empty file or a link to /dev/null of that name.
        case masked(by: String)
        /// The very file that masks others.
        case mask

        package var label: String {
            switch self {
            case .ready: "ready"
            case .broken: "broken"
            case .shadowed: "shadowed"
            case .masked: "masked"
            case .mask: "mask"
            }
        }

        /// For people; empty where the label says it all.
        package var words: String {
            switch self {
            case .ready: ""
            case .broken(let sentence): sentence
            case .shadowed(let path): "by \(path)"
            case .masked(let folder): "by an empty file or a link to /dev/null in \(folder)"
            case .mask: "hides the plugins of that name in the folders after this one"
            }
        }
    }

    package struct Entry: Hashable, Sendable {
        /// Nil for a name that no queue can have.
        package var queue: String?
        /// The plugin's folder or file; of a mask and of what is wrong with a name, the folder around it.
        package var path: String
        /// Nil where no manifest could be read.
        package var mode: String?
        package var standing: Standing
        package var warnings: [String] = []
    }

    package private(set) var entries: [Entry] = []
    /// The first folder's view of each name, in order.
    package private(set) var plugins: [PluginFolder.Plugin] = []

    /// - Parameters:
    ///   - folders: in the order of their rank; a name in an earlier one hides it in the later ones.
    ///   - trust: who may have written what is run.
    package init(folders: [String], trust: PluginTrust, searchPath: String) throws(SystemError) {
        var owners: [String: Standing] = [:]
        for folder in folders {
            let path = try FileContents.absolute(folder)
            let scanned = PluginFolder.scan(path, try PluginFolder.list(path))
            var taken: [String: Standing] = [:]
            for queue in scanned.masked.sorted() {
                entries.append(Entry(queue: queue, path: path, mode: nil, standing: owners[queue] ?? .mask))
                taken[queue] = .masked(by: path)
            }
            for problem in scanned.problems {
                let hidden = problem.queue.flatMap { owners[$0] }
                entries.append(
                    Entry(
                        queue: problem.queue, path: path, mode: nil,
                        standing: hidden ?? .broken(problem.sentence)))
                if let queue = problem.queue { taken[queue] = .shadowed(by: path) }
            }
            for plugin in scanned.plugins {
                let hidden = owners[plugin.queue]
                entries.append(Self.look(at: plugin, hidden: hidden, trust, searchPath))
                if hidden == nil { plugins.append(plugin) }
                taken[plugin.queue] = .shadowed(by: plugin.path)
            }
            owners.merge(taken) { earlier, _ in earlier }
        }
        entries = entries.enumerated()
            .sorted { ($0.element.queue ?? "", $0.offset) < ($1.element.queue ?? "", $1.offset) }
            .map(\.element)
    }

    private static func look(
        at plugin: PluginFolder.Plugin, hidden: Standing?, _ trust: PluginTrust, _ searchPath: String
    ) -> Entry {
        var entry = Entry(queue: plugin.queue, path: plugin.path, mode: nil, standing: hidden ?? .ready)
        var manifest = PluginManifest()
        do throws(ConfigurationError) {
            if let path = plugin.manifest { manifest = try PluginManifest.load(path) }
        } catch {
            if hidden == nil { entry.standing = .broken(error.description) }
            return entry
        }
        entry.mode = (manifest.mode ?? .oneshot).rawValue
        let program = ProcessorProgram(
            queue: plugin.queue, executable: plugin.executable, directory: plugin.directory,
            command: manifest.command, searchPath: searchPath, isExecutable: FileContents.isExecutableFile)
        let inspection = ProgramInspection(of: program, searchPath: searchPath, trust: trust)
        entry.warnings = inspection.warnings
        if hidden == nil, let problem = inspection.problem { entry.standing = .broken(problem.sentence) }
        return entry
    }
}

extension PluginFolder.Plugin {
    /// What people call the plugin: its folder, or its single file.
    var path: String { executable == "\(directory)/processor" ? directory : executable }
}
