import BinaryCoding
import TaskModel

extension Request {
    /// The message kinds towards the broker.
    ///
    /// Numbers are never reused.
    package enum Kind: UInt8, Sendable {
        case hello = 1
        case enqueue = 16
        case lookup = 17
        case cancel = 18
        case credit = 32
        case ack = 33
        case nack = 34
        case reject = 35
        case release = 36
        case renew = 37
        case stalled = 38
        case status = 48
        case declareQueue = 49
        case pause = 50
        case listDead = 51
        case act = 52
        case redriveEdited = 53
        case payload = 54
        case declarePlugin = 55
        case plugins = 56
        case deleteQueue = 60
        case listBlocked = 61
        case beginBackup = 70
        case keepBackup = 71
        case endBackup = 72
    }

    package var kind: Kind {
        switch self {
        case .hello: .hello
        case .enqueue: .enqueue
        case .lookup: .lookup
        case .cancel: .cancel
        case .credit: .credit
        case .ack: .ack
        case .nack: .nack
        case .reject: .reject
        case .release: .release
        case .renew: .renew
        case .stalled: .stalled
        case .status: .status
        case .declareQueue: .declareQueue
        case .pause: .pause
        case .listDead: .listDead
        case .act: .act
        case .redriveEdited: .redriveEdited
        case .payload: .payload
        case .deleteQueue: .deleteQueue
        case .listBlocked: .listBlocked
        case .beginBackup: .beginBackup
        case .keepBackup: .keepBackup
        case .endBackup: .endBackup
        case .declarePlugin: .declarePlugin
        case .plugins: .plugins
        }
    }

    func encodeBody(to writer: inout ByteWriter) {
        switch self {
        case .hello(let hello): hello.encode(to: &writer)
        case .enqueue(let enqueue): enqueue.encode(to: &writer)
        case .lookup(let correlation, let id, let wait):
            writer.write(correlation)
            writer.write(id)
            writer.write(wait)
        case .cancel(let correlation, let id, let actor):
            writer.write(correlation)
            writer.write(id)
            writer.writePrefixed(actor)
        case .credit(let tasks): writer.write(tasks)
        case .ack(let receipt, let id, let result, let resultError):
            writer.write(receipt)
            writer.write(id)
            writer.writePrefixed(result)
            writer.writePrefixed(resultError)
        case .nack(let receipt, let id, let failure), .reject(let receipt, let id, let failure):
            writer.write(receipt)
            writer.write(id)
            writer.write(failure)
        case .release(let receipt, let id):
            writer.write(receipt)
            writer.write(id)
        case .renew(let receipts): writer.write(receipts)
        case .stalled(let reason): writer.writePrefixed(reason)
        case .status(let correlation), .beginBackup(let correlation), .keepBackup(let correlation),
            .endBackup(let correlation):
            writer.write(correlation)
        case .declareQueue(let correlation, let name, let settings, let hasPlugin):
            writer.write(correlation)
            writer.writePrefixed(name)
            writer.write(settings)
            writer.write(hasPlugin)
        case .pause(let correlation, let queue, let set, let clear, let actor, let reason):
            writer.write(correlation)
            writer.writePrefixed(queue)
            writer.write(set.rawValue)
            writer.write(clear.rawValue)
            writer.writePrefixed(actor)
            writer.writePrefixed(reason)
        case .listDead, .act, .redriveEdited, .payload, .deleteQueue, .listBlocked:
            encodeOperation(to: &writer)
        case .declarePlugin(let correlation, let declaration):
            writer.write(correlation)
            writer.write(declaration)
        case .plugins(let correlation, let presences):
            writer.write(correlation)
            writer.write(presences)
        }
    }

    private func encodeOperation(to writer: inout ByteWriter) {
        switch self {
        case .listDead(let correlation, let query):
            writer.write(correlation)
            writer.write(query)
        case .act(let correlation, let act, let ids, let actor):
            writer.write(correlation)
            writer.write(act.rawValue)
            writer.write(ids)
            writer.writePrefixed(actor)
        case .redriveEdited(let correlation, let id, let payload, let actor):
            writer.write(correlation)
            writer.write(id)
            writer.writePrefixed(payload)
            writer.writePrefixed(actor)
        case .payload(let correlation, let id):
            writer.write(correlation)
            writer.write(id)
        case .deleteQueue(let correlation, let deletion):
            writer.write(correlation)
            writer.write(deletion)
        case .listBlocked(let correlation, let query):
            writer.write(correlation)
            writer.write(query)
        case _: break
        }
    }

    init(_ kind: Kind, from reader: inout ByteReader) throws(DecodingFailure) {
        switch kind {
        case .hello: self = .hello(try Hello(from: &reader))
        case .enqueue: self = .enqueue(try Enqueue(from: &reader))
        case .lookup:
            self = .lookup(
                correlation: try reader.read(), id: try reader.readTaskID(),
                waitMilliseconds: try reader.read())
        case .cancel:
            self = .cancel(
                correlation: try reader.read(), id: try reader.readTaskID(),
                actor: try reader.readText(maximum: Limits.actorNameBytesMax))
        case .credit: self = .credit(tasks: try reader.read())
        case .ack:
            self = .ack(
                receipt: try reader.readReceipt(), id: try reader.readTaskID(),
                result: try reader.readPrefixed(maximum: Limits.resultBytesMax),
                resultError: try reader.readText(maximum: AttemptRecord.reasonBytesMax))
        case .nack:
            self = .nack(
                receipt: try reader.readReceipt(), id: try reader.readTaskID(),
                failure: try reader.readFailure())
        case .reject:
            self = .reject(
                receipt: try reader.readReceipt(), id: try reader.readTaskID(),
                failure: try reader.readFailure())
        case .release: self = .release(receipt: try reader.readReceipt(), id: try reader.readTaskID())
        case .renew: self = .renew(receipts: try reader.readReceipts())
        case .stalled: self = .stalled(reason: try reader.readText(maximum: AttemptRecord.reasonBytesMax))
        case .status: self = .status(correlation: try reader.read())
        case .declareQueue:
            self = .declareQueue(
                correlation: try reader.read(), name: try reader.readText(maximum: Limits.queueNameBytesMax),
                settings: try reader.readSettings(), hasPlugin: try reader.readFlag())
        case .pause:
            self = .pause(
                correlation: try reader.read(), queue: try reader.readText(maximum: Limits.queueNameBytesMax),
                set: QueuePauses(rawValue: try reader.read()),
                clear: QueuePauses(rawValue: try reader.read()),
                actor: try reader.readText(maximum: Limits.actorNameBytesMax),
                reason: try reader.readText(maximum: AttemptRecord.reasonBytesMax))
        case .listDead:
            self = .listDead(correlation: try reader.read(), try reader.readDeadTaskQuery())
        case .act:
            self = .act(
                correlation: try reader.read(), try reader.readChoice(), ids: try reader.readTaskIDs(),
                actor: try reader.readText(maximum: Limits.actorNameBytesMax))
        case .redriveEdited:
            self = .redriveEdited(
                correlation: try reader.read(), id: try reader.readTaskID(),
                payload: try reader.readPrefixed(maximum: Limits.frameBytesMax),
                actor: try reader.readText(maximum: Limits.actorNameBytesMax))
        case .payload:
            self = .payload(correlation: try reader.read(), id: try reader.readTaskID())
        case .deleteQueue:
            self = .deleteQueue(correlation: try reader.read(), try reader.readQueueDeletion())
        case .listBlocked:
            self = .listBlocked(correlation: try reader.read(), try reader.readBlockedGroupQuery())
        case .beginBackup: self = .beginBackup(correlation: try reader.read())
        case .keepBackup: self = .keepBackup(correlation: try reader.read())
        case .endBackup: self = .endBackup(correlation: try reader.read())
        case .declarePlugin:
            self = .declarePlugin(correlation: try reader.read(), try reader.readPluginDeclaration())
        case .plugins:
            self = .plugins(correlation: try reader.read(), try reader.readPluginPresences())
        }
    }
}

extension Hello {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.write(oldestVersion)
        writer.write(newestVersion)
        writer.write(role.rawValue)
        writer.write(session.rawValue)
        writer.writePrefixed(name)
        writer.writePrefixed(queue)
        writer.write(receipts)
    }

    fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
        oldestVersion = try reader.read()
        newestVersion = try reader.read()
        role = try reader.readChoice()
        session = SessionID(rawValue: try reader.read())
        name = try reader.readText(maximum: Limits.workerNameBytesMax)
        queue = try reader.readText(maximum: Limits.queueNameBytesMax)
        receipts = try reader.readReceipts()
    }
}

extension Enqueue {
    fileprivate func encode(to writer: inout ByteWriter) {
        writer.write(correlation)
        writer.write(id)
        writer.writePrefixed(queue)
        writer.writePrefixed(group)
        writer.write(key != nil)
        if let key {
            writer.write(key.key)
            writer.write(key.content)
        }
        writer.writePrefixed(traceparent)
        writer.writePrefixed(payload)
    }

    fileprivate init(from reader: inout ByteReader) throws(DecodingFailure) {
        correlation = try reader.read()
        id = try reader.readTaskID()
        queue = try reader.readText(maximum: Limits.queueNameBytesMax)
        group = try reader.readText(maximum: Limits.groupNameBytesMax)
        key =
            try reader.readFlag()
            ? KeyDigests(key: try reader.readDigest(), content: try reader.readDigest()) : nil
        traceparent = try reader.readPrefixed(maximum: Limits.traceparentBytesMax)
        payload = try reader.readPrefixed()
    }
}
