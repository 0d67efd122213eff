import BinaryCoding
import TaskModel

/// Walks the records of one valid batch.
struct BatchWalk {
    private let bytes: UnsafeRawBufferPointer
    private let owner: [UInt8]
    private let ownerOffset: Int
    private let segment: UInt32
    /// Where in the segment the batch begins.
    private let batchOffset: Int
    private var position = BatchHeader.bytes

    init(_ bytes: UnsafeRawBufferPointer, owner: [UInt8], ownerOffset: Int, segment: UInt32, batchOffset: Int)
    {
        self.bytes = bytes
        self.owner = owner
        self.ownerOffset = ownerOffset
        self.segment = segment
        self.batchOffset = batchOffset
    }

    /// One record where it lies.
    struct Item {
        let span: RecordSpan
        let type: UInt8
        fileprivate let start: Int
    }

    /// Whether every byte of the batch has been walked.
    var isAtEnd: Bool { position == bytes.count }
    /// Where in the segment the next record begins.
    var offset: Int { batchOffset + position }

    /// The next record, or nil where none lies wholly in what is left.
    @inline(__always)
    mutating func next() -> Item? {
        guard let frame = RecordFrame(bytes, at: position) else { return nil }
        let item = Item(
            span: RecordSpan(
                segment: segment, offset: UInt32(truncatingIfNeeded: batchOffset + position),
                length: UInt32(truncatingIfNeeded: frame.length)),
            type: frame.type, start: position)
        position += frame.length
        return item
    }

    private func reader(of item: Item, skipping skipped: Int = 0) -> BodyReader {
        let start = item.start + RecordFrame.headerBytes + skipped
        let end = item.start + Int(item.span.length)
        return BodyReader(
            UnsafeRawBufferPointer(rebasing: bytes[start..<end]), in: owner, at: ownerOffset + start)
    }

    /// Whether the record's own checksum holds.
    func isTrue(_ item: Item, seed: SegmentSeed) -> Bool {
        let end = item.start + Int(item.span.length)
        let checked = UnsafeRawBufferPointer(rebasing: bytes[(item.start + 4)..<end])
        return bytes.loadLittle(UInt32.self, at: item.start)
            == Checksum.crc32c(checked, seed: seed.record(at: Int(item.span.offset)))
    }

    /// Type byte and body, copied.
    func original(_ item: Item) -> ArraySlice<UInt8> {
        // The type byte is the last before the body.
        let place = (item.start + RecordFrame.headerBytes - 1)..<(item.start + Int(item.span.length))
        return [UInt8](copying: UnsafeRawBufferPointer(rebasing: bytes[place]))[...]
    }

    func record(_ item: Item) throws(DecodingFailure) -> JournalRecord {
        var reader = reader(of: item)
        return try reader.readRecord(type: item.type)
    }

    /// The task of an `accepted` record, without its payload.
    ///
    /// Handed over without a copy on the way: of a million tasks the copies are what costs.
    @inline(__always)
    func acceptedTask(_ item: Item) throws(DecodingFailure) -> AcceptedTask {
        var reader = reader(of: item)
        return try reader.readAccepted(payload: false)
    }

    @inline(__always)
    func isAccepted(_ item: Item) -> Bool { item.type == RecordType.accepted.rawValue }

    /// The task that any other payload record carries, without its payload; nil if it carries none.
    @inline(never)
    func rarePayloadTask(_ item: Item) throws(DecodingFailure) -> AcceptedTask? {
        var record = try record(item)
        if case .moved(let moved) = record {
            guard moved.role == .payload else { return nil }
            record = try BodyReader.unwrap(moved)
        }
        guard var task = StoredRecord(record).task else { return nil }
        task.payload = []
        return task
    }
}
