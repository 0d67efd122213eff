import TaskModel

/// The first 64 bytes of a batch (docs/journal-format.md, "Batch").
struct BatchHeader: Hashable, Sendable {
    static let bytes = 64
    static let recordsMax = 1 << 24 - 1
    /// Header and body of a handover: the next segment's number and four zero bytes.
    static let handoverBytes = bytes + 8

    /// What a batch is there for.
    enum Kind: Hashable {
        case records
        /// Empty: shows that the batch before it was durable.
        case seal
        /// Empty, and the segment's last: the journal goes on in the segment that the body names, which was
        /// durable before this was written.
        case handover
    }

    /// Header and what follows it.
    var length: Int
    var records: Int
    var kind: Kind
    var segment: UInt32
    /// LSN of the first record; of an empty batch, that of the record that comes next.
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
        batch.overwrite(UInt32(records) | kind.flag, at: 8)
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
        switch (counted & ~0xFF_FFFF, length) {
        case (Kind.records.flag, _) where records > 0: kind = .records
        case (Kind.seal.flag, Self.bytes) where records == 0: kind = .seal
        case (Kind.handover.flag, Self.handoverBytes) where records == 0: kind = .handover
        default: return nil
        }
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
        length: Int, records: Int, kind: Kind, segment: UInt32, firstLSN: LogSequenceNumber,
        watermark: LogSequenceNumber, clocks: BatchClocks
    ) {
        self.length = length
        self.records = records
        self.kind = kind
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

extension BatchHeader.Kind {
    fileprivate var flag: UInt32 {
        switch self {
        case .records: 0
        case .seal: 1 << 24
        case .handover: 2 << 24
        }
    }
}
