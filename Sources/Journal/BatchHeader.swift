import TaskModel

/// The first 64 bytes of a batch (docs/journal-format.md, "Batch").
struct BatchHeader: Hashable, Sendable {
    static let bytes = 64
    static let recordsMax = 1 << 24 - 1
    private static let sealFlag: UInt32 = 1 << 24

    /// Header and records.
    var length: Int
    var records: Int
    /// An empty batch that shows the one before to be durable.
    var isSeal: Bool
    var segment: UInt32
    /// LSN of the first record; of a seal, that of the record that comes next.
    var firstLSN: LogSequenceNumber
    /// The last LSN that was durable when the batch was written.
    var watermark: LogSequenceNumber
    var clocks: BatchClocks
    var checksum: UInt32 = 0

    /// The LSN after the batch's last.
    var endLSN: LogSequenceNumber { LogSequenceNumber(rawValue: firstLSN.rawValue &+ UInt64(records)) }

    /// Fills the 64 bytes at the front of a batch whose records are complete, the checksum last, and gives
    /// that.
    func fill(_ batch: inout EncodingBuffer, seed: UInt32) -> UInt32 {
        batch.overwrite(UInt32(length), at: 4)
        batch.overwrite(UInt32(records) | (isSeal ? Self.sealFlag : 0), at: 8)
        batch.overwrite(segment, at: 12)
        batch.overwrite(firstLSN.rawValue, at: 16)
        batch.overwrite(watermark.rawValue, at: 24)
        batch.overwrite(clocks.journal.rawValue, at: 32)
        batch.overwrite(clocks.raw.boottimeMilliseconds, at: 40)
        batch.overwrite(clocks.raw.wallMilliseconds, at: 48)
        batch.overwrite(clocks.raw.bootID, at: 56)
        let crc = Checksum.crc32c(UnsafeRawBufferPointer(rebasing: batch.bytes[4..<length]), seed: seed)
        batch.overwrite(crc, at: 0)
        return crc
    }

    /// Reads the 64 bytes.
    ///
    /// Nil where they cannot be a header with at most `room` bytes from its own start to the end of the
    /// segment; the checksum is the caller's to compare, when it has the whole batch.
    init?(_ bytes: UnsafeRawBufferPointer, segment expected: UInt32, room: Int) {
        guard bytes.count >= Self.bytes, bytes.loadLittle(UInt32.self, at: 12) == expected else { return nil }
        length = Int(bytes.loadLittle(UInt32.self, at: 4))
        guard length >= Self.bytes, length <= room else { return nil }
        let counted = bytes.loadLittle(UInt32.self, at: 8)
        records = Int(counted & 0xFF_FFFF)
        isSeal = counted & Self.sealFlag != 0
        guard counted >> 25 == 0, isSeal == (records == 0) else { return nil }
        segment = expected
        firstLSN = LogSequenceNumber(rawValue: bytes.loadLittle(UInt64.self, at: 16))
        watermark = LogSequenceNumber(rawValue: bytes.loadLittle(UInt64.self, at: 24))
        guard watermark < firstLSN, firstLSN.rawValue < UInt64.max / 2 else { return nil }
        clocks = BatchClocks(
            journal: JournalTime(rawValue: bytes.loadLittle(UInt64.self, at: 32)),
            raw: RawClocks(
                boottimeMilliseconds: bytes.loadLittle(UInt64.self, at: 40),
                wallMilliseconds: bytes.loadLittle(UInt64.self, at: 48),
                bootID: bytes.loadLittle(UInt64.self, at: 56)))
        checksum = bytes.loadLittle(UInt32.self, at: 0)
    }

    init(
        length: Int, records: Int, isSeal: Bool, segment: UInt32, firstLSN: LogSequenceNumber,
        watermark: LogSequenceNumber, clocks: BatchClocks
    ) {
        self.length = length
        self.records = records
        self.isSeal = isSeal
        self.segment = segment
        self.firstLSN = firstLSN
        self.watermark = watermark
        self.clocks = clocks
    }

    /// Whether the checksum holds for the whole batch, `bytes`, lying at its place.
    func isTrue(of bytes: UnsafeRawBufferPointer, seed: UInt32) -> Bool {
        bytes.count == length
            && Checksum.crc32c(UnsafeRawBufferPointer(rebasing: bytes[4...]), seed: seed) == checksum
    }
}
