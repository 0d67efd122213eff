import BinaryCoding
import TaskModel

/// The eight bytes before a record's body: checksum, then 24 bits of body length and the type byte.
struct RecordFrame {
    static let headerBytes = 8
    static let bodyBytesMax = 1 << 24 - 1

    let checksum: UInt32
    let bodyBytes: Int
    let type: UInt8

    /// Header and body.
    var length: Int { Self.headerBytes + bodyBytes }

    /// Nil unless header and body lie wholly within `bytes` from `offset` on.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard bytes.count - offset >= Self.headerBytes else { return nil }
        checksum = bytes.loadLittle(UInt32.self, at: offset)
        let word = bytes.loadLittle(UInt32.self, at: offset + 4)
        bodyBytes = Int(word & 0xFF_FFFF)
        type = UInt8(truncatingIfNeeded: word >> 24)
        guard bytes.count - offset - Self.headerBytes >= bodyBytes else { return nil }
    }

    /// Appends a whole record that will lie at `offset` of its segment, and gives its length; 0, and nothing
    /// appended, where its body is longer than a record can say.
    static func put(
        _ record: JournalRecord, to batch: inout EncodingBuffer, seed: SegmentSeed, at offset: Int
    ) -> Int {
        let start = batch.count
        batch.put(UInt64(0))
        let type = batch.putBody(of: record)
        let length = batch.count - start
        guard length - headerBytes <= bodyBytesMax else {
            batch.truncate(to: start)
            return 0
        }
        batch.overwrite(UInt32(length - headerBytes) | UInt32(type.rawValue) << 24, at: start + 4)
        let crc = Checksum.crc32c(
            UnsafeRawBufferPointer(rebasing: batch.bytes[(start + 4)...]), seed: seed.record(at: offset))
        batch.overwrite(crc, at: start)
        return length
    }

    /// Decodes one whole record read back on its own.
    ///
    /// Nil unless its checksum holds at `offset` and it is readable.
    static func record(in owner: [UInt8], seed: SegmentSeed, at offset: Int) -> JournalRecord? {
        owner.withUnsafeBufferPointer { buffer in
            let bytes = UnsafeRawBufferPointer(buffer)
            guard let frame = RecordFrame(bytes, at: 0), frame.length == bytes.count,
                Checksum.crc32c(UnsafeRawBufferPointer(rebasing: bytes[4...]), seed: seed.record(at: offset))
                    == frame.checksum
            else { return nil }
            let body = UnsafeRawBufferPointer(rebasing: bytes[headerBytes...])
            var reader = BodyReader(body, in: owner, at: headerBytes)
            do {
                let record = try reader.readRecord(type: frame.type)
                if case .moved(let moved) = record { return try BodyReader.unwrap(moved) }
                return record
            } catch {
                return nil
            }
        }
    }
}
