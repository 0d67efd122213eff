import BinaryCoding
import TaskModel

extension Reply {
    /// The message kinds from the broker.
    ///
    /// Numbers are never reused.
    package enum Kind: UInt8, Sendable {
        case welcome = 129
        case helloRequired = 130
        case helloRefused = 131
        case rejected = 132
        case enqueued = 144
        case task = 145
        case cancelled = 146
        case queues = 147
        case delivery = 160
        case settled = 161
        case status = 176
        case done = 177
        case dead = 178
        case acted = 179
        case payload = 180
        case deletion = 185
        case blocked = 186
        case backup = 190
    }

    package var kind: Kind {
        switch self {
        case .welcome: .welcome
        case .helloRequired: .helloRequired
        case .helloRefused: .helloRefused
        case .rejected: .rejected
        case .enqueued: .enqueued
        case .task: .task
        case .cancelled: .cancelled
        case .queues: .queues
        case .delivery: .delivery
        case .settled: .settled
        case .status: .status
        case .done: .done
        case .dead: .dead
        case .acted: .acted
        case .payload: .payload
        case .deletion: .deletion
        case .blocked: .blocked
        case .backup: .backup
        }
    }

    func encodeBody(to writer: inout ByteWriter) {
        switch self {
        case .welcome(let welcome):
            writer.write(welcome.version)
            writer.write(welcome.instance.rawValue)
            writer.writeVariable(welcome.leaseMilliseconds)
        case .helloRequired: break
        case .helloRefused(let reason), .rejected(let reason):
            writer.writePrefixed(reason.cutToUTF8(bytes: AttemptRecord.reasonBytesMax))
        case .enqueued(let correlation, let outcome):
            writer.write(correlation)
            outcome.encode(to: &writer)
        case .task(let correlation, let answer):
            writer.write(correlation)
            answer.encode(to: &writer)
        case .cancelled(let correlation, let outcome):
            writer.write(correlation)
            writer.write(outcome.rawValue)
        case .queues(let listings):
            writer.writeVariable(UInt64(listings.count))
            for listing in listings { listing.encode(to: &writer) }
        case .delivery(let task): task.encode(to: &writer)
        case .settled(let receipt, let outcome):
            writer.write(receipt)
            writer.write(outcome.rawValue)
        case .status(let correlation, let status):
            writer.write(correlation)
            status.encode(to: &writer)
        case .done(let correlation, let problem):
            writer.write(correlation)
            writer.write(problem != nil)
            if let problem { writer.writePrefixed(problem.cutToUTF8(bytes: AttemptRecord.reasonBytesMax)) }
        case .dead(let correlation, let page):
            writer.write(correlation)
            writer.write(page)
        case .acted(let correlation, let outcomes):
            writer.write(correlation)
            writer.write(outcomes)
        case .payload(let correlation, let payload):
            writer.write(correlation)
            writer.write(payload != nil)
            if let payload { writer.writePrefixed(payload) }
        case .deletion(let correlation, let outcome):
            writer.write(correlation)
            writer.write(outcome)
        case .blocked(let correlation, let listing):
            writer.write(correlation)
            writer.write(listing)
        case .backup(let correlation, let directory, let contents):
            writer.write(correlation)
            writer.writePrefixed(directory)
            writer.write(contents)
        }
    }

    init(_ kind: Kind, from reader: inout ByteReader) throws(DecodingFailure) {
        switch kind {
        case .welcome:
            self = .welcome(
                Welcome(
                    version: try reader.read(), instance: JournalInstance(rawValue: try reader.read()),
                    leaseMilliseconds: try reader.readVariable()))
        case .helloRequired: self = .helloRequired
        case .helloRefused:
            self = .helloRefused(reason: try reader.readText(maximum: AttemptRecord.reasonBytesMax))
        case .rejected: self = .rejected(reason: try reader.readText(maximum: AttemptRecord.reasonBytesMax))
        case .enqueued:
            self = .enqueued(correlation: try reader.read(), outcome: try EnqueueOutcome(from: &reader))
        case .task: self = .task(correlation: try reader.read(), answer: try LookupAnswer(from: &reader))
        case .cancelled: self = .cancelled(correlation: try reader.read(), outcome: try reader.readChoice())
        case .queues:
            let count = try reader.readVariable()
            guard count <= UInt64(Limits.queuesMax) else { throw .malformed("more queues than there can be") }
            var listings: [QueueListing] = []
            for _ in 0..<count { listings.append(try QueueListing(from: &reader)) }
            self = .queues(listings)
        case .delivery: self = .delivery(try DeliveredTask(from: &reader))
        case .settled: self = .settled(receipt: try reader.readReceipt(), try reader.readChoice())
        case .status: self = .status(correlation: try reader.read(), try BrokerStatus(from: &reader))
        case .done:
            self = .done(
                correlation: try reader.read(),
                problem: try reader.readFlag()
                    ? try reader.readText(maximum: AttemptRecord.reasonBytesMax) : nil)
        case .dead: self = .dead(correlation: try reader.read(), try reader.readDeadTaskPage())
        case .acted: self = .acted(correlation: try reader.read(), try reader.readOutcomes())
        case .payload:
            self = .payload(
                correlation: try reader.read(),
                try reader.readFlag() ? try reader.readPrefixed(maximum: Limits.messageBytesMax) : nil)
        case .deletion:
            self = .deletion(correlation: try reader.read(), try reader.readDeletionOutcome())
        case .blocked:
            self = .blocked(correlation: try reader.read(), try reader.readBlockedGroupListing())
        case .backup:
            self = .backup(
                correlation: try reader.read(), directory: try reader.readText(maximum: Limits.pathBytesMax),
                try reader.readJournalContents())
        }
    }
}

extension EnqueueOutcome {
    fileprivate func encode(to writer: inout ByteWriter) {
        switch self {
        case .accepted(let sequence):
            writer.write(UInt8(0))
            writer.write(sequence.rawValue)
        case .replayed(let id, let sequence):
            writer.write(UInt8(1))
            writer.write(id)
            writer.write(sequence.rawValue)
        case .keyConflict: writer.write(UInt8(2))
        case .unknownQueue: writer.write(UInt8(3))
        case .queueFull: writer.write(UInt8(4))
        case .deduplicationFull: writer.write(UInt8(5))
        case .paused: writer.write(UInt8(6))
        case .diskFull: writer.write(UInt8(7))
        case .idInUse: writer.write(UInt8(8))
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
        let code: UInt8 = try reader.read()
        switch code {
        case 0: self = .accepted(TaskSequence(rawValue: try reader.read()))
        case 1: self = .replayed(try reader.readTaskID(), TaskSequence(rawValue: try reader.read()))
        case 2: self = .keyConflict
        case 3: self = .unknownQueue
        case 4: self = .queueFull
        case 5: self = .deduplicationFull
        case 6: self = .paused
        case 7: self = .diskFull
        case 8: self = .idInUse
        case let other: throw .unknown(kind: "enqueue outcome", value: UInt64(other))
        }
    }
}

extension QueueListing {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.writePrefixed(name)
        writer.writeVariable(maxDepth)
        writer.write(defaultGroup.rawValue)
        writer.write(ingestIsPaused)
    }

    fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
        name = try reader.readText(maximum: Limits.queueNameBytesMax)
        maxDepth = try reader.readVariable()
        defaultGroup = try reader.readChoice()
        ingestIsPaused = try reader.readFlag()
    }
}

extension DeliveredTask {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.write(receipt)
        writer.write(id)
        writer.write(sequence.rawValue)
        writer.writeVariable(UInt64(attempt))
        writer.writeVariable(UInt64(maxAttempts))
        writer.writePrefixed(group)
        writer.writePrefixed(traceparent)
        writer.writePrefixed(payload)
    }

    fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
        receipt = try reader.readReceipt()
        id = try reader.readTaskID()
        sequence = TaskSequence(rawValue: try reader.read())
        attempt = try reader.readNarrow()
        maxAttempts = try reader.readNarrow()
        group = try reader.readText(maximum: Limits.groupNameBytesMax)
        traceparent = try reader.readPrefixed(maximum: Limits.traceparentBytesMax)
        payload = try reader.readPrefixed()
    }
}
