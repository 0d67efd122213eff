private import CToml

/// Reads TOML 1.0.
package enum TOMLParser {
    /// Larger documents are refused: nobody's configuration is that long.
    package static let bytesMax = 1 << 20

    /// The root table.
    ///
    /// `source` is the name that problems carry.
    package static func parse(_ bytes: [UInt8], source: String) throws(ConfigurationError) -> TOMLNode {
        guard bytes.count <= bytesMax else {
            throw refusal(source, 0, 0, "the file is larger than \(bytesMax >> 20) MiB")
        }
        let document = bytes.withUnsafeBytes { content in
            content.withMemoryRebound(to: CChar.self) { ctoml_parse($0.baseAddress, $0.count) }
        }
        guard let document else { throw refusal(source, 0, 0, "out of memory") }
        defer { ctoml_free(document) }
        var line: UInt32 = 0
        var column: UInt32 = 0
        if let text = ctoml_error(document, &line, &column) {
            let mistake = TOMLMistake(in: bytes, line: Int(line), detail: String(cString: text))
            throw refusal(source, Int(line), Int(column), "\(mistake)")
        }
        let nodes = UnsafeBufferPointer(start: ctoml_nodes(document), count: ctoml_node_count(document))
        var index = 0
        return build(nodes, &index, source)
    }

    private static func refusal(_ source: String, _ line: Int, _ column: Int, _ text: String)
        -> ConfigurationError
    {
        let position = SourcePosition(source: source, line: line, column: column)
        return ConfigurationError(problems: [ConfigurationProblem(position: position, key: "", message: text)]
        )
    }

    /// Takes the node at `index` with its descendants, and leaves `index` behind them.
    private static func build(_ nodes: UnsafeBufferPointer<ctoml_node>, _ index: inout Int, _ source: String)
        -> TOMLNode
    {
        let node = nodes[index]
        let end = index + 1 + node.descendants
        index += 1
        let position = SourcePosition(source: source, line: Int(node.line), column: Int(node.column))
        switch node.kind {
        case CTOML_TABLE:
            var members: [String: TOMLNode] = [:]
            while index < end {
                let key = text(nodes[index].key, nodes[index].key_length)
                members[key] = build(nodes, &index, source)
            }
            return TOMLNode(.table(members), at: position)
        case CTOML_ARRAY:
            var elements: [TOMLNode] = []
            while index < end { elements.append(build(nodes, &index, source)) }
            return TOMLNode(.array(elements), at: position)
        case CTOML_STRING: return TOMLNode(.string(text(node.text, node.text_length)), at: position)
        case CTOML_INTEGER: return TOMLNode(.integer(node.integer), at: position)
        case CTOML_FLOAT: return TOMLNode(.float(node.floating), at: position)
        case CTOML_BOOLEAN: return TOMLNode(.boolean(node.boolean), at: position)
        case _: return TOMLNode(.dateTime, at: position)
        }
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ count: Int) -> String {
        let bytes = UnsafeBufferPointer(start: start, count: count)
        return bytes.withMemoryRebound(to: UInt8.self) { String(decoding: $0, as: UTF8.self) }
    }
}
