/// Appends little-endian integers and length-prefixed byte strings to a growing buffer.
///
/// The journal's records and the wire's messages are both written with it; its counterpart is ``ByteReader``.
package struct ByteWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init(reservingCapacity capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    package var count: Int { bytes.count }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Drops everything written after the first `count` bytes.
    package mutating func truncate(to count: Int) {
        bytes.removeLast(bytes.count - count)
    }

    // One method a width and no generic one, as in ``ByteReader``.
    package mutating func write(_ value: UInt8) { bytes.append(value) }
    package mutating func write(_ value: UInt16) { store(value) }
    package mutating func write(_ value: UInt32) { store(value) }
    package mutating func write(_ value: UInt64) { store(value) }
    package mutating func write(_ value: Int32) { store(value) }

    @inline(__always)
    private mutating func store<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// LEB128: seven bits a byte, low bits first; 1 to 10 bytes.
    package mutating func writeVariable(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func writeRaw(_ content: ArraySlice<UInt8>) {
        bytes.append(contentsOf: content)
    }

    package mutating func writeRaw(_ content: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: content)
    }

    /// A variable-length count, then the bytes.
    package mutating func writePrefixed(_ content: ArraySlice<UInt8>) {
        writeVariable(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    /// A variable-length count of UTF-8 bytes, then the bytes.
    package mutating func writePrefixed(_ text: String) {
        writeVariable(UInt64(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// Overwrites bytes written before, for lengths and checksums known only at the end.
    package mutating func overwrite(_ value: UInt32, at offset: Int) {
        precondition(
            offset >= 0 && offset + 4 <= bytes.count, "overwrite past the end")
        withUnsafeBytes(of: value.littleEndian) { source in
            for index in source.indices { bytes[offset + index] = source[index] }
        }
    }
}
