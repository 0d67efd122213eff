import BinaryCoding
import TaskModel

/// A checkpoint read back whole and found good: every checksum and every count holds.
struct Checkpoint {
    let header: CheckpointHeader
    /// Ascending.
    let segments: [SegmentFact]
    /// Offsets of live payload records by segment, ascending.
    let livePayloads: [UInt32: [UInt32]]
    let bytes: [UInt8]
    /// In their order; the last is the footer.
    let blocks: [Block]
    private let recordBlocks: [Range<Int>]

    enum Failure: Error {
        /// Damaged, cut short, or not a checkpoint.
        case bad
        case version(UInt32)
    }

    init(_ bytes: [UInt8], name: CheckpointName) throws(Failure) {
        var version: UInt32 = 0
        guard let header = bytes.withUnsafeBytes({ CheckpointHeader($0, version: &version) }) else {
            throw .bad
        }
        guard version == CheckpointHeader.version else { throw .version(version) }
        guard header.name == name else { throw .bad }
        self.header = header
        self.bytes = bytes
        guard let blocks = Self.blocks(of: bytes, seed: header.seed) else { throw .bad }
        self.blocks = blocks
        do throws(DecodingFailure) {
            (recordBlocks, livePayloads, segments) = try Self.contents(of: bytes, blocks)
        } catch {
            throw .bad
        }
    }

    struct Block {
        let kind: CheckpointBlock
        let payload: Range<Int>
    }

    /// Nil unless the blocks fill the file, all are whole, and the last, and only the last, is the footer.
    private static func blocks(of bytes: [UInt8], seed: UInt32) -> [Block]? {
        bytes.withUnsafeBytes { bytes in
            var blocks: [Block] = []
            var chain: UInt32 = 0
            var at = CheckpointHeader.bytes
            while bytes.count - at >= CheckpointBlock.headerBytes {
                let crc = bytes.loadLittle(UInt32.self, at: at)
                let length = Int(bytes.loadLittle(UInt32.self, at: at + 4))
                let start = at + CheckpointBlock.headerBytes
                guard let kind = CheckpointBlock(rawValue: bytes[at + 8]), bytes.count - start >= length
                else {
                    return nil
                }
                let checked = UnsafeRawBufferPointer(rebasing: bytes[(at + 4)..<(start + length)])
                guard crc == Checksum.crc32c(checked, seed: Checksum.chained(seed, UInt32(blocks.count)))
                else {
                    return nil
                }
                if kind == .footer {
                    guard length == 24, start + length == bytes.count,
                        bytes.loadLittle(UInt32.self, at: start) == UInt32(blocks.count),
                        bytes.loadLittle(UInt32.self, at: start + 4) == chain
                    else { return nil }
                    return blocks + [Block(kind: kind, payload: start..<start + length)]
                }
                chain = Checksum.chained(chain, crc)
                blocks.append(Block(kind: kind, payload: start..<start + length))
                at = start + length
            }
            return nil
        }
    }

    private static func contents(
        of bytes: [UInt8], _ blocks: [Block]
    ) throws(DecodingFailure) -> ([Range<Int>], [UInt32: [UInt32]], [SegmentFact]) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(DecodingFailure) in
            let raw = UnsafeRawBufferPointer(buffer)
            var records: [Range<Int>] = []
            var live: [UInt32: [UInt32]] = [:]
            var segments: [SegmentFact] = []
            for block in blocks {
                let payload = UnsafeRawBufferPointer(rebasing: raw[block.payload])
                var reader = BodyReader(payload, in: bytes, at: block.payload.lowerBound)
                switch block.kind {
                case .records: records.append(block.payload)
                case .livePayloads: try reader.readPlaces(into: &live)
                case .segments: while reader.remaining > 0 { segments.append(try reader.readSegmentFact()) }
                case .footer: break
                }
            }
            return (records, live, segments)
        }
    }

    func segmentFacts(of block: Block) throws(DecodingFailure) -> [SegmentFact] {
        try bytes.withUnsafeBufferPointer { (buffer) throws(DecodingFailure) in
            let payload = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[block.payload])
            var reader = BodyReader(payload, in: bytes, at: block.payload.lowerBound)
            var facts: [SegmentFact] = []
            while reader.remaining > 0 { facts.append(try reader.readSegmentFact()) }
            return facts
        }
    }

    static func load(_ name: CheckpointName, from storage: any JournalStorage) throws(JournalError) -> Result<
        Self, Failure
    > {
        let file = try storage.open(JournalName.checkpointFile(name), forWriting: false)
        let bytes: [UInt8]
        do throws(JournalError) {
            bytes = try file.bytes(try file.size(), at: 0)
        } catch {
            // A sector that cannot be read is as bad as one that reads wrong.
            return .failure(.bad)
        }
        do throws(Failure) {
            return .success(try Checkpoint(bytes, name: name))
        } catch {
            return .failure(error)
        }
    }

    /// Gives every record to `body`, in the order of writing.
    func forEachRecord(_ body: (SnapshotRecord) -> Void) throws(DecodingFailure) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(DecodingFailure) in
            let raw = UnsafeRawBufferPointer(buffer)
            for block in recordBlocks {
                let payload = UnsafeRawBufferPointer(rebasing: raw[block])
                var reader = BodyReader(payload, in: bytes, at: block.lowerBound)
                while reader.remaining > 0 {
                    let length = try reader.readVariable()
                    let before = reader.remaining
                    body(try reader.readSnapshot())
                    guard UInt64(before - reader.remaining) == length else {
                        throw .malformed("a snapshot record is not as long as it says")
                    }
                }
            }
        }
    }
}

extension BodyReader {
    fileprivate mutating func readPlaces(into live: inout [UInt32: [UInt32]]) throws(DecodingFailure) {
        let segment = try readVariable(as: UInt32.self)
        var places = live.removeValue(forKey: segment) ?? []
        var previous: UInt32 = 0
        while remaining > 0 {
            let (place, overflow) = previous.addingReportingOverflow(try readVariable(as: UInt32.self))
            guard !overflow else { throw .malformed("a place beyond any segment") }
            places.append(place)
            previous = place
        }
        live[segment] = places
    }

    fileprivate mutating func readSegmentFact() throws(DecodingFailure) -> SegmentFact {
        SegmentFact(
            number: try readVariable(as: UInt32.self), madeBytes: Int(try readVariable(as: UInt32.self)),
            validBytes: Int(try readVariable(as: UInt32.self)), chain: try read(), lastLSN: try readLSN())
    }
}
