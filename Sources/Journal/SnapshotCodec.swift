import BinaryCoding
import TaskModel

private enum SnapshotType: UInt8 {
    case totals = 1
    case queue = 2
    case acceptanceEpoch = 3
    case task = 4
    case finished = 5
    case deduplication = 6
}

private enum StandingCode: UInt8 {
    case pending = 0
    case backingOff = 1
    case leased = 2
    case parked = 3
    case dead = 4
}

/// Records of a checkpoint: a type byte and a body, without checksums of their own; the block around them has
/// one.
extension EncodingBuffer {
    mutating func put(_ record: SnapshotRecord) {
        switch record {
        case .totals(let totals):
            put(SnapshotType.totals.rawValue)
            putVariable(totals.nextSequence.rawValue)
            putVariable(UInt64(totals.nextQueue.rawValue))
            putVariable(totals.newestForgotten)
        case .queue(let queue):
            put(SnapshotType.queue.rawValue)
            put(queue)
        case .acceptanceEpoch(let epoch):
            put(SnapshotType.acceptanceEpoch.rawValue)
            putVariable(epoch.firstSequence.rawValue)
            putVariable(epoch.time.rawValue)
        case .task(let task):
            put(SnapshotType.task.rawValue | (task.diedAt == nil ? 0 : ExtraFields.flag))
            if let time = task.diedAt { putDiedAt(time) }
            put(task)
        case .finished(let finished):
            put(SnapshotType.finished.rawValue)
            put(finished)
        case .deduplication(let snapshot):
            put(SnapshotType.deduplication.rawValue)
            putVariable(UInt64(snapshot.queue.rawValue))
            put(snapshot.entry)
            put(snapshot.task)
            putVariable(snapshot.sequence.rawValue)
        }
    }

    private mutating func put(_ queue: QueueSnapshot) {
        put(queue.declaration)
        putVariable(queue.counters.accepted)
        putVariable(queue.counters.completed)
        putVariable(queue.counters.cancelled)
        putVariable(queue.counters.purged)
        put(queue.pauses.rawValue)
        putPrefixed(queue.pauseActor)
        putPrefixed(queue.pauseReason)
        put(UInt8(queue.isDeleted ? 1 : 0))
    }

    private mutating func put(_ task: TaskSnapshot) {
        put(task.id)
        putVariable(task.sequence.rawValue)
        putVariable(UInt64(task.receives))
        put(task.uncountedReleases)
        switch task.standing {
        case .pending:
            put(StandingCode.pending.rawValue)
        case .backingOff(let milliseconds):
            put(StandingCode.backingOff.rawValue)
            putVariable(milliseconds)
        case .leased(let lease):
            put(StandingCode.leased.rawValue)
            putVariable(lease.receipt.rawValue)
            put(lease.session.rawValue)
            putVariable(lease.deliveredAt.rawValue)
            putPrefixed(lease.worker)
        case .parked:
            put(StandingCode.parked.rawValue)
        case .dead(let reason, let order):
            put(StandingCode.dead.rawValue)
            put(reason.rawValue)
            putVariable(order)
        }
        put(task.history)
    }

    private mutating func put(_ finished: FinishedSnapshot) {
        put(finished.id)
        put(finished.state.rawValue)
        putVariable(finished.finishedAt.rawValue)
        putVariable(UInt64(finished.queue.rawValue))
        // LSNs begin at 1, so that 0 is none.
        putVariable(finished.receipt?.rawValue ?? 0)
        put(finished.span)
    }

    /// Segments are numbered from 1, so that a lone 0 is none.
    private mutating func put(_ span: RecordSpan?) {
        guard let span else { return putVariable(0) }
        putVariable(UInt64(span.segment))
        putVariable(UInt64(span.offset))
        putVariable(UInt64(span.length))
    }
}

extension BodyReader {
    mutating func readSnapshot() throws(DecodingFailure) -> SnapshotRecord {
        let code: UInt8 = try read()
        let diedAt = code & ExtraFields.flag != 0 ? try readDiedAt() : nil
        guard let type = SnapshotType(rawValue: code & ~ExtraFields.flag) else {
            throw .unknown(kind: "snapshot record type", value: UInt64(code & ~ExtraFields.flag))
        }
        switch type {
        case .totals:
            return .totals(
                SnapshotTotals(
                    nextSequence: try readSequence(), nextQueue: try readQueueNumber(),
                    newestForgotten: try readVariable()))
        case .queue:
            return .queue(try readQueueSnapshot())
        case .acceptanceEpoch:
            return .acceptanceEpoch(
                AcceptanceEpoch(
                    firstSequence: try readSequence(), time: JournalTime(rawValue: try readVariable())))
        case .task:
            return .task(try readTaskSnapshot(diedAt: diedAt))
        case .finished:
            return .finished(try readFinishedSnapshot())
        case .deduplication:
            return .deduplication(
                DeduplicationSnapshot(
                    queue: try readQueueNumber(), entry: try readDeduplication(), task: try readTaskID(),
                    sequence: try readSequence()))
        }
    }

    private mutating func readQueueSnapshot() throws(DecodingFailure) -> QueueSnapshot {
        let declaration = try readDeclaration()
        var counters = QueueCounters()
        counters.accepted = try readVariable()
        counters.completed = try readVariable()
        counters.cancelled = try readVariable()
        counters.purged = try readVariable()
        return QueueSnapshot(
            declaration: declaration, counters: counters, pauses: try readPauses(),
            pauseActor: try readText(), pauseReason: try readText(), isDeleted: try readFlag())
    }

    private mutating func readTaskSnapshot(
        diedAt: JournalTime?
    ) throws(DecodingFailure) -> TaskSnapshot {
        TaskSnapshot(
            id: try readTaskID(), sequence: try readSequence(), receives: try readVariable(as: UInt32.self),
            uncountedReleases: try read(), standing: try readStanding(), history: try readSpan(),
            diedAt: diedAt)
    }

    private mutating func readStanding() throws(DecodingFailure) -> TaskSnapshot.Standing {
        let code: UInt8 = try read()
        guard let standing = StandingCode(rawValue: code) else {
            throw .unknown(kind: "standing", value: UInt64(code))
        }
        switch standing {
        case .pending: return .pending
        case .backingOff: return .backingOff(milliseconds: try readVariable())
        case .leased:
            let receipt = try readLSN()
            let session = SessionID(rawValue: try read())
            let deliveredAt = WallTime(rawValue: try readVariable())
            return .leased(
                TaskSnapshot.Lease(
                    receipt: receipt, worker: try readText(), session: session, deliveredAt: deliveredAt))
        case .parked: return .parked
        case .dead: return .dead(reason: try readDeadLetterReason(), order: try readVariable())
        }
    }

    private mutating func readFinishedSnapshot() throws(DecodingFailure) -> FinishedSnapshot {
        let id = try readTaskID()
        let code: UInt8 = try read()
        guard let state = FinishedState(rawValue: code) else {
            throw .unknown(kind: "finished state", value: UInt64(code))
        }
        let finishedAt = JournalTime(rawValue: try readVariable())
        let queue = try readQueueNumber()
        let receipt = try readLSN()
        guard let span = try readSpan() else { throw .malformed("a finished task without a place") }
        return FinishedSnapshot(
            id: id, state: state, finishedAt: finishedAt, queue: queue,
            receipt: receipt.rawValue == 0 ? nil : receipt, span: span)
    }

    private mutating func readSpan() throws(DecodingFailure) -> RecordSpan? {
        let segment = try readVariable(as: UInt32.self)
        guard segment != 0 else { return nil }
        return RecordSpan(
            segment: segment, offset: try readVariable(as: UInt32.self),
            length: try readVariable(as: UInt32.self))
    }
}

extension SnapshotRecord {
    /// The place that the record points to, if it points to one.
    var span: RecordSpan? {
        switch self {
        case .task(let task): task.history
        case .finished(let finished): finished.span
        case .totals, .queue, .acceptanceEpoch, .deduplication: nil
        }
    }
}
