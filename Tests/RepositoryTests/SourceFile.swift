/// A file with its lines as they are, and for Swift also without comments and string contents, so that a rule
/// does not find its words in prose.
struct SourceFile: Sendable {
    let path: String
    let lines: [String]
    /// As `lines`, comments removed and every string literal emptied.
    ///
    /// The lines themselves where it is not Swift.
    let code: [String]

    var isSwift: Bool { path.hasSuffix(".swift") }

    init(path: String, bytes: [UInt8]) {
        self.path = path
        lines = Self.split(bytes)
        code = path.hasSuffix(".swift") ? Self.split(CodeScanner.codeOnly(bytes)) : lines
    }

    /// A sample for a test of a rule.
    init(path: String = "Sources/Sample/Sample.swift", _ text: String) {
        self.init(path: path, bytes: Array(text.utf8))
    }

    /// The module that the file belongs to: "TaskModel" for Sources/TaskModel/…, "plugins" for those, nil
    /// for tests.
    var module: String? {
        let parts = path.split(separator: "/")
        if parts.first == "plugins" { return "plugins" }
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    private static func split(_ bytes: [UInt8]) -> [String] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { String(decoding: $0, as: UTF8.self) }
    }
}
