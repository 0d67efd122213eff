package import Journal
package import QueueStateMachine
package import TaskModel

/// What the broker needs to know before it starts; effective values, wherever they came from.
package struct BrokerOptions: Sendable {
    package var journal: JournalOptions
    /// Where the journal lies, for a backup's client.
    package var directory: String
    package var bounds: QueueStateMachine.Bounds
    /// Queues that the configuration names, with their settings.
    ///
    /// `tasks` is added where it is missing.
    package var queues: [(name: String, settings: QueueSettings)]
    /// For queues that are not named.
    package var defaults: QueueSettings
    /// The settings of a plugin's queue: what the configuration says, laid over the plugin's own defaults.
    package var pluginSettings: @Sendable (_ queue: String, _ defaults: QueueDefaults) -> QueueSettings = {
        _, defaults in
        var settings = QueueSettings()
        defaults.apply(to: &settings)
        return settings
    }
    /// The same for what no record depends on.
    package var pluginBounds:
        @Sendable (_ queue: String, _ defaults: QueueDefaults) -> QueueStateMachine.QueueBounds = {
            _, defaults in
            var bounds = QueueStateMachine.QueueBounds()
            bounds.storedBytesMax = defaults.maxBytes ?? bounds.storedBytesMax
            bounds.deadRetentionMilliseconds =
                defaults.deadLetterRetentionMilliseconds ?? bounds.deadRetentionMilliseconds
            bounds.workersMax = defaults.workers.map { Int($0) } ?? bounds.workersMax
            return bounds
        }

    package init(
        journal: JournalOptions = JournalOptions(), directory: String = "",
        bounds: QueueStateMachine.Bounds = QueueStateMachine.Bounds(),
        queues: [(name: String, settings: QueueSettings)] = [], defaults: QueueSettings = QueueSettings()
    ) {
        self.journal = journal
        self.directory = directory
        self.bounds = bounds
        self.queues = queues
        self.defaults = defaults
    }

    /// The queue of `POST /tasks`; it always exists.
    package static let defaultQueue = "tasks"

    package var declaredQueues: [(name: String, settings: QueueSettings)] {
        queues.contains { $0.name == Self.defaultQueue } ? queues : [(Self.defaultQueue, defaults)] + queues
    }
}

/// The clocks of one turn, read once at its start.
package struct TurnClocks: Sendable {
    /// CLOCK_MONOTONIC, nanoseconds.
    package var monotonicNanoseconds: UInt64
    package var raw: RawClocks

    package init(monotonicNanoseconds: UInt64, raw: RawClocks) {
        self.monotonicNanoseconds = monotonicNanoseconds
        self.raw = raw
    }
}
