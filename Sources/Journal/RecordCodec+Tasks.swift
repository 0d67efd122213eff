import BinaryCoding
import TaskModel

private let hasGroup: UInt8 = 1
private let hasDeduplication: UInt8 = 2
private let hasTraceparent: UInt8 = 4

extension EncodingBuffer {
    /// Sixteen bytes in the order in which they are read aloud.
    @inline(__always)
    mutating func put(_ id: TaskID) {
        put(id.high.bigEndian)
        put(id.low.bigEndian)
    }

    mutating func put(_ digest: Digest) {
        put(digest.high)
        put(digest.low)
    }

    mutating func put(_ entry: DeduplicationEntry) {
        put(entry.key)
        put(entry.content)
        putVariable(entry.expires.rawValue)
    }

    /// The payload takes the rest of the body.
    mutating func put(_ task: AcceptedTask) {
        var flags: UInt8 = 0
        if !task.group.isEmpty { flags |= hasGroup }
        if task.deduplication != nil { flags |= hasDeduplication }
        if !task.traceparent.isEmpty { flags |= hasTraceparent }
        put(flags)
        putVariable(UInt64(task.queue.rawValue))
        put(task.id)
        putVariable(task.sequence.rawValue)
        if flags & hasGroup != 0 { putPrefixed(task.group) }
        if let entry = task.deduplication { put(entry) }
        if flags & hasTraceparent != 0 { putPrefixed(task.traceparent) }
        putRaw(task.payload)
    }

    mutating func put(_ delivery: Delivery) {
        put(delivery.id)
        put(delivery.session.rawValue)
        putVariable(delivery.deliveredAt.rawValue)
        putPrefixed(delivery.worker)
    }

    mutating func put(_ release: Release) {
        put(release.id)
        putVariable(release.receipt.rawValue)
        put(UInt8(release.counted ? 1 : 0))
    }

    mutating func put(_ failure: AttemptFailure) {
        put(failure.id)
        putVariable(failure.receipt.rawValue)
        putVariable(failure.retryMilliseconds)
        putRaw(failure.history)
    }

    mutating func put(_ summary: FinishedSummary) {
        putVariable(UInt64(summary.queue.rawValue))
        putVariable(summary.sequence.rawValue)
        putPrefixed(summary.group)
        putVariable(summary.finishedAt.rawValue)
        putVariable(UInt64(summary.receives))
        putPrefixed(summary.history)
    }

    mutating func put(_ completion: Completion) {
        put(completion.id)
        putVariable(completion.receipt.rawValue)
        put(completion.summary)
        putPrefixed(completion.resultError)
        putRaw(completion.result)
    }

    mutating func put(_ dead: DeadLetter) {
        put(dead.id)
        put(dead.reason.rawValue)
        put(dead.summary)
    }

    mutating func put(_ parking: Parking) {
        put(parking.id)
        put(UInt8(parking.haltsQueue ? 1 : 0))
        putRaw(parking.history)
    }

    mutating func put(_ redrive: Redrive) {
        put(redrive.id)
        putVariable(redrive.sequence.rawValue)
        put(UInt8(redrive.edited == nil ? 0 : 1))
        if let task = redrive.edited { put(task) }
    }

    mutating func put(_ cancellation: Cancellation) {
        put(cancellation.id)
        putPrefixed(cancellation.actor)
        put(cancellation.summary)
    }

    mutating func put(_ moved: MovedRecord) {
        put(moved.id)
        put(moved.role.rawValue)
        putRaw(moved.original)
    }
}

extension BodyReader {
    @inline(__always)
    mutating func readTaskID() throws(DecodingFailure) -> TaskID {
        let high = UInt64(bigEndian: try read())
        return TaskID(high: high, low: UInt64(bigEndian: try read()))
    }

    mutating func readFlag() throws(DecodingFailure) -> Bool {
        switch try read(UInt8.self) {
        case 0: false
        case 1: true
        case let other: throw .unknown(kind: "flag", value: UInt64(other))
        }
    }

    @inline(__always)
    mutating func readQueueNumber() throws(DecodingFailure) -> QueueNumber {
        QueueNumber(rawValue: try readVariable(as: UInt16.self))
    }

    mutating func readSequence() throws(DecodingFailure) -> TaskSequence {
        TaskSequence(rawValue: try readVariable())
    }

    mutating func readLSN() throws(DecodingFailure) -> LogSequenceNumber {
        LogSequenceNumber(rawValue: try readVariable())
    }

    mutating func readDigest() throws(DecodingFailure) -> Digest {
        Digest(high: try read(), low: try read())
    }

    mutating func readDeduplication() throws(DecodingFailure) -> DeduplicationEntry {
        DeduplicationEntry(
            key: try readDigest(), content: try readDigest(),
            expires: JournalTime(rawValue: try readVariable()))
    }

    /// Without `payload` the task's payload and trace context stay empty, which is what recovery needs.
    @inline(__always)
    mutating func readAccepted(payload: Bool = true) throws(DecodingFailure) -> AcceptedTask {
        let flags: UInt8 = try read()
        guard flags & ~(hasGroup | hasDeduplication | hasTraceparent) == 0 else {
            throw .unknown(kind: "accepted flags", value: UInt64(flags))
        }
        let queue = try readQueueNumber()
        let id = try readTaskID()
        let sequence = try readSequence()
        let group = flags & hasGroup != 0 ? try readText() : ""
        let deduplication = flags & hasDeduplication != 0 ? try readDeduplication() : nil
        guard payload else {
            return AcceptedTask(
                queue: queue, id: id, sequence: sequence, group: group, deduplication: deduplication,
                traceparent: [], payload: [])
        }
        let traceparent: ArraySlice<UInt8> = flags & hasTraceparent != 0 ? try readPrefixed() : []
        return AcceptedTask(
            queue: queue, id: id, sequence: sequence, group: group, deduplication: deduplication,
            traceparent: traceparent, payload: readRest())
    }

    mutating func readDelivery() throws(DecodingFailure) -> Delivery {
        let id = try readTaskID()
        let session = SessionID(rawValue: try read())
        let deliveredAt = WallTime(rawValue: try readVariable())
        return Delivery(id: id, worker: try readText(), session: session, deliveredAt: deliveredAt)
    }

    mutating func readRelease() throws(DecodingFailure) -> Release {
        Release(id: try readTaskID(), receipt: try readLSN(), counted: try readFlag())
    }

    mutating func readAttemptFailure() throws(DecodingFailure) -> AttemptFailure {
        AttemptFailure(
            id: try readTaskID(), receipt: try readLSN(), retryMilliseconds: try readVariable(),
            history: readRest())
    }

    mutating func readSummary() throws(DecodingFailure) -> FinishedSummary {
        FinishedSummary(
            queue: try readQueueNumber(), sequence: try readSequence(), group: try readText(),
            finishedAt: WallTime(rawValue: try readVariable()), receives: try readVariable(as: UInt32.self),
            history: try readPrefixed())
    }

    mutating func readCompletion() throws(DecodingFailure) -> Completion {
        let id = try readTaskID()
        let receipt = try readLSN()
        let summary = try readSummary()
        let resultError = try readText()
        return Completion(
            id: id, receipt: receipt, summary: summary, result: readRest(), resultError: resultError)
    }

    mutating func readDeadLetter() throws(DecodingFailure) -> DeadLetter {
        DeadLetter(id: try readTaskID(), reason: try readDeadLetterReason(), summary: try readSummary())
    }

    mutating func readDeadLetterReason() throws(DecodingFailure) -> DeadLetterReason {
        let code: UInt8 = try read()
        guard let reason = DeadLetterReason(rawValue: code) else {
            throw .unknown(kind: "dead-letter reason", value: UInt64(code))
        }
        return reason
    }

    mutating func readParking() throws(DecodingFailure) -> Parking {
        Parking(id: try readTaskID(), haltsQueue: try readFlag(), history: readRest())
    }

    mutating func readRedrive() throws(DecodingFailure) -> Redrive {
        let id = try readTaskID()
        let sequence = try readSequence()
        return Redrive(id: id, sequence: sequence, edited: try readFlag() ? try readAccepted() : nil)
    }

    mutating func readCancellation() throws(DecodingFailure) -> Cancellation {
        Cancellation(id: try readTaskID(), actor: try readText(), summary: try readSummary())
    }

    mutating func readMoved() throws(DecodingFailure) -> MovedRecord {
        let id = try readTaskID()
        let code: UInt8 = try read()
        guard let role = RecordRole(rawValue: code) else {
            throw .unknown(kind: "record role", value: UInt64(code))
        }
        return MovedRecord(id: id, role: role, original: readRest())
    }
}
