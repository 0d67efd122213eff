import CChecksum
import TaskModel

/// CRC-32C, the only checksum of the journal's files.
enum Checksum {
    static func crc32c(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        taskq_crc32c(seed, bytes.baseAddress, bytes.count)
    }

    /// Goes on from `checksum` with the four bytes of `value`.
    static func chained(_ checksum: UInt32, _ value: UInt32) -> UInt32 {
        withUnsafeBytes(of: value.littleEndian) { crc32c($0, seed: checksum) }
    }

    static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        taskq_zero_prefix(bytes.baseAddress, bytes.count) == bytes.count
    }

    static func zeroPrefix(_ bytes: UnsafeRawBufferPointer) -> Int {
        taskq_zero_prefix(bytes.baseAddress, bytes.count)
    }

    static func zeroSuffix(_ bytes: UnsafeRawBufferPointer) -> Int {
        taskq_zero_suffix(bytes.baseAddress, bytes.count)
    }

    /// Where a little-endian integer first stands at or after `offset`, at any alignment; nil if nowhere.
    static func find(_ value: UInt32, in bytes: UnsafeRawBufferPointer, from offset: Int) -> Int? {
        guard offset < bytes.count else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
        let found = withUnsafeBytes(of: value.littleEndian) { wanted in
            taskq_find(rest.baseAddress, rest.count, wanted.baseAddress, wanted.count)
        }
        return found < rest.count ? offset + found : nil
    }
}

/// What the checksums in a segment begin with: they hold in this segment of this journal at this offset,
/// nowhere else.
struct SegmentSeed: Hashable, Sendable {
    private let seed: UInt32

    init(instance: JournalInstance, segment: UInt32) {
        let low = Checksum.chained(
            Checksum.chained(0, 0x7161_736B), UInt32(truncatingIfNeeded: instance.rawValue))
        let high = Checksum.chained(low, UInt32(truncatingIfNeeded: instance.rawValue >> 32))
        seed = Checksum.chained(high, segment)
    }

    func batch(at offset: Int) -> UInt32 { ~seed ^ UInt32(truncatingIfNeeded: offset) }
    func record(at offset: Int) -> UInt32 { seed ^ UInt32(truncatingIfNeeded: offset) }
}
