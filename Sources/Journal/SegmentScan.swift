import BinaryCoding
package import TaskModel

/// Walks a sealed segment for compaction, from any thread.
package struct SegmentScan: Sendable {
    package struct Item: Hashable, Sendable {
        /// Where the record is now.
        ///
        /// If the state still points here, stage ``moved`` and let the state take the new place.
        package let span: RecordSpan
        /// What to stage; names the task and which of its two places this is.
        package let moved: MovedRecord
    }

    private var cursor: SegmentCursor
    private let end: Int

    init(cursor: SegmentCursor, end: Int) {
        self.cursor = cursor
        self.end = end
    }

    /// The next portion, whole batches until `bytes` are passed; nil at the end of the segment.
    package mutating func next(bytes: Int) throws(JournalError) -> [Item]? {
        guard cursor.offset < end else { return nil }
        let start = cursor.offset
        var items: [Item] = []
        while cursor.offset < end, cursor.offset - start < bytes {
            guard case .batch(let header) = try cursor.next() else {
                throw .damaged(
                    JournalDamage(
                        .batch, segment: cursor.segment, offset: cursor.offset,
                        firstLSN: LogSequenceNumber(rawValue: 0)))
            }
            guard header.records == 0 || append(itemsOf: header, to: &items) else {
                throw .damaged(
                    JournalDamage(
                        .record, segment: cursor.segment, offset: cursor.batchOffset,
                        firstLSN: header.firstLSN))
            }
        }
        return items
    }

    private func append(itemsOf header: BatchHeader, to items: inout [Item]) -> Bool {
        cursor.withBatch { bytes, owner, ownerOffset in
            var walk = BatchWalk(
                bytes, owner: owner, ownerOffset: ownerOffset, segment: cursor.segment,
                batchOffset: cursor.batchOffset)
            for _ in 0..<header.records {
                guard let item = walk.next() else { return false }
                do throws(DecodingFailure) {
                    guard let moved = try walk.movable(item) else { continue }
                    items.append(Item(span: item.span, moved: moved))
                } catch {
                    return false
                }
            }
            return walk.isAtEnd
        }
    }
}

extension BatchWalk {
    /// The record as compaction stages it again, in bytes of its own; nil if no task can point to it.
    fileprivate func movable(_ item: Item) throws(DecodingFailure) -> MovedRecord? {
        let record = try record(item)
        if case .moved(let moved) = record {
            return MovedRecord(id: moved.id, role: moved.role, original: ArraySlice(Array(moved.original)))
        }
        guard let id = record.taskID, let role = record.role else { return nil }
        return MovedRecord(id: id, role: role, original: original(item))
    }
}

extension JournalRecord {
    /// Which of its task's places the record can be.
    fileprivate var role: RecordRole? {
        switch self {
        case .accepted: .payload
        case .redriven(let redrive): redrive.edited == nil ? nil : .payload
        case .attemptFailed, .completed, .deadLettered, .parked, .cancelled: .history
        case .moved(let moved): moved.role
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .delivered, .released, .unparked, .purged,
            .historyForgotten:
            nil
        }
    }
}
