import BinaryCoding
package import TaskModel

/// The plugin keeper's word on a queue: it is to exist.
package struct PluginDeclaration: Hashable, Sendable {
    package var queue: String
    /// What the manifest says; nil where it cannot be read: a queue that is known then stays as it is.
    package var defaults: QueueDefaults?

    package init(queue: String, defaults: QueueDefaults?) {
        self.queue = queue
        self.defaults = defaults
    }
}

/// A queue that the plugin folders have something for.
package struct PluginPresence: Hashable, Sendable {
    /// At most this much of a problem is told, bytes.
    package static let problemBytesMax = AttemptRecord.reasonBytesMax

    package var queue: String
    /// Why nothing serves the queue though there is something; empty where its plugin does.
    package var problem: String

    package init(queue: String, problem: String = "") {
        self.queue = queue
        self.problem = problem
    }
}

extension ByteWriter {
    mutating func write(_ declaration: PluginDeclaration) {
        writePrefixed(declaration.queue)
        write(declaration.defaults != nil)
        if let defaults = declaration.defaults { write(defaults) }
    }

    private mutating func write(_ defaults: QueueDefaults) {
        writeOptional(defaults.leaseMilliseconds)
        writeOptional(defaults.maxAttempts.map(UInt64.init))
        writeOptional(defaults.onExhausted.map { UInt64($0.rawValue) })
        writeOptional(defaults.defaultGroup.map { UInt64($0.rawValue) })
        writeOptional(defaults.retentionMilliseconds)
        writeOptional(defaults.dedupWindowMilliseconds)
        writeOptional(defaults.maxDepth)
        writeOptional(defaults.historyMilliseconds)
        writeOptional(defaults.retryInitialMilliseconds)
        writeOptional(defaults.retryFactorHundredths.map(UInt64.init))
        writeOptional(defaults.retryMaxMilliseconds)
        writeOptional(defaults.maxBytes)
        writeOptional(defaults.deadLetterRetentionMilliseconds)
        writeOptional(defaults.workers.map(UInt64.init))
    }

    mutating func write(_ presences: [PluginPresence]) {
        writeVariable(UInt64(presences.count))
        for presence in presences {
            writePrefixed(presence.queue)
            writePrefixed(presence.problem)
        }
    }
}

extension ByteReader {
    mutating func readPluginDeclaration() throws(DecodingFailure) -> PluginDeclaration {
        PluginDeclaration(
            queue: try readText(maximum: Limits.queueNameBytesMax),
            defaults: try readFlag() ? try readQueueDefaults() : nil)
    }

    private mutating func readQueueDefaults() throws(DecodingFailure) -> QueueDefaults {
        var defaults = QueueDefaults()
        defaults.leaseMilliseconds = try readOptional()
        defaults.maxAttempts = try readOptionalNarrow()
        defaults.onExhausted = try readOptionalChoice()
        defaults.defaultGroup = try readOptionalChoice()
        defaults.retentionMilliseconds = try readOptional()
        defaults.dedupWindowMilliseconds = try readOptional()
        defaults.maxDepth = try readOptional()
        defaults.historyMilliseconds = try readOptional()
        defaults.retryInitialMilliseconds = try readOptional()
        defaults.retryFactorHundredths = try readOptionalNarrow()
        defaults.retryMaxMilliseconds = try readOptional()
        defaults.maxBytes = try readOptional()
        defaults.deadLetterRetentionMilliseconds = try readOptional()
        defaults.workers = try readOptionalNarrow()
        return defaults
    }

    private mutating func readOptionalNarrow() throws(DecodingFailure) -> UInt32? {
        guard let value = try readOptional() else { return nil }
        guard let narrow = UInt32(exactly: value) else { throw .malformed("number over its range") }
        return narrow
    }

    private mutating func readOptionalChoice<Choice: RawRepresentable>() throws(DecodingFailure) -> Choice?
    where Choice.RawValue == UInt8 {
        guard let value = try readOptional() else { return nil }
        guard let raw = UInt8(exactly: value), let choice = Choice(rawValue: raw) else {
            throw .unknown(kind: "\(Choice.self)", value: value)
        }
        return choice
    }

    mutating func readPluginPresences() throws(DecodingFailure) -> [PluginPresence] {
        let count = try readVariable()
        guard count <= UInt64(Limits.queuesMax) else {
            throw .malformed("a list of \(count) plugins, at most \(Limits.queuesMax)")
        }
        var presences: [PluginPresence] = []
        for _ in 0..<count {
            presences.append(
                PluginPresence(
                    queue: try readText(maximum: Limits.queueNameBytesMax),
                    problem: try readText(maximum: PluginPresence.problemBytesMax)))
        }
        return presences
    }
}
