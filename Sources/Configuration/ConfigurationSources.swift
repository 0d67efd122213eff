import LinuxSystem

/// Where a configuration comes from: a file, its folder of additions, variables, flags.
///
/// Later ones win.
package struct ConfigurationSources: Sendable {
    package static let installedFile = "/etc/taskq/taskq.toml"
    private static let variablePrefix = "TASKQ_CONFIG_"

    /// Nil: ``installedFile``, which may be absent.
    package var file: String?
    package var stateDirectory: String?
    package var listen: ListenAddress?
    /// The process's variables, `NAME=value`.
    package var environment: [String]

    package init(
        file: String? = nil, stateDirectory: String? = nil, listen: ListenAddress? = nil,
        environment: [String] = []
    ) {
        self.file = file
        self.stateDirectory = stateDirectory
        self.listen = listen
        self.environment = environment
    }

    package func load() throws(ConfigurationError) -> ServiceConfiguration {
        var configuration = try ServiceConfiguration(document: document())
        configuration.paths = StatePaths(state: stateDirectory)
        // The flag moves the whole state, so that two stacks on one file never share a journal.
        if stateDirectory != nil { configuration.journal.directory = configuration.paths.journalDirectory }
        if let listen {
            configuration.api.listen = listen
            configuration.api.listenIsSet = true
        }
        return configuration
    }

    /// All files and variables laid over each other.
    func document() throws(ConfigurationError) -> TOMLNode {
        let main = file ?? Self.installedFile
        var document = TOMLNode(.table([:]), at: SourcePosition(source: main))
        if file != nil || FileContents.exists(main) { document.overlay(try Self.read(main)) }
        for addition in try Self.additions(beside: main) { document.overlay(try Self.read(addition)) }
        for variable in environment.sorted() {
            if let node = try Self.node(ofVariable: variable) { document.overlay(node) }
        }
        return document
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

    /// `TASKQ_CONFIG_QUEUE__LEASE=30s` as the document `queue.lease = "30s"`.
    ///
    /// Nil for any other variable.
    ///
    /// A value that is a whole TOML value (`5`, `true`, `["a"]`) is taken as that, any other as a string.
    private static func node(ofVariable variable: String) throws(ConfigurationError) -> TOMLNode? {
        guard variable.hasPrefix(variablePrefix), let equals = variable.firstIndex(of: "=") else {
            return nil
        }
        let name = variable[..<equals]
        let position = SourcePosition(source: "variable \(name)")
        let keys = separated(name.dropFirst(variablePrefix.count)).map { $0.lowercased() }
        guard keys.allSatisfy({ !$0.isEmpty }) else {
            let message = "expected a name of the form \(variablePrefix)<SECTION>__<KEY>"
            throw ConfigurationError(problems: [
                ConfigurationProblem(position: position, key: "", message: message)
            ])
        }
        var node = TOMLNode(
            value(of: String(variable[variable.index(after: equals)...]), position), at: position)
        for key in keys.reversed() { node = TOMLNode(.table([key: node]), at: position) }
        return node
    }

    private static func value(of text: String, _ position: SourcePosition) -> TOMLNode.Value {
        guard !text.contains("\n") else { return .string(text) }
        let line = Array("v=\(text)".utf8)
        let parsed = try? TOMLParser.parse(line, source: "")  // ignoring: then it is a string
        guard case .table(let members)? = parsed?.value, let node = members["v"] else { return .string(text) }
        switch node.value {
        case .integer, .boolean, .float, .string: return node.value
        case .array(let elements): return .array(elements.map { TOMLNode($0.value, at: position) })
        case .table, .dateTime: return .string(text)
        }
    }

    /// Splits at double underscores: single ones are part of a key.
    private static func separated(_ text: Substring) -> [String] {
        var parts = [""]
        var rest = text
        while let first = rest.first {
            if rest.hasPrefix("__") {
                parts.append("")
                rest = rest.dropFirst(2)
            } else {
                parts[parts.count - 1].append(first)
                rest = rest.dropFirst()
            }
        }
        return parts
    }
}
