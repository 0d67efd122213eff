package import TaskModel

/// The effective configuration: every layer applied, every value checked.
package struct ServiceConfiguration: Hashable, Sendable {
    /// The table `[api]`.
    package struct API: Hashable, Sendable {
        package var listen = ListenAddress(host: "127.0.0.1", port: 8080)
        /// False where `listen` is the default: an inherited socket may then have any address.
        package var listenIsSet = false
        package var maxBodyBytes = 1 << 20
        package var maxConnections = 4_096
        /// How long a request may take to arrive, milliseconds.
        package var timeoutMilliseconds: UInt64 = 30_000
        /// Requests a second of one key or address; 0: no bound.
        package var rateLimit = 0
        /// Requests that may come at once before the rate counts; the rate itself unless the file says
        /// otherwise.
        package var burst = 0
        /// Lets a server without keys listen on more than loopback.
        package var allowAnonymous = false
        /// `*`, or origins as browsers send them.
        package var corsAllowedOrigins: [String] = []
        /// From whom `X-Forwarded-For` is believed.
        package var trustedProxies: [AddressRange] = []
        /// Names that `Host` may carry, in lower case; none: any.
        package var allowedHosts: [String] = []
        /// Files in PEM; both or neither.
        package var tlsCertificate: String?
        package var tlsKey: String?
    }

    /// The table `[plugins]`.
    package struct Plugins: Hashable, Sendable {
        /// Users besides root whose processors are run.
        package var owners: [String] = []
    }

    /// The table `[journal]`.
    package struct Journal: Hashable, Sendable {
        package var directory = "/var/lib/taskq/journal"
        package var segmentBytes: UInt64 = 64 << 20
        /// What only acks, dead-letter moves and compaction may use; two segments unless the file says
        /// otherwise.
        package var reserveBytes: UInt64 = 128 << 20
    }

    /// The table `[log]`.
    package struct Log: Hashable, Sendable {
        /// Which tasks get a line each.
        package enum Tasks: String, Hashable, Sendable, CaseIterable {
            /// All up to 200 tasks a second, above that the failed ones.
            case automatic = "auto"
            case all
            case failures
        }

        package enum Level: String, Hashable, Sendable, CaseIterable {
            case trace
            case debug
            case info
            case notice
            case warning
            case error
        }

        package var tasks = Tasks.automatic
        package var level = Level.info
    }

    package var environment = "prod"
    package var api = API()
    package var journal = Journal()
    package var log = Log()
    package var plugins = Plugins()
    /// Keys of all queues together that deduplication remembers at once.
    package var dedupMax = 1_000_000
    /// Finished tasks of all queues together that stay known.
    package var historyMax = 200_000
    /// `[queue]` and `[processor]`.
    package var everyQueue = QueueOverrides()
    /// The tables `[queues.NAME]`.
    package var queues: [String: QueueOverrides] = [:]
    package var paths = StatePaths()

    package init() {}

    /// A queue's settings: defaults, its plugin's manifest, `[queue]`, `[queues.NAME]`.
    package func queueSettings(for name: String, manifest: QueueOverrides? = nil) -> QueueSettings {
        queueSettings(for: name, plugin: manifest?.defaults ?? QueueDefaults())
    }

    /// The same with the manifest's defaults as the plugin keeper sends them.
    package func queueSettings(for name: String, plugin: QueueDefaults) -> QueueSettings {
        var settings = QueueSettings()
        plugin.apply(to: &settings)
        for layer in layers(for: name, manifest: nil) { layer.apply(to: &settings) }
        return settings
    }

    /// How a queue's processor is bounded, in the same order of layers.
    package func processorLimits(for name: String, manifest: QueueOverrides? = nil) -> ProcessorLimits {
        var limits = ProcessorLimits()
        for layer in layers(for: name, manifest: manifest) { layer.processor.apply(to: &limits) }
        return limits
    }

    /// What a queue may take of the disk, in the same order of layers.
    package func storageBounds(for name: String, manifest: QueueOverrides? = nil) -> QueueStorageBounds {
        var bounds = QueueStorageBounds()
        for layer in layers(for: name, manifest: manifest) { layer.apply(to: &bounds) }
        return bounds
    }

    /// The same with the manifest's defaults as the plugin keeper sends them.
    package func storageBounds(for name: String, plugin: QueueDefaults) -> QueueStorageBounds {
        var manifest = QueueOverrides()
        manifest.maxBytes = plugin.maxBytes
        manifest.deadLetterRetentionMilliseconds = plugin.deadLetterRetentionMilliseconds
        return storageBounds(for: name, manifest: manifest)
    }

    /// Workers that may serve a queue at once, with the manifest's defaults as the plugin keeper sends them.
    package func workers(for name: String, plugin: QueueDefaults) -> Int {
        var manifest = QueueOverrides()
        manifest.processor.workers = plugin.workers.map { Int($0) }
        return processorLimits(for: name, manifest: manifest).workers
    }

    private func layers(for name: String, manifest: QueueOverrides?) -> [QueueOverrides] {
        [manifest, everyQueue, queues[name]].compactMap { $0 }
    }
}
