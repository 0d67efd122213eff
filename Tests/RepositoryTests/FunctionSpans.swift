/// Finds functions, initialisers and subscripts by their keyword and matching braces.
enum FunctionSpans {
    private static let keywords = ["func", "init", "deinit", "subscript"]

    /// Line ranges from 0, from the keyword's line to the closing brace's, of `code` without comments and
    /// strings.
    static func spans(in code: [String]) -> [ClosedRange<Int>] {
        let bytes = code.map { Array($0.utf8) }
        var spans: [ClosedRange<Int>] = []
        for (line, content) in bytes.enumerated() {
            guard let column = declaration(in: content) else { continue }
            if let end = closingLine(of: bytes, from: line, column: column) { spans.append(line...end) }
        }
        return spans
    }

    /// Column behind the keyword where one begins a declaration here.
    private static func declaration(in line: [UInt8]) -> Int? {
        for keyword in keywords {
            let pattern = Array(keyword.utf8)
            for range in line.ranges(of: pattern) {
                let before = range.lowerBound == 0 ? UInt8(ascii: " ") : line[range.lowerBound - 1]
                let after = range.upperBound < line.count ? line[range.upperBound] : UInt8(ascii: " ")
                let isWhole = before == UInt8(ascii: " ") && !isWordByte(after) && after != UInt8(ascii: ":")
                if isWhole { return range.upperBound }
            }
        }
        return nil
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        case _:
            false
        }
    }

    /// nil for a requirement of a protocol, which has no body: its protocol's brace closes first.
    private static func closingLine(of lines: [[UInt8]], from start: Int, column: Int) -> Int? {
        var braces = 0
        var parentheses = 0
        for line in start..<lines.count {
            for byte in lines[line].dropFirst(line == start ? column : 0) {
                switch byte {
                case UInt8(ascii: "("): parentheses += 1
                case UInt8(ascii: ")"): parentheses -= 1
                case UInt8(ascii: "{") where braces > 0 || parentheses == 0: braces += 1
                case UInt8(ascii: "}") where braces == 0 && parentheses == 0: return nil
                case UInt8(ascii: "}") where braces > 0:
                    braces -= 1
                    if braces == 0 { return line }
                case _: continue
                }
            }
        }
        return nil
    }
}
