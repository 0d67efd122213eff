/// Takes the white space between a JSON text's tokens away and changes nothing else.
package enum JSONCompaction {
    /// Appends the compact form of `text` to `output`.
    ///
    /// Fails, with `output` as it was, where the text is not strict JSON or has a lone surrogate.
    package static func compact(
        _ text: UnsafeRawBufferPointer, appendingTo output: inout [UInt8]
    ) throws(JSONError) {
        var scanner = JSONScanner(text)
        var check = JSONSyntaxCheck()
        try scanner.scanText(into: &check)
        if let offset = scanner.firstLoneSurrogate { throw JSONError(.loneSurrogate, at: offset) }
        if scanner.hasWhitespace {
            copyTokens(text, to: &output)
        } else {
            output.append(contentsOf: text)
        }
    }

    package static func compact(_ bytes: [UInt8]) throws(JSONError) -> [UInt8] {
        var output: [UInt8] = []
        try bytes.withText { (text) throws(JSONError) in try compact(text, appendingTo: &output) }
        return output
    }

    /// Copies whole runs between white space; the text is known to be good.
    private static func copyTokens(_ text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + text.count)
        var runStart = 0
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                index = endOfString(text, from: index + 1)
            } else if JSONScanner.isWhitespace(byte) {
                output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[runStart..<index]))
                repeat { index += 1 } while index < text.count && JSONScanner.isWhitespace(text[index])
                runStart = index
            } else {
                index += 1
            }
        }
        output.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[runStart..<index]))
    }

    /// The index after the closing quote.
    private static func endOfString(_ text: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            index += text[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return index + 1
    }
}
