import BinaryCoding
import TaskModel

extension LookupAnswer {
    func encode(to writer: inout ByteWriter) {
        switch self {
        case .found(let view):
            writer.write(UInt8(0))
            view.encode(to: &writer)
        case .unknown: writer.write(UInt8(1))
        case .forgotten: writer.write(UInt8(2))
        case .tooManyWaiters: writer.write(UInt8(3))
        }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        let code: UInt8 = try reader.read()
        switch code {
        case 0: self = .found(try TaskView(from: &reader))
        case 1: self = .unknown
        case 2: self = .forgotten
        case 3: self = .tooManyWaiters
        case let other: throw .unknown(kind: "lookup answer", value: UInt64(other))
        }
    }
}

extension TaskView {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.write(id)
        writer.write(state.rawValue)
        writer.writePrefixed(queue)
        writer.writePrefixed(group)
        writer.write(sequence.rawValue)
        writer.writeOptional(finishedAt?.rawValue)
        writer.writeVariable(UInt64(receives))
        writer.writeVariable(UInt64(maxAttempts))
        writer.writePrefixed(waitingBecause.cutToUTF8(bytes: AttemptRecord.reasonBytesMax))
        writer.writeOptional(deadReason.map { UInt64($0.rawValue) })
        writer.writePrefixed(history)
        writer.writePrefixed(result)
        writer.writePrefixed(resultError)
    }

    fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
        id = try reader.readTaskID()
        state = try reader.readChoice()
        queue = try reader.readText(maximum: Limits.queueNameBytesMax)
        group = try reader.readText(maximum: Limits.groupNameBytesMax)
        sequence = TaskSequence(rawValue: try reader.read())
        finishedAt = try reader.readOptional().map(WallTime.init(rawValue:))
        receives = try reader.readNarrow()
        maxAttempts = try reader.readNarrow()
        waitingBecause = try reader.readText(maximum: AttemptRecord.reasonBytesMax)
        if let code = try reader.readOptional() {
            guard let raw = UInt8(exactly: code), let reason = DeadLetterReason(rawValue: raw) else {
                throw .unknown(kind: "dead-letter reason", value: code)
            }
            deadReason = reason
        } else {
            deadReason = nil
        }
        history = try reader.readPrefixed()
        result = try reader.readPrefixed()
        resultError = try reader.readText(maximum: AttemptRecord.reasonBytesMax)
    }
}

extension BrokerStatus {
    func encode(to writer: inout ByteWriter) {
        writer.write(instance.rawValue)
        writer.writeVariable(uptimeMilliseconds)
        writer.write(durableLSN.rawValue)
        writer.writeVariable(journalBytes)
        writer.writeVariable(liveBytes)
        writer.writeVariable(syncs)
        writer.writeVariable(UInt64(queues.count))
        for queue in queues { queue.encode(to: &writer) }
    }

    init(from reader: inout ByteReader) throws(DecodingFailure) {
        instance = JournalInstance(rawValue: try reader.read())
        uptimeMilliseconds = try reader.readVariable()
        durableLSN = LogSequenceNumber(rawValue: try reader.read())
        journalBytes = try reader.readVariable()
        liveBytes = try reader.readVariable()
        syncs = try reader.readVariable()
        let count = try reader.readVariable()
        guard count <= UInt64(Limits.queuesMax) else { throw .malformed("more queues than there can be") }
        queues = []
        for _ in 0..<count { queues.append(try QueueStatus(from: &reader)) }
    }
}

extension QueueStatus {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.writePrefixed(name)
        for counter in [counters.accepted, counters.completed, counters.cancelled, counters.purged] {
            writer.writeVariable(counter)
        }
        for gauge in [pending, leased, parked, dead, groups, blockedGroups, oldestAgeMilliseconds] {
            writer.writeVariable(gauge)
        }
        writer.write(pauses.rawValue)
        writer.writeVariable(UInt64(workers))
        writer.writePrefixed(waitingBecause.cutToUTF8(bytes: AttemptRecord.reasonBytesMax))
    }

    fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
        name = try reader.readText(maximum: Limits.queueNameBytesMax)
        counters = QueueCounters()
        counters.accepted = try reader.readVariable()
        counters.completed = try reader.readVariable()
        counters.cancelled = try reader.readVariable()
        counters.purged = try reader.readVariable()
        pending = try reader.readVariable()
        leased = try reader.readVariable()
        parked = try reader.readVariable()
        dead = try reader.readVariable()
        groups = try reader.readVariable()
        blockedGroups = try reader.readVariable()
        oldestAgeMilliseconds = try reader.readVariable()
        pauses = QueuePauses(rawValue: try reader.read())
        workers = try reader.readNarrow()
        waitingBecause = try reader.readText(maximum: AttemptRecord.reasonBytesMax)
    }
}
