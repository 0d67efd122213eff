extension ConfigurationSources {
    private static let variablePrefix = "TASKQ_CONFIG_"

    /// `TASKQ_CONFIG_QUEUE__LEASE=30s` as the document `queue.lease = "30s"`.
    ///
    /// Nil for any other variable.
    ///
    /// A value that is a whole TOML value (`5`, `true`, `["a"]`) is taken as that, any other as a string.
    static func node(ofVariable variable: String) throws(ConfigurationError) -> TOMLNode? {
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
