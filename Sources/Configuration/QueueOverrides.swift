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
    package var historyMilliseconds: UInt64?
    package var processor = ProcessorOverrides()

    package init() {}

    package func apply(to settings: inout QueueSettings) {
        settings.leaseMilliseconds = leaseMilliseconds ?? settings.leaseMilliseconds
        settings.maxAttempts = maxAttempts ?? settings.maxAttempts
        settings.onExhausted = onExhausted ?? settings.onExhausted
        settings.defaultGroup = defaultGroup ?? settings.defaultGroup
        settings.retentionMilliseconds = retentionMilliseconds ?? settings.retentionMilliseconds
        settings.dedupWindowMilliseconds = dedupWindowMilliseconds ?? settings.dedupWindowMilliseconds
        settings.maxDepth = maxDepth ?? settings.maxDepth
        settings.historyMilliseconds = historyMilliseconds ?? settings.historyMilliseconds
        settings.retryInitialMilliseconds =
            processor.retryInitialMilliseconds ?? settings.retryInitialMilliseconds
        settings.retryFactorHundredths = processor.retryFactorHundredths ?? settings.retryFactorHundredths
        settings.retryMaxMilliseconds = processor.retryMaxMilliseconds ?? settings.retryMaxMilliseconds
    }
}

/// What one layer says of a queue's processor.
package struct ProcessorOverrides: Hashable, Sendable {
    package var timeoutMilliseconds: UInt64?
    package var maxRuntimeMilliseconds: UInt64?
    package var concurrency: Int?
    package var retryInitialMilliseconds: UInt64?
    package var retryFactorHundredths: UInt32?
    package var retryMaxMilliseconds: UInt64?

    package init() {}

    package func apply(to limits: inout ProcessorLimits) {
        limits.timeoutMilliseconds = timeoutMilliseconds ?? limits.timeoutMilliseconds
        limits.maxRuntimeMilliseconds = maxRuntimeMilliseconds ?? limits.maxRuntimeMilliseconds
        limits.concurrency = concurrency ?? limits.concurrency
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

    package init() {}
}
