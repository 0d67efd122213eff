import Glibc
import TaskModel

/// Walks the batches of one segment file in large reads.
struct SegmentCursor {
    enum Step {
        case batch(BatchHeader)
        /// No valid batch begins here.
        ///
        /// Zeros where a header would stand are how a segment normally ends.
        case end(isZero: Bool)
    }

    static let chunkBytes = 1 << 20

    let segment: UInt32
    let madeBytes: Int
    let seed: SegmentSeed
    private let file: any JournalFile
    /// Where the next batch begins.
    private(set) var offset: Int
    /// Where the batch given last begins.
    private(set) var batchOffset = 0
    private var chunk: [UInt8] = []
    private var chunkOffset = 0

    init(segment: UInt32, madeBytes: Int, seed: SegmentSeed, file: any JournalFile, from offset: Int) {
        self.segment = segment
        self.madeBytes = madeBytes
        self.seed = seed
        self.file = file
        self.offset = offset
    }

    /// Gives the next batch if it is valid: its bytes lie wholly in the segment and its checksum holds.
    ///
    /// Whether it is the one that should come next is for the caller to say.
    mutating func next() throws(JournalError) -> Step {
        guard madeBytes - offset >= BatchHeader.bytes else { return .end(isZero: try isZeroToTheEnd()) }
        try load(offset, BatchHeader.bytes)
        let room = madeBytes - offset
        let (header, isZero) = withBytes(offset, BatchHeader.bytes) { bytes in
            (BatchHeader(bytes, segment: segment, room: room), Checksum.isZero(bytes))
        }
        guard let header else { return .end(isZero: isZero) }
        try load(offset, header.length)
        guard withBytes(offset, header.length, { header.isTrue(of: $0, seed: seed.batch(at: offset)) }) else {
            return .end(isZero: false)
        }
        batchOffset = offset
        offset += header.length
        return .batch(header)
    }

    /// The bytes of the batch given last, and the array that they lie in.
    func withBatch<Result>(_ body: (UnsafeRawBufferPointer, _ owner: [UInt8], _ ownerOffset: Int) -> Result)
        -> Result
    {
        withBytes(batchOffset, offset - batchOffset) { body($0, chunk, batchOffset - chunkOffset) }
    }

    /// The segment that the handover given last names.
    var handoverTarget: UInt32 {
        withBatch { bytes, _, _ in bytes.loadLittle(UInt32.self, at: BatchHeader.bytes) }
    }

    private func withBytes<Result>(_ offset: Int, _ count: Int, _ body: (UnsafeRawBufferPointer) -> Result)
        -> Result
    {
        chunk.withUnsafeBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[(offset - chunkOffset)...].prefix(count)))
        }
    }

    private mutating func isZeroToTheEnd() throws(JournalError) -> Bool {
        let rest = madeBytes - offset
        guard rest > 0 else { return true }
        try load(offset, rest)
        return withBytes(offset, rest) { Checksum.isZero($0) }
    }

    /// Makes sure that `count` bytes from `offset` on are in the chunk.
    ///
    /// Beyond the end of the file there are zeros.
    private mutating func load(_ offset: Int, _ count: Int) throws(JournalError) {
        guard offset < chunkOffset || offset + count > chunkOffset + chunk.count else { return }
        let wanted = min(max(count, Self.chunkBytes), madeBytes - offset)
        chunk = try file.bytes(wanted, at: offset)
        chunkOffset = offset
    }
}

extension JournalFile {
    /// `count` bytes from `offset` on, zeros where the file has ended.
    func bytes(_ count: Int, at offset: Int) throws(JournalError) -> [UInt8] {
        var failure: JournalError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            var found = 0
            do throws(JournalError) {
                found = try readFully(into: raw, at: offset)
            } catch {
                failure = error
            }
            if let start = raw.baseAddress { memset(start + found, 0, count - found) }
            initialized = count
        }
        if let failure { throw failure }
        return bytes
    }
}
