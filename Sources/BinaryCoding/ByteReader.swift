/// Reads what ``ByteWriter`` wrote.
///
/// Total: any byte string gives values or a ``DecodingFailure``, never a trap.
package struct ByteReader: Sendable {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.position = bytes.startIndex
    }

    package init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    package var remaining: Int { bytes.endIndex - position }
    package var isAtEnd: Bool { position == bytes.endIndex }
    /// Bytes consumed so far.
    package var consumed: Int { position - bytes.startIndex }

    // One method a width and no generic one: other modules would call that one through its metadata.
    package mutating func read(_: UInt8.Type = UInt8.self) throws(DecodingFailure) -> UInt8 { try load() }
    package mutating func read(_: UInt16.Type = UInt16.self) throws(DecodingFailure) -> UInt16 { try load() }
    package mutating func read(_: UInt32.Type = UInt32.self) throws(DecodingFailure) -> UInt32 { try load() }
    package mutating func read(_: UInt64.Type = UInt64.self) throws(DecodingFailure) -> UInt64 { try load() }
    package mutating func read(_: Int32.Type = Int32.self) throws(DecodingFailure) -> Int32 { try load() }

    @inline(__always)
    private mutating func load<Integer: FixedWidthInteger>(
        _: Integer.Type = Integer.self
    ) throws(DecodingFailure) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard remaining >= size else { throw .truncated }
        var value: Integer = 0
        let start = position - bytes.startIndex
        bytes.withUnsafeBytes { source in
            value = source.loadUnaligned(fromByteOffset: start, as: Integer.self)
        }
        position += size
        return Integer(littleEndian: value)
    }

    package mutating func readVariable() throws(DecodingFailure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte: UInt8 = try read()
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || (shift == 63 && bits <= 1) else {
                throw .malformed("variable-length integer over 64 bits")
            }
            value |= bits << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }

    package mutating func readRaw(_ count: Int) throws(DecodingFailure) -> ArraySlice<UInt8> {
        guard count >= 0, remaining >= count else { throw .truncated }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Bytes behind a variable-length count of at most `maximum`.
    package mutating func readPrefixed(maximum: Int = Int.max) throws(DecodingFailure) -> ArraySlice<UInt8> {
        let count = try readVariable()
        guard count <= UInt64(clamping: maximum) else { throw .malformed("byte string over its limit") }
        guard count <= UInt64(clamping: remaining) else { throw .truncated }
        return try readRaw(Int(count))
    }

    /// UTF-8 text behind a variable-length count of at most `maximum` bytes.
    package mutating func readText(maximum: Int = Int.max) throws(DecodingFailure) -> String {
        let content = try readPrefixed(maximum: maximum)
        guard let text = String(validating: content, as: UTF8.self) else {
            throw .malformed("text is not UTF-8")
        }
        return text
    }

    package mutating func readRest() -> ArraySlice<UInt8> {
        defer { position = bytes.endIndex }
        return bytes[position...]
    }

    /// Fails unless every byte was consumed.
    package func expectEnd() throws(DecodingFailure) {
        guard isAtEnd else { throw .malformed("\(remaining) bytes left over") }
    }
}

/// Why a byte string could not be read.
package enum DecodingFailure: Error, Equatable, Sendable {
    /// The bytes end before the value does.
    case truncated
    /// The bytes break a rule of their format; the text says which.
    case malformed(String)
    /// A type or version this build does not know.
    case unknown(kind: String, value: UInt64)
}
