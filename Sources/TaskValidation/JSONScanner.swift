/// Reads one JSON text strictly by RFC 8259: UTF-8 without a byte order mark, no extension, no duplicate
/// keys.
///
/// The grammar exists once, here. What is done with the tokens is the visitor's business:
/// ``JSONSyntaxCheck`` drops them, ``JSONTreeBuilder`` keeps them. A scanner lives no longer than the
/// buffer that it was given.
struct JSONScanner {
    /// Arrays and objects that may be open at once.
    static let depthMax = 64

    let text: UnsafeRawBufferPointer
    var position = 0
    /// Where the first string with a lone surrogate begins; the grammar allows it, no caller stores it.
    var firstLoneSurrogate: Int?
    /// True once white space was seen, wherever the grammar allows it.
    private(set) var hasWhitespace = false
    private var depth = 0
    private let depthMax: Int
    /// The keys of every object that is open now, outermost first.
    private var openKeys: [JSONKey] = []

    init(_ text: UnsafeRawBufferPointer, depthMax: Int = JSONScanner.depthMax) {
        self.text = text
        self.depthMax = depthMax
    }

    /// The whole text: one value with white space around it.
    mutating func scanText(into visitor: inout some JSONVisitor) throws(JSONError) {
        do throws(JSONError) {
            skipWhitespace()
            try scanValue(into: &visitor)
            skipWhitespace()
            guard position == text.count else { throw JSONError(.extraData, at: position) }
        } catch {
            // Python decodes the bytes before it parses the text, so what is not UTF-8 anywhere comes first.
            if let offset = UTF8Check.firstInvalid(in: text) { throw JSONError(.notUTF8, at: offset) }
            throw error
        }
    }

    @inline(__always)
    mutating func skipWhitespace() {
        guard position < text.count, Self.isWhitespace(text[position]) else { return }
        hasWhitespace = true
        repeat { position += 1 } while position < text.count && Self.isWhitespace(text[position])
    }

    static func isWhitespace(_ byte: UInt8) -> Bool {
        // Nearly every byte asked about here is a token's first, and above all four.
        byte <= 0x20 && (byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09)
    }

    mutating func scanValue(into visitor: inout some JSONVisitor) throws(JSONError) {
        guard position < text.count else { throw JSONError(.expectingValue, at: position) }
        switch text[position] {
        case UInt8(ascii: "\""): visitor.visit(string: try scanString())
        case UInt8(ascii: "{"): try scanObject(into: &visitor)
        case UInt8(ascii: "["): try scanArray(into: &visitor)
        case UInt8(ascii: "t"): visitor.visit(literal: .true, range: try scanWord("true"))
        case UInt8(ascii: "f"): visitor.visit(literal: .false, range: try scanWord("false"))
        case UInt8(ascii: "n"): visitor.visit(literal: .null, range: try scanWord("null"))
        case _: visitor.visit(number: try scanNumber())
        }
    }

    private mutating func scanWord(_ word: StaticString) throws(JSONError) -> Range<Int> {
        let start = position
        let length = word.utf8CodeUnitCount
        guard text.count - start >= length else { throw JSONError(.expectingValue, at: start) }
        for index in 0..<length where text[start + index] != word.utf8Start[index] {
            throw JSONError(.expectingValue, at: start)
        }
        position += length
        return start..<position
    }

    private mutating func scanObject(into visitor: inout some JSONVisitor) throws(JSONError) {
        let start = position
        try open()
        visitor.beginObject()
        let firstKey = openKeys.count
        if openKeys.capacity == 0 { openKeys.reserveCapacity(8) }
        skipWhitespace()
        if !consume(UInt8(ascii: "}")) {
            repeat {
                skipWhitespace()
                guard position < text.count, text[position] == UInt8(ascii: "\"") else {
                    throw JSONError(.expectingPropertyName, at: position)
                }
                let key = try scanString()
                openKeys.append(JSONKey(key, in: text))
                visitor.visit(key: key)
                skipWhitespace()
                guard consume(UInt8(ascii: ":")) else { throw JSONError(.expectingColon, at: position) }
                skipWhitespace()
                try scanValue(into: &visitor)
                skipWhitespace()
            } while consume(UInt8(ascii: ","))
            guard consume(UInt8(ascii: "}")) else { throw JSONError(.expectingComma, at: position) }
        }
        if openKeys.count - firstKey > 1, let offset = JSONKey.firstRepeated(openKeys[firstKey...], in: text)
        {
            throw JSONError(.duplicateKey, at: offset)
        }
        openKeys.removeSubrange(firstKey...)
        depth -= 1
        visitor.endObject(range: start..<position)
    }

    private mutating func scanArray(into visitor: inout some JSONVisitor) throws(JSONError) {
        let start = position
        try open()
        visitor.beginArray()
        skipWhitespace()
        if !consume(UInt8(ascii: "]")) {
            repeat {
                skipWhitespace()
                try scanValue(into: &visitor)
                skipWhitespace()
            } while consume(UInt8(ascii: ","))
            guard consume(UInt8(ascii: "]")) else { throw JSONError(.expectingComma, at: position) }
        }
        depth -= 1
        visitor.endArray(range: start..<position)
    }

    private mutating func open() throws(JSONError) {
        guard depth < depthMax else { throw JSONError(.tooDeep, at: position) }
        depth += 1
        position += 1
    }

    @inline(__always)
    mutating func consume(_ byte: UInt8) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position += 1
        return true
    }

    /// Takes the longest number that begins here, as Python does: of `01` it is `0`, and the rest is extra
    /// data.
    mutating func scanNumber() throws(JSONError) -> Range<Int> {
        let start = position
        var end = start
        if byte(at: end) == UInt8(ascii: "-") { end += 1 }
        guard let first = byte(at: end), Self.isDigit(first) else {
            throw JSONError(.expectingValue, at: start)
        }
        end += 1
        if first != UInt8(ascii: "0") { end = skipDigits(from: end) }
        if byte(at: end) == UInt8(ascii: "."), let digit = byte(at: end + 1), Self.isDigit(digit) {
            end = skipDigits(from: end + 2)
        }
        if let letter = byte(at: end), letter | 0x20 == UInt8(ascii: "e") {
            var exponent = end + 1
            if let sign = byte(at: exponent), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                exponent += 1
            }
            let last = skipDigits(from: exponent)
            if last > exponent { end = last }
        }
        position = end
        return start..<end
    }

    @inline(__always)
    private func byte(at index: Int) -> UInt8? {
        index < text.count ? text[index] : nil
    }

    private func skipDigits(from start: Int) -> Int {
        var index = start
        while let digit = byte(at: index), Self.isDigit(digit) { index += 1 }
        return index
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }
}

/// What a scanner reports, in the order of the text.
///
/// Ranges are byte offsets in the text.
protocol JSONVisitor {
    mutating func visit(string: JSONStringToken)
    mutating func visit(number range: Range<Int>)
    mutating func visit(literal: JSONLiteral, range: Range<Int>)
    mutating func beginObject()
    mutating func visit(key: JSONStringToken)
    mutating func endObject(range: Range<Int>)
    mutating func beginArray()
    mutating func endArray(range: Range<Int>)
}

enum JSONLiteral {
    case `true`
    case `false`
    case null
}

/// Visits nothing: for callers that only ask whether the text is good.
struct JSONSyntaxCheck: JSONVisitor {
    mutating func visit(string: JSONStringToken) {}
    mutating func visit(number range: Range<Int>) {}
    mutating func visit(literal: JSONLiteral, range: Range<Int>) {}
    mutating func beginObject() {}
    mutating func visit(key: JSONStringToken) {}
    mutating func endObject(range: Range<Int>) {}
    mutating func beginArray() {}
    mutating func endArray(range: Range<Int>) {}
}
