package import TaskModel

/// What one layer (a manifest, `[queue]` with `[processor]`, a `[queues.NAME]`) says of a queue; nil:
/// nothing.
package struct QueueOverrides: Hashable, Sendable {
    package var leaseMilliseconds: UInt64?
    package var maxAttempts: UInt32?
    package var onExhausted: QueueSettings.OnExhausted?
    package var defaultGroup: QueueSettings.DefaultGroup?
    package var retentionMilliseconds: UInt64?
    package var dedupWindowMilliseconds: UInt64?
    package var maxDepth: UInt64?
    package var maxBytes: UInt64?
    package var historyMilliseconds: UInt64?
    package var deadLetterRetentionMilliseconds: UInt64?
    package var processor = ProcessorOverrides()

    package init() {}

    package func apply(to settings: inout QueueSettings) { defaults.apply(to: &settings) }

    /// What the broker is told of a manifest.
    package var defaults: QueueDefaults {
        var defaults = QueueDefaults()
        defaults.leaseMilliseconds = leaseMilliseconds
        defaults.maxAttempts = maxAttempts
        defaults.onExhausted = onExhausted
        defaults.defaultGroup = defaultGroup
        defaults.retentionMilliseconds = retentionMilliseconds
        defaults.dedupWindowMilliseconds = dedupWindowMilliseconds
        defaults.maxDepth = maxDepth
        defaults.historyMilliseconds = historyMilliseconds
        defaults.retryInitialMilliseconds = processor.retryInitialMilliseconds
        defaults.retryFactorHundredths = processor.retryFactorHundredths
        defaults.retryMaxMilliseconds = processor.retryMaxMilliseconds
        defaults.maxBytes = maxBytes
        defaults.deadLetterRetentionMilliseconds = deadLetterRetentionMilliseconds
        defaults.workers = processor.workers.map { UInt32(clamping: $0) }
        return defaults
    }

    package func apply(to bounds: inout QueueStorageBounds) {
        bounds.maxBytes = maxBytes ?? bounds.maxBytes
        bounds.deadLetterRetentionMilliseconds =
            deadLetterRetentionMilliseconds ?? bounds.deadLetterRetentionMilliseconds
    }
}

/// What a queue may take of the disk, all layers applied.
package struct QueueStorageBounds: Hashable, Sendable {
    /// Payloads of waiting, dead and remembered tasks together, bytes; above it posts are refused.
    package var maxBytes = Quantities.unlimitedBytes
    /// How long a dead task is kept, milliseconds of journal time.
    package var deadLetterRetentionMilliseconds = Quantities.foreverMilliseconds

    package init() {}
}

/// What one layer says of a queue's processor.
package struct ProcessorOverrides: Hashable, Sendable {
    package var timeoutMilliseconds: UInt64?
    package var maxRuntimeMilliseconds: UInt64?
    package var concurrency: Int?
    package var workers: Int?
    package var retryInitialMilliseconds: UInt64?
    package var retryFactorHundredths: UInt32?
    package var retryMaxMilliseconds: UInt64?

    package init() {}

    package func apply(to limits: inout ProcessorLimits) {
        limits.timeoutMilliseconds = timeoutMilliseconds ?? limits.timeoutMilliseconds
        limits.maxRuntimeMilliseconds = maxRuntimeMilliseconds ?? limits.maxRuntimeMilliseconds
        limits.concurrency = concurrency ?? limits.concurrency
        limits.workers = workers ?? limits.workers
    }
}

/// How a queue's processor is bounded, all layers applied.
package struct ProcessorLimits: Hashable, Sendable {
    /// Bounds an attempt, milliseconds; the processor's `extend` moves its end.
    package var timeoutMilliseconds: UInt64 = 30_000
    /// Bounds an attempt with its extensions, milliseconds from its start.
    package var maxRuntimeMilliseconds: UInt64 = 3_600_000
    /// Processes at once.
    package var concurrency = 1
    /// Workers that may serve the queue at once.
    package var workers = 1

    package init() {}
}
