import TaskModel

/// Bounds of the values; what they are for stands with the fields.
private enum Bounds {
    static let forever = Quantities.foreverMilliseconds
    static let day: UInt64 = 86_400_000
    /// A lease ends at the earliest 10 s after the 5 s that a processor has between TERM and KILL.
    static let leaseMilliseconds: ClosedRange<UInt64> = 15_000...day
    static let maxAttempts: ClosedRange<Int64> = 1...1_000
    static let retentionMilliseconds: ClosedRange<UInt64> = 1_000...forever
    static let dedupWindowMilliseconds: ClosedRange<UInt64> = 0...(30 * day)
    static let maxDepth: ClosedRange<Int64> = 1...1_000_000_000
    /// Room for the largest task at least; 1 PiB at most.
    static let maxBytes: ClosedRange<UInt64> = (4 << 20)...(1 << 50)
    static let historyMilliseconds: ClosedRange<UInt64> = 0...(365 * day)
    static let timeoutMilliseconds: ClosedRange<UInt64> = 10...(7 * day)
    static let concurrency: ClosedRange<Int64> = 1...1_024
    static let workers: ClosedRange<Int64> = 1...64
    static let retryMilliseconds: ClosedRange<UInt64> = 0...3_600_000
    static let retryFactorHundredths: ClosedRange<UInt32> = 100...10_000
}

extension QueueOverrides {
    /// Reads the keys of `[queue]` and of `[queues.NAME]`.
    mutating func readQueueKeys(_ table: TOMLTable) {
        leaseMilliseconds = table.duration("lease", in: Bounds.leaseMilliseconds)
        maxAttempts = table.integer("max_attempts", in: Bounds.maxAttempts).map { UInt32($0) }
        onExhausted = table.choice(
            "on_exhausted", among: QueueSettings.OnExhausted.allCases.map { ($0.word, $0) })
        defaultGroup = table.choice(
            "default_group", among: QueueSettings.DefaultGroup.allCases.map { ($0.word, $0) })
        retentionMilliseconds = table.duration("retention", in: Bounds.retentionMilliseconds, forever: true)
        dedupWindowMilliseconds = table.duration("dedup_window", in: Bounds.dedupWindowMilliseconds)
        maxDepth = table.integer("max_depth", in: Bounds.maxDepth).map { UInt64($0) }
        maxBytes = table.size("max_bytes", in: Bounds.maxBytes, unlimited: true)
        historyMilliseconds = table.duration("history", in: Bounds.historyMilliseconds)
        deadLetterRetentionMilliseconds = table.duration(
            "dlq_retention", in: Bounds.retentionMilliseconds, forever: true)
    }
}

extension ProcessorOverrides {
    /// Reads the keys of `[processor]`, with its table `retry`.
    mutating func read(_ table: TOMLTable) {
        timeoutMilliseconds = table.duration("timeout", in: Bounds.timeoutMilliseconds)
        maxRuntimeMilliseconds = table.duration("max_runtime", in: Bounds.timeoutMilliseconds)
        concurrency = table.integer("concurrency", in: Bounds.concurrency).map { Int($0) }
        workers = table.integer("workers", in: Bounds.workers).map { Int($0) }
        guard let retry = table.table("retry") else { return }
        retryInitialMilliseconds = retry.duration("initial", in: Bounds.retryMilliseconds)
        retryFactorHundredths = retry.hundredths("factor", in: Bounds.retryFactorHundredths)
        retryMaxMilliseconds = retry.duration("max", in: Bounds.retryMilliseconds)
        retry.rejectUnknownKeys()
    }

    /// Says what cannot be met once this layer lies on the ones below; told where this layer says it.
    func checkAgainst(_ limits: ProcessorLimits, _ settings: QueueSettings, in table: TOMLTable) {
        let key = timeoutMilliseconds != nil ? "timeout" : "max_runtime"
        if limits.timeoutMilliseconds > limits.maxRuntimeMilliseconds, let node = table.node(key) {
            let timeout = Quantities.durationText(limits.timeoutMilliseconds)
            let runtime = Quantities.durationText(limits.maxRuntimeMilliseconds)
            table.problems.add(
                table.fullKey(key), at: node.position,
                "expected timeout (\(timeout)) at most max_runtime (\(runtime))"
            )
        }
        guard settings.retryInitialMilliseconds > settings.retryMaxMilliseconds,
            let retry = table.node("retry")
        else {
            return
        }
        let initial = Quantities.durationText(settings.retryInitialMilliseconds)
        let longest = Quantities.durationText(settings.retryMaxMilliseconds)
        table.problems.add(
            table.fullKey("retry"), at: retry.position,
            "expected initial (\(initial)) at most max (\(longest))")
    }
}
