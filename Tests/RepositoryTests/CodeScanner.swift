/// Reads Swift just well enough to tell code from comments and strings: nested comments, raw and multi-line
/// strings, and code inside interpolations.
///
/// Regular expression literals are not known; the tree has none.
struct CodeScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var code: [UInt8] = []

    /// The same number of lines, with comments gone and literals empty.
    static func codeOnly(_ bytes: [UInt8]) -> [UInt8] {
        var scanner = CodeScanner(bytes: bytes)
        scanner.scanCode(untilParenthesis: false)
        return scanner.code
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        code.reserveCapacity(bytes.count)
    }

    private func starts(with text: StaticString, at offset: Int = 0) -> Bool {
        text.withUTF8Buffer { bytes[min(position + offset, bytes.count)...].starts(with: $0) }
    }

    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "/"), starts(with: "//") {
                skipLineComment()
            } else if byte == UInt8(ascii: "/"), starts(with: "/*") {
                skipBlockComment()
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "#"),
                let hashes = hashesBeforeQuote()
            {
                scanString(hashes: hashes)
            } else {
                if byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: ")") {
                    if untilParenthesis, depth == 0 { return }
                    depth -= 1
                }
                code.append(byte)
                position += 1
            }
        }
    }

    private mutating func skipLineComment() {
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
    }

    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") {
                depth += 1
                position += 2
            } else if starts(with: "*/") {
                depth -= 1
                position += 2
            } else {
                keepLineFeed()
            }
        } while depth > 0 && position < bytes.count
    }

    /// Number of # before a quote here, nil where no string begins.
    private func hashesBeforeQuote() -> Int? {
        var hashes = 0
        while position + hashes < bytes.count, bytes[position + hashes] == UInt8(ascii: "#") { hashes += 1 }
        return starts(with: "\"", at: hashes) ? hashes : nil
    }

    private mutating func scanString(hashes: Int) {
        position += hashes
        let isMultiline = starts(with: "\"\"\"")
        let quotes = isMultiline ? 3 : 1
        position += quotes
        code.append(UInt8(ascii: "\""))
        while position < bytes.count {
            if starts(with: "\\"), hasHashes(hashes, at: 1) {
                position += 1 + hashes
                scanEscape()
            } else if isClosing(quotes: quotes, hashes: hashes) {
                position += quotes + hashes
                break
            } else {
                keepLineFeed()
            }
        }
        code.append(UInt8(ascii: "\""))
    }

    /// After the backslash: an interpolation is code, anything else is one byte of the string.
    private mutating func scanEscape() {
        guard starts(with: "(") else { return keepLineFeed() }
        position += 1
        code.append(UInt8(ascii: "("))
        scanCode(untilParenthesis: true)
        code.append(UInt8(ascii: ")"))
        position += 1
    }

    private func isClosing(quotes: Int, hashes: Int) -> Bool {
        let isQuoted = quotes == 3 ? starts(with: "\"\"\"") : starts(with: "\"")
        return isQuoted && hasHashes(hashes, at: quotes)
    }

    private func hasHashes(_ count: Int, at offset: Int) -> Bool {
        (0..<count).allSatisfy { starts(with: "#", at: offset + $0) }
    }

    private mutating func keepLineFeed() {
        if position < bytes.count, bytes[position] == UInt8(ascii: "\n") { code.append(bytes[position]) }
        position += 1
    }
}
