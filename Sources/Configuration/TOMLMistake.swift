/// What is wrong with a line that is no TOML, in the words of this program: what stands there, and what would
/// be right.
///
/// The parser says where; its own words come last, for what they add.
struct TOMLMistake: CustomStringConvertible {
    private static let lineCharactersMax = 60

    private let found: String
    private let expected: String
    private let detail: String

    /// - Parameters:
    ///   - line: from 1; 0 where the parser named none.
    ///   - detail: what the parser said.
    init(in bytes: [UInt8], line: Int, detail: String) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let text = line >= 1 && line <= lines.count ? String(decoding: lines[line - 1], as: UTF8.self) : ""
        let bare = Self.trimmed(text)
        found = bare.isEmpty ? "the end of the file" : TOMLNode.quoted(Self.shortened(bare))
        expected = Self.expectation(bare, detail)
        self.detail = detail
    }

    var description: String { "expected \(expected), found \(found) (\(detail))" }

    private static func expectation(_ line: String, _ detail: String) -> String {
        if detail.contains("redefine") { return "each key and each table once" }
        if line.hasPrefix("[") { return "a table's name in brackets such as [queue]" }
        guard let equals = line.firstIndex(of: "=") else {
            return "a key and its value such as lease = \"30s\""
        }
        let value = trimmed(String(line[line.index(after: equals)...]))
        if value.hasPrefix("\""), !value.dropFirst().contains("\"") { return "a quote at the string's end" }
        if value.hasPrefix("'"), !value.dropFirst().contains("'") { return "a quote at the string's end" }
        if value.hasPrefix("["), !value.contains("]") { return "a ] at the array's end" }
        return "a value such as \"30s\", 5, true or [\"a\", \"b\"] behind ="
    }

    private static func trimmed(_ text: String) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" || $0 == "\r\n" }
        return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }

    private static func shortened(_ text: String) -> String {
        text.count <= lineCharactersMax ? text : "\(text.prefix(lineCharactersMax))…"
    }
}
