/// A string as it stands in the text, and what is known of it without decoding it.
struct JSONStringToken {
    /// The bytes between the quotes.
    let content: Range<Int>
    let hasEscapes: Bool
    /// True where every byte is ASCII; escapes may still stand for other characters.
    let isASCII: Bool
    let hasLoneSurrogate: Bool

    /// The string with its quotes.
    var range: Range<Int> { content.lowerBound - 1..<content.upperBound + 1 }
}

extension JSONScanner {
    /// Reads the string whose opening quote is at `position`.
    mutating func scanString() throws(JSONError) -> JSONStringToken {
        let start = position + 1
        var index = skipPlain(from: start)
        var hasEscapes = false
        var isASCII = true
        var hasLoneSurrogate = false
        while true {
            guard index < text.count else { throw JSONError(.unterminatedString, at: position) }
            let byte = text[index]
            if byte == UInt8(ascii: "\"") {
                break
            } else if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                let escape = try scanEscape(at: index, stringStart: position)
                index += escape.length
                if escape.isLoneSurrogate { hasLoneSurrogate = true }
            } else if byte < 0x20 {
                throw JSONError(.invalidControlCharacter, at: index)
            } else {
                isASCII = false
                let length = UTF8Check.sequenceLength(in: text, at: index)
                guard length > 0 else { throw JSONError(.notUTF8, at: index) }
                index += length
            }
            index = skipPlain(from: index)
        }
        if hasLoneSurrogate, firstLoneSurrogate == nil { firstLoneSurrogate = position }
        position = index + 1
        return JSONStringToken(
            content: start..<index, hasEscapes: hasEscapes, isASCII: isASCII,
            hasLoneSurrogate: hasLoneSurrogate)
    }

    /// The first index from `start` on whose byte is a quote, a backslash, a control character or not ASCII.
    ///
    /// Eight bytes at a time: a byte of the word is special if subtracting from it borrows, or its top bit
    /// is set.
    @inline(__always)
    private func skipPlain(from start: Int) -> Int {
        var index = start
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        while index &+ 8 <= text.count {
            let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let quote = word ^ 0x2222_2222_2222_2222
            let backslash = word ^ 0x5C5C_5C5C_5C5C_5C5C
            let special =
                (word | (word &- 0x2020_2020_2020_2020) | (quote &- ones) | (backslash &- ones)) & tops
            // A borrow can mark the byte above a special one as well, never one below: the lowest mark is
            // exact.
            guard special == 0 else { return index &+ special.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < text.count {
            let byte = text[index]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 || byte >= 0x80 { break }
            index &+= 1
        }
        return index
    }

    /// Checks the escape whose backslash is at `index`; a surrogate pair is one escape.
    private func scanEscape(
        at index: Int, stringStart: Int
    ) throws(JSONError) -> (length: Int, isLoneSurrogate: Bool) {
        guard index + 1 < text.count else { throw JSONError(.unterminatedString, at: stringStart) }
        switch text[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return (2, false)
        case UInt8(ascii: "u"):
            guard let unit = JSONEscapes.codeUnit(in: text, at: index + 2) else {
                throw JSONError(.invalidUnicodeEscape, at: index + 1)
            }
            guard UTF16.isSurrogate(unit) else { return (6, false) }
            guard JSONEscapes.isHigh(unit), JSONEscapes.lowSurrogate(in: text, at: index + 6) != nil else {
                return (6, true)
            }
            return (12, false)
        case _:
            throw JSONError(.invalidEscape, at: index)
        }
    }
}

/// The escapes of strings that a scanner has already found well-formed.
enum JSONEscapes {
    /// The four hexadecimal digits at `index`, if they are that.
    static func codeUnit(in text: UnsafeRawBufferPointer, at index: Int) -> UInt16? {
        // Python wants a fifth character behind the digits as well; without the closing quote there is no
        // string.
        guard index + 4 < text.count else { return nil }
        var value: UInt16 = 0
        for digitIndex in index..<index + 4 {
            guard let digit = hexadecimal(text[digitIndex]) else { return nil }
            value = value << 4 | digit
        }
        return value
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
        case _: nil
        }
    }

    static func isHigh(_ unit: UInt16) -> Bool { unit & 0xFC00 == 0xD800 }

    /// The low surrogate that the six bytes at `index` spell, if they spell one.
    static func lowSurrogate(in text: UnsafeRawBufferPointer, at index: Int) -> UInt16? {
        guard index + 6 < text.count, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u"),
            let unit = codeUnit(in: text, at: index + 2), unit & 0xFC00 == 0xDC00
        else { return nil }
        return unit
    }

    /// The string's characters as UTF-8.
    ///
    /// Lone surrogates are left out, or kept as their three generalised bytes where `keepsSurrogates` says
    /// so, which serves only to tell keys apart.
    static func decode(
        _ token: JSONStringToken, in text: UnsafeRawBufferPointer, keepsSurrogates: Bool = false
    ) -> [UInt8] {
        guard token.hasEscapes else { return [UInt8](text[token.content]) }
        var output: [UInt8] = []
        output.reserveCapacity(token.content.count)
        var index = token.content.lowerBound
        while index < token.content.upperBound {
            let byte = text[index]
            guard byte == UInt8(ascii: "\\") else {
                output.append(byte)
                index += 1
                continue
            }
            let kind = text[index + 1]
            guard kind == UInt8(ascii: "u") else {
                output.append(plainEscape(kind))
                index += 2
                continue
            }
            let unit = codeUnit(in: text, at: index + 2) ?? 0
            index += 6
            if !UTF16.isSurrogate(unit) {
                append(UInt32(unit), to: &output)
            } else if isHigh(unit), let low = lowSurrogate(in: text, at: index) {
                append(0x1_0000 + (UInt32(unit & 0x3FF) << 10 | UInt32(low & 0x3FF)), to: &output)
                index += 6
            } else if keepsSurrogates {
                append(UInt32(unit), to: &output)
            }
        }
        return output
    }

    private static func plainEscape(_ kind: UInt8) -> UInt8 {
        switch kind {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        case _: kind
        }
    }

    private static func append(_ scalar: UInt32, to output: inout [UInt8]) {
        if scalar < 0x80 {
            output.append(UInt8(scalar))
        } else if scalar < 0x800 {
            output.append(UInt8(0xC0 | scalar >> 6))
            output.append(UInt8(0x80 | scalar & 0x3F))
        } else if scalar < 0x1_0000 {
            output.append(UInt8(0xE0 | scalar >> 12))
            output.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            output.append(UInt8(0x80 | scalar & 0x3F))
        } else {
            output.append(UInt8(0xF0 | scalar >> 18))
            output.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            output.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            output.append(UInt8(0x80 | scalar & 0x3F))
        }
    }

    /// How many code points the string has, which is what Python calls its length.
    static func codePointCount(_ token: JSONStringToken, in text: UnsafeRawBufferPointer) -> Int {
        if !token.hasEscapes && token.isASCII { return token.content.count }
        // A lone surrogate is a code point to Python.
        return decode(token, in: text, keepsSurrogates: true).reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }
}
