import BinaryCoding

/// Reads the body of one record where it lies, without copying it.
///
/// Total: any bytes give values or a ``DecodingFailure``. Byte strings come out as slices of `owner`, the
/// array whose storage `bytes` points into, so that they cost no allocation.
struct BodyReader {
    private let bytes: UnsafeRawBufferPointer
    private let owner: [UInt8]
    /// Where in `owner` the body begins.
    private let ownerOffset: Int
    private var position = 0

    /// `bytes` must be `owner`'s storage from `ownerOffset` on, and is valid only as long as that is
    /// borrowed.
    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer, in owner: [UInt8], at ownerOffset: Int) {
        self.bytes = bytes
        self.owner = owner
        self.ownerOffset = ownerOffset
    }

    var remaining: Int { bytes.count - position }

    @inline(__always)
    mutating func read<Integer: FixedWidthInteger>(
        _: Integer.Type = Integer.self
    ) throws(DecodingFailure) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard bytes.count - position >= size else { throw .truncated }
        defer { position += size }
        return Integer(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Integer.self))
    }

    @inline(__always)
    mutating func readVariable() throws(DecodingFailure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            guard position < bytes.count else { throw .truncated }
            let byte = bytes[position]
            position += 1
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || (shift == 63 && bits <= 1) else {
                throw .malformed("variable-length integer over 64 bits")
            }
            value |= bits << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
    }

    /// A variable-length integer that fits a narrower type.
    @inline(__always)
    mutating func readVariable<Integer: FixedWidthInteger>(
        as _: Integer.Type
    ) throws(DecodingFailure) -> Integer {
        guard let value = Integer(exactly: try readVariable()) else { throw .malformed("integer too large") }
        return value
    }

    /// Skips `count` bytes and gives their range in `owner`.
    @inline(__always)
    private mutating func take(_ count: UInt64) throws(DecodingFailure) -> Range<Int> {
        guard count <= UInt64(bytes.count - position) else { throw .truncated }
        let start = ownerOffset + position
        position += Int(count)
        return start..<start + Int(count)
    }

    mutating func readPrefixed() throws(DecodingFailure) -> ArraySlice<UInt8> {
        owner[try take(try readVariable())]
    }

    mutating func skipPrefixed() throws(DecodingFailure) {
        _ = try take(try readVariable())
    }

    mutating func readText() throws(DecodingFailure) -> String {
        let range = try take(try readVariable())
        if range.isEmpty { return "" }
        guard let text = String(validating: owner[range], as: UTF8.self) else {
            throw .malformed("text is not UTF-8")
        }
        return text
    }

    mutating func readRest() -> ArraySlice<UInt8> {
        let start = ownerOffset + position
        position = bytes.count
        return owner[start..<ownerOffset + bytes.count]
    }

    func expectEnd() throws(DecodingFailure) {
        guard position == bytes.count else { throw .malformed("\(bytes.count - position) bytes left over") }
    }
}
