import TaskModel

/// A key of taskq.toml outside `[queues.NAME]`: how it is shown, and what a change of it takes.
package struct ConfigurationKey: Sendable {
    /// What makes a changed value effective.
    package enum Change: String, Hashable, Sendable {
        /// A running daemon can take it over.
        case reload
        /// The daemon has built on the old value.
        case restart
    }

    /// Dotted, `queue.lease`.
    package let path: String
    package let change: Change
    /// False: it is read and shown, and no daemon obeys it yet.
    package let isObeyed: Bool
    let value: @Sendable (ServiceConfiguration, QueueKey.Scope) -> ConfigurationValue

    private init(
        _ path: String, _ change: Change, isObeyed: Bool = true,
        _ value: @escaping @Sendable (ServiceConfiguration) -> ConfigurationValue
    ) {
        self.path = path
        self.change = change
        self.isObeyed = isObeyed
        self.value = { configuration, _ in value(configuration) }
    }

    private init(_ key: QueueKey) {
        path = "\(key.section.rawValue).\(key.name)"
        change = key.change
        isObeyed = key.isObeyed
        value = { _, scope in key.value(scope) }
    }

    /// In the order of the file.
    package static let all: [ConfigurationKey] =
        [ConfigurationKey("environment", .restart) { .text($0.environment) }] + api
        + QueueKey.all.filter { $0.section == .queue }.map { ConfigurationKey($0) } + totals
        + QueueKey.all.filter { $0.section == .processor }.map { ConfigurationKey($0) } + rest

    private static let api = [
        ConfigurationKey("api.listen", .restart) { .text("\($0.api.listen)") },
        ConfigurationKey("api.max_body_bytes", .reload) { .size(UInt64($0.api.maxBodyBytes)) },
        ConfigurationKey("api.max_connections", .reload) { .number(UInt64($0.api.maxConnections)) },
        ConfigurationKey("api.timeout", .reload, isObeyed: false) { .duration($0.api.timeoutMilliseconds) },
        ConfigurationKey("api.rate_limit", .reload, isObeyed: false) { .number(UInt64($0.api.rateLimit)) },
        ConfigurationKey("api.burst", .reload, isObeyed: false) { .number(UInt64($0.api.burst)) },
        ConfigurationKey("api.allow_anonymous", .restart, isObeyed: false) { .flag($0.api.allowAnonymous) },
        ConfigurationKey("api.cors_allowed_origins", .reload, isObeyed: false) {
            .list($0.api.corsAllowedOrigins)
        },
        ConfigurationKey("api.trusted_proxies", .reload, isObeyed: false) {
            .list($0.api.trustedProxies.map(\.description))
        },
        ConfigurationKey("api.allowed_hosts", .reload, isObeyed: false) { .list($0.api.allowedHosts) },
        ConfigurationKey("api.tls_certificate", .restart, isObeyed: false) {
            optional($0.api.tlsCertificate)
        },
        ConfigurationKey("api.tls_key", .restart, isObeyed: false) { optional($0.api.tlsKey) },
    ]

    private static let totals = [
        ConfigurationKey("queue.dedup_max", .restart) { .number(UInt64($0.dedupMax)) },
        ConfigurationKey("queue.history_max", .restart) { .number(UInt64($0.historyMax)) },
    ]

    private static let rest = [
        ConfigurationKey("journal.directory", .restart) { .text($0.journal.directory) },
        ConfigurationKey("journal.segment_bytes", .restart) { .size($0.journal.segmentBytes) },
        ConfigurationKey("journal.reserve_bytes", .restart) { .size($0.journal.reserveBytes) },
        ConfigurationKey("plugins.owners", .restart) { .list($0.plugins.owners) },
        ConfigurationKey("log.tasks", .reload) { .text($0.log.tasks.rawValue) },
        ConfigurationKey("log.level", .reload) { .text($0.log.level.rawValue) },
    ]

    private static func optional(_ text: String?) -> ConfigurationValue { text.map { .text($0) } ?? .absent }

    /// True also for `queues.NAME.key`, by its last words.
    static func isObeyed(_ path: String) -> Bool {
        if let key = all.first(where: { $0.path == path }) { return key.isObeyed }
        let name = path.split(separator: ".").dropFirst(2).joined(separator: ".")
        return QueueKey.all.first { $0.name == name }?.isObeyed ?? true
    }

    /// What the reader expects of each key, by its path; those of one queue stand under `queues.name`.
    package static var expectations: [String: String] {
        func table(_ members: [String: TOMLNode] = [:]) -> TOMLNode {
            TOMLNode(.table(members), at: SourcePosition(source: ""))
        }
        let sections = ["api", "queue", "journal", "log", "plugins"].map { ($0, table()) }
        var members = Dictionary(uniqueKeysWithValues: sections)
        members["processor"] = table(["retry": table()])
        members["queues"] = table(["name": table(["retry": table()])])
        let problems = ProblemList()
        _ = ServiceConfiguration(table(members), problems, isWhole: false)
        return problems.expectations.filter { $0.value != "a table" }
    }

    /// What the reader expects of each key of a plugin.toml.
    package static var manifestExpectations: [String: String] {
        func table(_ members: [String: TOMLNode] = [:]) -> TOMLNode {
            TOMLNode(.table(members), at: SourcePosition(source: ""))
        }
        let problems = ProblemList()
        _ = PluginManifest(table(["retry": table(), "queue": table(), "environment": table()]), problems)
        return problems.expectations.filter { $0.value != "a table" }
    }
}

/// A key that every queue has for itself: in `[queue]` or `[processor]`, in `[queues.NAME]`, in a manifest.
package struct QueueKey: Sendable {
    package enum Section: String, Hashable, Sendable {
        case queue
        case processor
    }

    /// A queue's effective values.
    struct Scope {
        let settings: QueueSettings
        let limits: ProcessorLimits
        let bounds: QueueStorageBounds

        init(_ configuration: ServiceConfiguration, queue: String, manifest: QueueOverrides?) {
            settings = configuration.queueSettings(for: queue, manifest: manifest)
            limits = configuration.processorLimits(for: queue, manifest: manifest)
            bounds = configuration.storageBounds(for: queue, manifest: manifest)
        }
    }

    package let section: Section
    /// `lease`, `retry.initial`.
    package let name: String
    package let change: ConfigurationKey.Change
    package let isObeyed: Bool
    let value: @Sendable (Scope) -> ConfigurationValue

    private init(
        _ section: Section, _ name: String, _ change: ConfigurationKey.Change = .reload,
        isObeyed: Bool = true,
        _ value: @escaping @Sendable (Scope) -> ConfigurationValue
    ) {
        self.section = section
        self.name = name
        self.change = change
        self.isObeyed = isObeyed
        self.value = value
    }

    var steps: [String] { name.split(separator: ".").map(String.init) }

    /// A manifest says the processor's keys at its root, the queue's in a table.
    var manifestSteps: [String] { section == .queue ? ["queue"] + steps : steps }

    package static let all = [
        QueueKey(.queue, "lease") { .duration($0.settings.leaseMilliseconds) },
        QueueKey(.queue, "max_attempts") { .number(UInt64($0.settings.maxAttempts)) },
        QueueKey(.queue, "on_exhausted") { .text($0.settings.onExhausted.word) },
        QueueKey(.queue, "default_group") { .text($0.settings.defaultGroup.word) },
        QueueKey(.queue, "retention") { .duration($0.settings.retentionMilliseconds) },
        QueueKey(.queue, "dedup_window") { .duration($0.settings.dedupWindowMilliseconds) },
        QueueKey(.queue, "max_depth") { .number($0.settings.maxDepth) },
        QueueKey(.queue, "max_bytes") { .size($0.bounds.maxBytes) },
        QueueKey(.queue, "history") { .duration($0.settings.historyMilliseconds) },
        QueueKey(.queue, "dlq_retention") { .duration($0.bounds.deadLetterRetentionMilliseconds) },
        QueueKey(.processor, "timeout") { .duration($0.limits.timeoutMilliseconds) },
        QueueKey(.processor, "max_runtime") { .duration($0.limits.maxRuntimeMilliseconds) },
        QueueKey(.processor, "concurrency", .restart) { .number(UInt64($0.limits.concurrency)) },
        QueueKey(.processor, "workers") { .number(UInt64($0.limits.workers)) },
        QueueKey(.processor, "retry.initial") { .duration($0.settings.retryInitialMilliseconds) },
        QueueKey(.processor, "retry.factor") { .hundredths($0.settings.retryFactorHundredths) },
        QueueKey(.processor, "retry.max") { .duration($0.settings.retryMaxMilliseconds) },
    ]
}

extension QueueSettings.OnExhausted {
    /// As a file says it.
    var word: String {
        switch self {
        case .deadLetter: "dead-letter"
        case .parkGroup: "park-group"
        case .haltQueue: "halt-queue"
        }
    }
}

extension QueueSettings.DefaultGroup {
    /// As a file says it.
    var word: String {
        switch self {
        case .queue: "queue"
        case .task: "task"
        }
    }
}
