/// UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
enum UTF8Check {
    /// Bytes of the well-formed sequence at `index`, which is not ASCII; 0 if there is none.
    @inline(__always)
    static func sequenceLength(in text: UnsafeRawBufferPointer, at index: Int) -> Int {
        let rest = text.count - index
        switch text[index] {
        case 0xC2...0xDF:
            return rest >= 2 && isContinuation(text[index + 1]) ? 2 : 0
        case 0xE0...0xEF:
            guard rest >= 3, isContinuation(text[index + 2]) else { return 0 }
            return secondBytes(after: text[index]).contains(text[index + 1]) ? 3 : 0
        case 0xF0...0xF4:
            guard rest >= 4, isContinuation(text[index + 2]), isContinuation(text[index + 3]) else {
                return 0
            }
            return secondBytes(after: text[index]).contains(text[index + 1]) ? 4 : 0
        case _:
            return 0
        }
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// What may follow a first byte of three- and four-byte sequences.
    private static func secondBytes(after first: UInt8) -> ClosedRange<UInt8> {
        switch first {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        case _: 0x80...0xBF
        }
    }

    /// Where the text stops being UTF-8 without a byte order mark; nil if it never does.
    ///
    /// UTF-16 and UTF-32 of a JSON text show themselves by a NUL among their first bytes, as RFC 4627 says.
    static func firstInvalid(in text: UnsafeRawBufferPointer) -> Int? {
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { return 0 }
        if text.count >= 2, text[0] == 0 || text[1] == 0 { return 0 }
        var index = 0
        while index < text.count {
            if text[index] < 0x80 {
                index += 1
                continue
            }
            let length = sequenceLength(in: text, at: index)
            guard length > 0 else { return index }
            index += length
        }
        return nil
    }
}
