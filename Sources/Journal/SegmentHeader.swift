import BinaryCoding
import TaskModel

/// The first 64 bytes of a segment, written once when the segment is made (docs/journal-format.md, "Segment
/// header").
struct SegmentHeader: Hashable, Sendable {
    static let bytes = 64
    static let version: UInt32 = 1
    // "taskqseg"
    private static let magic: UInt64 = 0x6765_7371_6B73_6174

    let segment: UInt32
    let instance: JournalInstance
    /// Length that the file was made with, bytes.
    let madeBytes: Int

    func write(to buffer: inout EncodingBuffer) {
        let start = buffer.count
        buffer.put(Self.magic)
        buffer.put(Self.version)
        buffer.put(segment)
        buffer.put(instance.rawValue)
        buffer.put(UInt64(madeBytes))
        buffer.putZeros(28)
        let crc = Checksum.crc32c(UnsafeRawBufferPointer(rebasing: buffer.bytes[start...]))
        buffer.put(crc)
    }

    init(segment: UInt32, instance: JournalInstance, madeBytes: Int) {
        self.segment = segment
        self.instance = instance
        self.madeBytes = madeBytes
    }

    /// Nil unless these are 64 bytes with the magic and a true checksum.
    ///
    /// The version is told apart, so that a newer journal is refused by its name and not taken for damage.
    init?(_ bytes: UnsafeRawBufferPointer, version: inout UInt32) {
        guard bytes.count >= Self.bytes, bytes.loadLittle(UInt64.self, at: 0) == Self.magic else {
            return nil
        }
        guard
            bytes.loadLittle(UInt32.self, at: 60)
                == Checksum.crc32c(UnsafeRawBufferPointer(rebasing: bytes[..<60]))
        else { return nil }
        version = bytes.loadLittle(UInt32.self, at: 8)
        segment = bytes.loadLittle(UInt32.self, at: 12)
        instance = JournalInstance(rawValue: bytes.loadLittle(UInt64.self, at: 16))
        guard let made = Int(exactly: bytes.loadLittle(UInt64.self, at: 24)), made >= Self.bytes,
            made <= 1 << 32
        else {
            return nil
        }
        madeBytes = made
    }
}
