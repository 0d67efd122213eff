/// Constructs that are allowed where a comment says why, and notes to oneself that are not allowed at all.
enum ProofRules {
    /// `@unchecked Sendable` and `nonisolated(unsafe)` need a proof in a comment on the line above.
    static func unsafeConcurrency(_ file: SourceFile) -> [Violation] {
        guard file.isSwift else { return [] }
        return file.code.enumerated().compactMap { index, line in
            guard line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") else {
                return nil
            }
            if index > 0, isComment(file.lines[index - 1]) { return nil }
            let message = "unchecked sharing: prove it in a comment on the line above"
            return Violation(path: file.path, line: index + 1, message: message)
        }
    }

    /// `try?` drops an error: `// ignoring: why` on its line, or on the one above, says that this is meant.
    static func ignoredErrors(_ file: SourceFile) -> [Violation] {
        guard file.isSwift else { return [] }
        return file.code.enumerated().compactMap { index, line in
            let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "?") }
            guard words.contains("try?") else { return nil }
            if file.lines[max(0, index - 1)...index].contains(where: { $0.contains("// ignoring: ") }) {
                return nil
            }
            let message = "'try?' without '// ignoring: why' on the line: throw, or say why not"
            return Violation(path: file.path, line: index + 1, message: message)
        }
    }

    /// A value followed at once by an exclamation mark: a force unwrap or an implicitly unwrapped type.
    static func forceUnwraps(_ file: SourceFile) -> [Violation] {
        guard file.isSwift else { return [] }
        return file.code.enumerated().compactMap { index, line in
            guard hasForceUnwrap(Array(line.utf8)) else { return nil }
            let message = "force unwrap: guard, throw, or precondition with a sentence"
            return Violation(path: file.path, line: index + 1, message: message)
        }
    }

    /// What is left to do stands in an issue or in a decision, whose number the note then carries:
    /// TODO(0007).
    static func openNotes(_ file: SourceFile) -> [Violation] {
        file.lines.enumerated().compactMap { index, line in
            guard let comment = commentText(line, isSwift: file.isSwift) else { return nil }
            let message: String
            if comment.contains("FIXME") {
                message = "FIXME: fix it, or open an issue"
            } else if comment.contains("TODO"), !hasDecisionNumber(comment) {
                message = "TODO without the number of a decision: TODO(0007)"
            } else if file.isSwift, comment.contains("MARK:") {
                message = "MARK: split the file by topic instead"
            } else {
                return nil
            }
            return Violation(path: file.path, line: index + 1, message: message)
        }
    }

    private static func isComment(_ line: String) -> Bool {
        line.drop { $0 == " " }.hasPrefix("//")
    }

    private static func commentText(_ line: String, isSwift: Bool) -> Substring? {
        let bytes = Array(line.utf8)
        let marks = isSwift ? ["//"] : ["//", "#", "/*", " * "]
        let starts = marks.compactMap { bytes.firstRange(of: Array($0.utf8))?.upperBound }
        guard let start = starts.min() else { return nil }
        // A string literal may hold the mark: a quote before it makes this no comment.
        if bytes[..<start].contains(UInt8(ascii: "\"")) { return nil }
        return Substring(decoding: bytes[start...], as: UTF8.self)
    }

    private static func hasDecisionNumber(_ comment: Substring) -> Bool {
        let bytes = Array(comment.utf8)
        return bytes.ranges(of: Array("TODO".utf8)).allSatisfy { range in
            let tail = bytes[range.upperBound...].prefix(6)
            let digits = tail.dropFirst().prefix(4)
            return tail.first == UInt8(ascii: "(") && tail.last == UInt8(ascii: ")") && tail.count == 6
                && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        }
    }

    private static func hasForceUnwrap(_ line: [UInt8]) -> Bool {
        for index in line.indices.dropFirst() where line[index] == UInt8(ascii: "!") {
            let next = index + 1 < line.count ? line[index + 1] : UInt8(ascii: " ")
            if next == UInt8(ascii: "=") { continue }
            let before = Character(UnicodeScalar(line[index - 1]))
            if before.isLetter || before.isNumber || before == "_" || before == ")" || before == "]" {
                return true
            }
        }
        return false
    }
}
