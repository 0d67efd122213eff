import BinaryCoding
import TaskModel

extension EncodingBuffer {
    mutating func put(_ declaration: QueueDeclaration) {
        putVariable(UInt64(declaration.number.rawValue))
        putPrefixed(declaration.name)
        put(declaration.settings)
    }

    mutating func put(_ settings: QueueSettings) {
        putVariable(settings.leaseMilliseconds)
        putVariable(UInt64(settings.maxAttempts))
        put(settings.onExhausted.rawValue)
        put(settings.defaultGroup.rawValue)
        putVariable(settings.retentionMilliseconds)
        putVariable(settings.dedupWindowMilliseconds)
        putVariable(settings.maxDepth)
        putVariable(settings.historyMilliseconds)
        putVariable(settings.retryInitialMilliseconds)
        putVariable(UInt64(settings.retryFactorHundredths))
        putVariable(settings.retryMaxMilliseconds)
    }

    mutating func put(_ change: QueuePauseChange) {
        putVariable(UInt64(change.queue.rawValue))
        put(change.pauses.rawValue)
        putPrefixed(change.actor)
        putPrefixed(change.reason)
    }
}

extension BodyReader {
    mutating func readDeclaration() throws(DecodingFailure) -> QueueDeclaration {
        QueueDeclaration(number: try readQueueNumber(), name: try readText(), settings: try readSettings())
    }

    mutating func readSettings() throws(DecodingFailure) -> QueueSettings {
        var settings = QueueSettings()
        settings.leaseMilliseconds = try readVariable()
        settings.maxAttempts = try readVariable(as: UInt32.self)
        let exhausted: UInt8 = try read()
        guard let onExhausted = QueueSettings.OnExhausted(rawValue: exhausted) else {
            throw .unknown(kind: "on_exhausted", value: UInt64(exhausted))
        }
        settings.onExhausted = onExhausted
        let group: UInt8 = try read()
        guard let defaultGroup = QueueSettings.DefaultGroup(rawValue: group) else {
            throw .unknown(kind: "default_group", value: UInt64(group))
        }
        settings.defaultGroup = defaultGroup
        settings.retentionMilliseconds = try readVariable()
        settings.dedupWindowMilliseconds = try readVariable()
        settings.maxDepth = try readVariable()
        settings.historyMilliseconds = try readVariable()
        settings.retryInitialMilliseconds = try readVariable()
        settings.retryFactorHundredths = try readVariable(as: UInt32.self)
        settings.retryMaxMilliseconds = try readVariable()
        return settings
    }

    mutating func readPauseChange() throws(DecodingFailure) -> QueuePauseChange {
        QueuePauseChange(
            queue: try readQueueNumber(), pauses: try readPauses(), actor: try readText(),
            reason: try readText())
    }

    /// A pause that is not known must not be passed over: the queue would go on.
    mutating func readPauses() throws(DecodingFailure) -> QueuePauses {
        let pauses = QueuePauses(rawValue: try read())
        guard pauses.isSubset(of: [.deliveries, .ingest, .halted]) else {
            throw .unknown(kind: "pause", value: UInt64(pauses.rawValue))
        }
        return pauses
    }
}
