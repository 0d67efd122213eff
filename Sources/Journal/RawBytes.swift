extension [UInt8] {
    /// A copy in one step; the standard library's goes byte by byte in a debug build.
    init(copying bytes: UnsafeRawBufferPointer) {
        self.init(unsafeUninitializedCapacity: bytes.count) { buffer, count in
            UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
            count = bytes.count
        }
    }
}

extension UnsafeRawBufferPointer {
    /// Preconditions: the bytes are there.
    @inline(__always)
    func loadLittle<Integer: FixedWidthInteger>(_: Integer.Type, at offset: Int) -> Integer {
        Integer(littleEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}
