import Glibc

/// Raw bytes being put together: a batch as it is staged, a block of a checkpoint as it is written.
///
/// Grows as needed, is emptied and used again, and so costs no allocation per record.
// Proof for Sendable: the only owner of its memory, and noncopyable, so that whoever holds it has it alone.
struct EncodingBuffer: ~Copyable, @unchecked Sendable {
    private var base: UnsafeMutableRawPointer
    private(set) var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit { base.deallocate() }

    /// Valid until the buffer is changed.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func removeAll() { count = 0 }

    /// Drops everything behind the first `count` bytes.
    mutating func truncate(to count: Int) {
        precondition(count <= self.count, "cannot truncate to more")
        self.count = count
    }

    /// Room for so many more bytes, and the place of the first of them.
    @inline(__always)
    private mutating func extend(by more: Int) -> UnsafeMutableRawPointer {
        if capacity - count < more { grow(by: more) }
        let place = base + count
        count += more
        return place
    }

    @inline(never)
    private mutating func grow(by more: Int) {
        capacity = max(count + more, capacity * 2)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: base, byteCount: count)
        base.deallocate()
        base = larger
    }

    mutating func putZeros(_ number: Int) {
        memset(extend(by: number), 0, number)
    }

    /// Little-endian.
    @inline(__always)
    mutating func put<Integer: FixedWidthInteger>(_ value: Integer) {
        extend(by: MemoryLayout<Integer>.size).storeBytes(of: value.littleEndian, as: Integer.self)
    }

    /// LEB128: seven bits a byte, low bits first; 1 to 10 bytes.
    @inline(__always)
    mutating func putVariable(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            put(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        put(UInt8(truncatingIfNeeded: rest))
    }

    mutating func putRaw(_ content: UnsafeRawBufferPointer) {
        guard let start = content.baseAddress, !content.isEmpty else { return }
        extend(by: content.count).copyMemory(from: start, byteCount: content.count)
    }

    mutating func putRaw(_ content: ArraySlice<UInt8>) {
        let place = extend(by: content.count)
        content.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            place.copyMemory(from: start, byteCount: source.count)
        }
    }

    mutating func putPrefixed(_ content: ArraySlice<UInt8>) {
        putVariable(UInt64(content.count))
        putRaw(content)
    }

    /// UTF-8 behind its length in bytes.
    mutating func putPrefixed(_ text: String) {
        var contiguous = text
        let length = contiguous.utf8.count
        putVariable(UInt64(length))
        guard length > 0 else { return }
        let place = extend(by: length)
        contiguous.withUTF8 { source in
            guard let start = source.baseAddress else { return }
            place.copyMemory(from: start, byteCount: length)
        }
    }

    mutating func overwrite<Integer: FixedWidthInteger>(_ value: Integer, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Integer>.size <= count, "overwrite past the end")
        (base + offset).storeBytes(of: value.littleEndian, as: Integer.self)
    }
}
