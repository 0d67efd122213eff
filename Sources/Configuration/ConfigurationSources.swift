private import LinuxSystem
import TaskModel

/// Where a configuration comes from: a file, its folder of additions, variables, flags.
///
/// Later ones win.
package struct ConfigurationSources: Sendable {
    package static let installedFile = "/etc/taskq/taskq.toml"

    /// Nil: ``installedFile``, which may be absent.
    package var file: String?
    package var stateDirectory: String?
    package var listen: ListenAddress?
    /// The process's variables, `NAME=value`.
    package var environment: [String]
    /// Whose manifests an inspection reads; a daemon's configuration needs none.
    package var pluginFolders: [String]

    package init(
        file: String? = nil, stateDirectory: String? = nil, listen: ListenAddress? = nil,
        environment: [String] = [], pluginFolders: [String] = []
    ) {
        self.file = file
        self.stateDirectory = stateDirectory
        self.listen = listen
        self.environment = environment
        self.pluginFolders = pluginFolders
    }

    package func load() throws(ConfigurationError) -> ServiceConfiguration {
        let inspection = inspect()
        guard inspection.problems.isEmpty else { throw ConfigurationError(problems: inspection.problems) }
        return inspection.configuration
    }

    /// Reads everything, however much of it is wrong.
    ///
    /// Every layer is checked by itself, so that a mistake is told also where a later source hides it, and
    /// then the whole, for what must agree.
    package func inspect() -> ConfigurationInspection {
        let problems = ProblemList()
        let main = file ?? Self.installedFile
        var document = TOMLNode(.table([:]), at: SourcePosition(source: main))
        var files: [String] = []
        if file != nil || FileContents.exists(main) { files.append(main) }
        files += collect(problems) { () throws(ConfigurationError) in try Self.additions(beside: main) } ?? []
        for path in files {
            let layer = collect(problems) { () throws(ConfigurationError) in try Self.read(path) }
            if let layer { lay(layer, on: &document, problems) }
        }
        for variable in environment.sorted() {
            let layer = collect(problems) { () throws(ConfigurationError) in
                try Self.node(ofVariable: variable)
            }
            if let layer = layer ?? nil { lay(layer, on: &document, problems) }
        }
        for layer in optionLayers { lay(layer, on: &document, problems) }
        var configuration = ServiceConfiguration(document, problems, isWhole: true)
        configuration.paths = StatePaths(state: stateDirectory)
        let manifests = readManifests(problems)
        return ConfigurationInspection(
            configuration: configuration, document: document, files: files, manifests: manifests,
            problems: problems.ordered)
    }

    private func lay(_ layer: TOMLNode, on document: inout TOMLNode, _ problems: ProblemList) {
        _ = ServiceConfiguration(layer, problems, isWhole: false)
        document.overlay(layer)
    }

    /// Nil where `body` failed; why is told to the list.
    private func collect<Value>(
        _ problems: ProblemList, _ body: () throws(ConfigurationError) -> Value
    ) -> Value? {
        do throws(ConfigurationError) {
            return try body()
        } catch {
            for problem in error.problems { problems.add(problem) }
            return nil
        }
    }

    private var optionLayers: [TOMLNode] {
        var layers: [TOMLNode] = []
        // The flag moves the whole state, so that two stacks on one file never share a journal.
        if stateDirectory != nil {
            let directory = StatePaths(state: stateDirectory).journalDirectory
            layers.append(Self.layer("option --state", "journal", "directory", directory))
        }
        if let listen { layers.append(Self.layer("option --listen", "api", "listen", "\(listen)")) }
        return layers
    }

    private static func layer(_ source: String, _ table: String, _ key: String, _ text: String) -> TOMLNode {
        let position = SourcePosition(source: source)
        let member = TOMLNode(.table([key: TOMLNode(.string(text), at: position)]), at: position)
        return TOMLNode(.table([table: member]), at: position)
    }

    /// `FOLDER/QUEUE/plugin.toml` of each folder, an earlier folder's before a later one's.
    private func readManifests(_ problems: ProblemList) -> [String: PluginManifestLayer] {
        var layers: [String: PluginManifestLayer] = [:]
        for folder in pluginFolders where FileContents.isDirectory(folder) {
            let names = collect(problems) { () throws(ConfigurationError) in
                do throws(SystemError) {
                    return try FileContents.names(in: folder)
                } catch {
                    throw Self.unreadable(folder, error)
                }
            }
            for name in names ?? [] where QueueDeclaration.isValidName(name) && layers[name] == nil {
                let path = "\(folder)/\(name)/plugin.toml"
                guard FileContents.exists(path) else { continue }
                let document = collect(problems) { () throws(ConfigurationError) in try Self.read(path) }
                guard let document else { continue }
                let manifest = PluginManifest(document, problems)
                layers[name] = PluginManifestLayer(document: document, manifest: manifest)
            }
        }
        return layers
    }

    /// `FILE.d/*.toml` in the order of their names; none where there is no such folder.
    private static func additions(beside file: String) throws(ConfigurationError) -> [String] {
        let folder = "\(file).d"
        guard FileContents.isDirectory(folder) else { return [] }
        do throws(SystemError) {
            let names = try FileContents.names(in: folder)
            return names.filter { $0.hasSuffix(".toml") && !$0.hasPrefix(".") }.map { "\(folder)/\($0)" }
        } catch {
            throw unreadable(folder, error)
        }
    }

    package static func read(_ path: String) throws(ConfigurationError) -> TOMLNode {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try FileContents.read(path, maximumBytes: TOMLParser.bytesMax)
        } catch {
            throw unreadable(path, error)
        }
        return try TOMLParser.parse(bytes, source: path)
    }

    private static func unreadable(_ path: String, _ error: SystemError) -> ConfigurationError {
        let message = "cannot be read: \(SystemError.text(of: error.errno))"
        let problem = ConfigurationProblem(position: SourcePosition(source: path), key: "", message: message)
        return ConfigurationError(problems: [problem])
    }
}
