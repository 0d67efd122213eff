import TaskModel

/// What a checkpoint is a checkpoint of: everything up to one LSN (docs/journal-format.md, "Checkpoint").
struct CheckpointHeader: Hashable, Sendable {
    static let bytes = 80
    static let version: UInt32 = 1
    // "taskqcpt"
    private static let magic: UInt64 = 0x7470_6371_6B73_6174

    let instance: JournalInstance
    let covered: LogSequenceNumber
    let ordinal: UInt32
    let clocks: BatchClocks
    /// Where the first batch not covered begins, or will begin.
    let segment: UInt32
    let offset: Int

    var name: CheckpointName { CheckpointName(covered: covered, ordinal: ordinal) }

    /// What the checksums of the blocks begin with, with a block's number added.
    var seed: UInt32 {
        var seed: UInt32 = 0xC4EC_4901
        for word in [instance.rawValue, covered.rawValue, UInt64(ordinal)] {
            seed = Checksum.chained(seed, UInt32(truncatingIfNeeded: word))
            seed = Checksum.chained(seed, UInt32(truncatingIfNeeded: word >> 32))
        }
        return seed
    }

    func write(to buffer: inout EncodingBuffer) {
        let start = buffer.count
        buffer.put(Self.magic)
        buffer.put(Self.version)
        buffer.put(ordinal)
        buffer.put(instance.rawValue)
        buffer.put(covered.rawValue)
        buffer.put(clocks.journal.rawValue)
        buffer.put(clocks.raw.boottimeMilliseconds)
        buffer.put(clocks.raw.wallMilliseconds)
        buffer.put(clocks.raw.bootID)
        buffer.put(segment)
        buffer.put(UInt32(truncatingIfNeeded: offset))
        buffer.put(UInt32(0))
        buffer.put(Checksum.crc32c(UnsafeRawBufferPointer(rebasing: buffer.bytes[start...])))
    }

    init(
        instance: JournalInstance, covered: LogSequenceNumber, ordinal: UInt32, clocks: BatchClocks,
        segment: UInt32,
        offset: Int
    ) {
        self.instance = instance
        self.covered = covered
        self.ordinal = ordinal
        self.clocks = clocks
        self.segment = segment
        self.offset = offset
    }

    /// Nil unless these are 80 bytes with the magic and a true checksum.
    init?(_ bytes: UnsafeRawBufferPointer, version: inout UInt32) {
        guard bytes.count >= Self.bytes, bytes.loadLittle(UInt64.self, at: 0) == Self.magic else {
            return nil
        }
        guard
            bytes.loadLittle(UInt32.self, at: 76)
                == Checksum.crc32c(UnsafeRawBufferPointer(rebasing: bytes[..<76]))
        else { return nil }
        version = bytes.loadLittle(UInt32.self, at: 8)
        ordinal = bytes.loadLittle(UInt32.self, at: 12)
        instance = JournalInstance(rawValue: bytes.loadLittle(UInt64.self, at: 16))
        covered = LogSequenceNumber(rawValue: bytes.loadLittle(UInt64.self, at: 24))
        clocks = BatchClocks(
            journal: JournalTime(rawValue: bytes.loadLittle(UInt64.self, at: 32)),
            raw: RawClocks(
                boottimeMilliseconds: bytes.loadLittle(UInt64.self, at: 40),
                wallMilliseconds: bytes.loadLittle(UInt64.self, at: 48),
                bootID: bytes.loadLittle(UInt64.self, at: 56)))
        segment = bytes.loadLittle(UInt32.self, at: 64)
        offset = Int(bytes.loadLittle(UInt32.self, at: 68))
    }
}

/// What a checkpoint says about a segment that it points into.
struct SegmentFact: Hashable, Sendable {
    let number: UInt32
    let madeBytes: Int
    /// Where the segment's last covered batch ends.
    let validBytes: Int
    /// Of the checksums of the covered batches, in their order.
    let chain: UInt32
    /// The last LSN among them; 0 if there is none.
    let lastLSN: LogSequenceNumber
}

enum CheckpointBlock: UInt8 {
    case records = 1
    case livePayloads = 2
    case segments = 3
    case footer = 4

    /// Checksum, payload length, kind and three zero bytes.
    static let headerBytes = 12
    /// What a block's payload is filled to before the next is begun.
    static let payloadBytes = 256 << 10
}
