import TaskModel

/// Looks at what lies behind the last good batch of a segment.
enum SegmentTail: Hashable {
    /// Zeros to the end, as the segment was made.
    case clean
    /// Bytes that are no batch, the last of them before this offset: a torn write, unless something else
    /// shows better.
    case torn(end: Int)
    /// A valid batch further on: what stands before it was once durable.
    case batchBehind(firstLSN: LogSequenceNumber)

    static func probe(
        _ file: any JournalFile, segment: UInt32, madeBytes: Int, seed: SegmentSeed, from offset: Int,
        expecting next: LogSequenceNumber
    ) throws(JournalError) -> SegmentTail {
        guard let (first, end) = try nonzeroRange(file, madeBytes: madeBytes, from: offset) else {
            return .clean
        }
        // A header may begin with zeros before the first byte that is not zero, though only its checksum can
        // be zeros.
        let start = max(offset, first - 4)
        let bytes = try file.bytes(madeBytes - start, at: start)
        let found = bytes.withUnsafeBytes { bytes in
            search(bytes, until: end - start, base: start, segment: segment, seed: seed, expecting: next)
        }
        if let found { return .batchBehind(firstLSN: found) }
        return .torn(end: end)
    }

    /// The first byte that is not zero, and the place behind the last one.
    private static func nonzeroRange(
        _ file: any JournalFile, madeBytes: Int, from offset: Int
    ) throws(JournalError) -> (first: Int, end: Int)? {
        var first: Int?
        var end = offset
        var place = offset
        while place < madeBytes {
            let count = min(SegmentCursor.chunkBytes, madeBytes - place)
            let bytes = try file.bytes(count, at: place)
            let zeros = bytes.withUnsafeBytes { Checksum.zeroPrefix($0) }
            if zeros < count {
                first = first ?? place + zeros
                end = place + count - bytes.withUnsafeBytes { Checksum.zeroSuffix($0) }
            }
            place += count
        }
        return first.map { ($0, end) }
    }

    /// Where in a batch header the segment's number stands.
    private static let numberOffset = 12

    /// Batches may begin at any byte, so every place where the segment's number stands is tried.
    private static func search(
        _ bytes: UnsafeRawBufferPointer, until end: Int, base: Int, segment: UInt32, seed: SegmentSeed,
        expecting next: LogSequenceNumber
    ) -> LogSequenceNumber? {
        var from = numberOffset
        while let found = Checksum.find(segment, in: bytes, from: from) {
            from = found + 1
            let at = found - numberOffset
            guard at < end else { return nil }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
            guard let header = BatchHeader(rest, segment: segment, room: rest.count), header.firstLSN >= next
            else { continue }
            let whole = UnsafeRawBufferPointer(rebasing: rest[..<header.length])
            if header.isTrue(of: whole, seed: seed.batch(at: base + at)) { return header.firstLSN }
        }
        return nil
    }

    /// Task ids in records whose own checksums still hold, from the batch at `offset` on; at most 16.
    static func knownTasks(
        _ file: any JournalFile, madeBytes: Int, seed: SegmentSeed, segment: UInt32, from offset: Int
    ) throws(JournalError) -> [TaskID] {
        let count = min(4 << 20, madeBytes - offset)
        guard count > BatchHeader.bytes else { return [] }
        let bytes = try file.bytes(count, at: offset)
        var found: [TaskID] = []
        bytes.withUnsafeBytes { bytes in
            var at = BatchHeader.bytes
            while found.count < 16, let frame = RecordFrame(bytes, at: at), frame.type != 0 {
                let checked = UnsafeRawBufferPointer(rebasing: bytes[(at + 4)..<(at + frame.length)])
                let holds = Checksum.crc32c(checked, seed: seed.record(at: offset + at)) == frame.checksum
                if holds,
                    let id = taskID(in: UnsafeRawBufferPointer(rebasing: checked[4...]), type: frame.type),
                    !found.contains(id)
                {
                    found.append(id)
                }
                at += frame.length
            }
        }
        return found
    }

    private static func taskID(in body: UnsafeRawBufferPointer, type: UInt8) -> TaskID? {
        let owner = [UInt8](copying: body)
        return owner.withUnsafeBytes { bytes in
            var reader = BodyReader(bytes, in: owner, at: 0)
            return (try? reader.readRecord(type: type))?.taskID  // ignoring: it then names no task.
        }
    }
}

extension JournalRecord {
    /// The task that the record is about, if it is about one.
    var taskID: TaskID? {
        switch self {
        case .accepted(let task): task.id
        case .delivered(let delivery): delivery.id
        case .released(let release): release.id
        case .attemptFailed(let failure): failure.id
        case .completed(let completion): completion.id
        case .deadLettered(let dead): dead.id
        case .parked(let parking): parking.id
        case .unparked(let id), .purged(let id): id
        case .redriven(let redrive): redrive.id
        case .cancelled(let cancellation): cancellation.id
        case .moved(let moved): moved.id
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .historyForgotten: nil
        }
    }
}
