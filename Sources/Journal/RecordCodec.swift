import BinaryCoding
import TaskModel

/// The type of a record, as docs/journal-format.md lists them: the low seven bits of its type byte.
///
/// A number is never given a second meaning.
enum RecordType: UInt8, CaseIterable {
    case queueDeclared = 1
    case queueDeleted = 2
    case queuePauseChanged = 3
    case accepted = 4
    case delivered = 5
    case released = 6
    case attemptFailed = 7
    case completed = 8
    case deadLettered = 9
    case parked = 10
    case unparked = 11
    case redriven = 12
    case cancelled = 13
    case purged = 14
    case historyForgotten = 15
    case moved = 16
}

/// Record bodies: what stands behind the eight bytes of a record's header.
extension EncodingBuffer {
    /// Writes the body and says its type.
    mutating func putBody(of record: JournalRecord) -> RecordType {
        switch record {
        case .accepted(let task):
            put(task)
            return .accepted
        case .delivered(let delivery):
            put(delivery)
            return .delivered
        case .released(let release):
            put(release)
            return .released
        case .attemptFailed(let failure):
            put(failure)
            return .attemptFailed
        case .completed(let completion):
            put(completion)
            return .completed
        case .deadLettered(let dead):
            put(dead)
            return .deadLettered
        case .parked, .unparked, .redriven, .cancelled, .purged, .historyForgotten, .moved:
            return putRareBody(of: record)
        case .queueDeclared(let declaration):
            put(declaration)
            return .queueDeclared
        case .queueDeleted(let queue):
            putVariable(UInt64(queue.rawValue))
            return .queueDeleted
        case .queuePauseChanged(let change):
            put(change)
            return .queuePauseChanged
        }
    }

    private mutating func putRareBody(of record: JournalRecord) -> RecordType {
        switch record {
        case .parked(let parking):
            put(parking)
            return .parked
        case .unparked(let id):
            put(id)
            return .unparked
        case .redriven(let redrive):
            put(redrive)
            return .redriven
        case .cancelled(let cancellation):
            put(cancellation)
            return .cancelled
        case .purged(let id):
            put(id)
            return .purged
        case .historyForgotten(let forgotten):
            putVariable(UInt64(forgotten.count))
            putVariable(forgotten.newestForgotten)
            return .historyForgotten
        case .moved(let moved):
            put(moved)
            return .moved
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .released,
            .attemptFailed,
            .completed, .deadLettered:
            preconditionFailure("a common record came to the rare ones")
        }
    }
}

extension BodyReader {
    mutating func readRecord(type code: UInt8) throws(DecodingFailure) -> JournalRecord {
        if code & ExtraFields.flag != 0 { try skipExtraFields() }
        guard let type = RecordType(rawValue: code & ~ExtraFields.flag) else {
            throw .unknown(kind: "record type", value: UInt64(code & ~ExtraFields.flag))
        }
        let record = try readBody(type: type)
        try expectEnd()
        return record
    }

    private mutating func readBody(type: RecordType) throws(DecodingFailure) -> JournalRecord {
        switch type {
        case .queueDeclared: .queueDeclared(try readDeclaration())
        case .queueDeleted: .queueDeleted(try readQueueNumber())
        case .queuePauseChanged: .queuePauseChanged(try readPauseChange())
        case .accepted: .accepted(try readAccepted())
        case .delivered: .delivered(try readDelivery())
        case .released: .released(try readRelease())
        case .attemptFailed: .attemptFailed(try readAttemptFailure())
        case .completed: .completed(try readCompletion())
        case .deadLettered: .deadLettered(try readDeadLetter())
        case .parked: .parked(try readParking())
        case .unparked: .unparked(try readTaskID())
        case .redriven: .redriven(try readRedrive())
        case .cancelled: .cancelled(try readCancellation())
        case .purged: .purged(try readTaskID())
        case .historyForgotten:
            .historyForgotten(
                HistoryForgotten(
                    count: try readVariable(as: UInt32.self), newestForgotten: try readVariable()))
        case .moved: .moved(try readMoved())
        }
    }

    /// The record behind what compaction wrapped: type byte and body, verbatim.
    static func unwrap(_ moved: MovedRecord) throws(DecodingFailure) -> JournalRecord {
        guard let type = moved.original.first else { throw .truncated }
        guard type & ~ExtraFields.flag != RecordType.moved.rawValue else {
            throw .malformed("a moved record within a moved record")
        }
        let owner = Array(moved.original.dropFirst())
        return try owner.withUnsafeBufferPointer { (bytes) throws(DecodingFailure) in
            var reader = BodyReader(UnsafeRawBufferPointer(bytes), in: owner, at: 0)
            return try reader.readRecord(type: type)
        }
    }
}
