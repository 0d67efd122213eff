/// What a plugin's manifest says of its queue, under everything that the configuration says; nil: nothing.
package struct QueueDefaults: Hashable, Sendable {
    package var leaseMilliseconds: UInt64?
    package var maxAttempts: UInt32?
    package var onExhausted: QueueSettings.OnExhausted?
    package var defaultGroup: QueueSettings.DefaultGroup?
    package var retentionMilliseconds: UInt64?
    package var dedupWindowMilliseconds: UInt64?
    package var maxDepth: UInt64?
    package var historyMilliseconds: UInt64?
    package var retryInitialMilliseconds: UInt64?
    package var retryFactorHundredths: UInt32?
    package var retryMaxMilliseconds: UInt64?
    /// The last three are in no queue's settings: the broker bounds by them what it takes from now on.
    package var maxBytes: UInt64?
    package var deadLetterRetentionMilliseconds: UInt64?
    package var workers: UInt32?

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
        settings.retryInitialMilliseconds = retryInitialMilliseconds ?? settings.retryInitialMilliseconds
        settings.retryFactorHundredths = retryFactorHundredths ?? settings.retryFactorHundredths
        settings.retryMaxMilliseconds = retryMaxMilliseconds ?? settings.retryMaxMilliseconds
    }
}
