/// A task's identity: a UUID of version 7 (RFC 9562), minted by the front door when the task is received.
package struct TaskID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    /// Takes the 128 bits as they are, without a look at version and variant.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Builds a version 7 UUID from a wall time in milliseconds and 74 random bits (the rest of `random` is
    /// unused).
    package init(unixMilliseconds: UInt64, random: (UInt64, UInt64)) {
        high = (unixMilliseconds << 16) | 0x7000 | (random.0 & 0x0FFF)
        low = 0x8000_0000_0000_0000 | (random.1 & 0x3FFF_FFFF_FFFF_FFFF)
    }

    /// The wall time in the id, milliseconds since 1970.
    package var unixMilliseconds: UInt64 { high >> 16 }
}

extension TaskID: CustomStringConvertible {
    /// 36 characters, lower case: `0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10`.
    package var description: String {
        String(unsafeUninitializedCapacity: Self.textBytes) { write(to: UnsafeMutableRawBufferPointer($0)) }
    }

    /// The text form as 36 ASCII bytes.
    package var asciiBytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Self.textBytes) { buffer, count in
            count = write(to: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Bytes of the text form.
    package static let textBytes = 36

    /// Writes the text form, which has to find ``textBytes`` of room, and says so many.
    package func write(to buffer: UnsafeMutableRawBufferPointer) -> Int {
        precondition(buffer.count >= Self.textBytes, "no room for the text of a task id")
        var position = 0
        for digit in 0..<32 {
            if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
                buffer[position] = UInt8(ascii: "-")
                position += 1
            }
            let word = digit < 16 ? high : low
            let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (digit & 15))) & 15
            buffer[position] = value &+ (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") &- 10)
            position += 1
        }
        return position
    }

    /// Reads the 36-character form, upper or lower case; nil for anything else.
    package init?(_ text: String) { self.init(ascii: text.utf8) }
    /// As ``init(_:)-String`` for a part of a text.
    package init?(_ text: Substring) { self.init(ascii: text.utf8) }

    // Private and so specialised: other modules would call a generic initialiser through its metadata.
    private init?(ascii bytes: some Sequence<UInt8>) {
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        var position = 0
        for byte in bytes {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard digits < 32, let value = Self.hexValue(byte) else { return nil }
                if digits < 16 { words.0 = words.0 << 4 | value } else { words.1 = words.1 << 4 | value }
                digits += 1
            }
            position += 1
        }
        guard position == 36, digits == 32 else { return nil }
        self.init(high: words.0, low: words.1)
    }

    private static func hexValue(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        case _: nil
        }
    }
}

extension TaskID: Comparable {
    package static func < (left: TaskID, right: TaskID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
