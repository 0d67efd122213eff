/// How long a file, a function and a line may be.
enum SizeRules {
    static let fileLinesMax = 500
    static let functionLinesMax = 70
    static let lineCharactersMax = 110
    static let fileBytesMax = 1 << 20

    static func fileLength(_ file: SourceFile) -> [Violation] {
        guard file.lines.count > fileLinesMax else { return [] }
        let message = "\(file.lines.count) lines, at most \(fileLinesMax): split it by topic"
        return [Violation(path: file.path, line: 0, message: message)]
    }

    static func lineLength(_ file: SourceFile) -> [Violation] {
        file.lines.enumerated().compactMap { index, line in
            guard line.utf8.count > lineCharactersMax, line.count > lineCharactersMax else { return nil }
            let message = "\(line.count) characters, at most \(lineCharactersMax)"
            return Violation(path: file.path, line: index + 1, message: message)
        }
    }

    /// Counted from the line of the keyword to the line of the closing brace.
    static func functionLength(_ file: SourceFile) -> [Violation] {
        guard file.isSwift else { return [] }
        return FunctionSpans.spans(in: file.code).compactMap { span in
            guard span.count > functionLinesMax else { return nil }
            let message = "function of \(span.count) lines, at most \(functionLinesMax)"
            return Violation(path: file.path, line: span.lowerBound + 1, message: message)
        }
    }

    static func fileSize(path: String, bytes: Int) -> [Violation] {
        guard bytes > fileBytesMax else { return [] }
        return [Violation(path: path, line: 0, message: "\(bytes) bytes, at most \(fileBytesMax)")]
    }
}
