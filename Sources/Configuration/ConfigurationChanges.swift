package import TaskModel

/// What differs between the configuration that a daemon runs with and the one that it is asked to take over.
package struct ConfigurationChanges: Hashable, Sendable {
    /// Keys, `queue.lease` or `queues.mail.lease`, that a running daemon can take over.
    package private(set) var live: [String] = []
    /// Keys whose old values stay until a restart.
    package private(set) var needingRestart: [String] = []

    package var isEmpty: Bool { live.isEmpty && needingRestart.isEmpty }

    package init(from old: ServiceConfiguration, to new: ServiceConfiguration) {
        let scopes = (
            QueueKey.Scope(old, queue: "", manifest: nil), QueueKey.Scope(new, queue: "", manifest: nil)
        )
        for key in ConfigurationKey.all where key.value(old, scopes.0) != key.value(new, scopes.1) {
            add(key.path, key.change)
        }
        for queue in Set(old.queues.keys).union(new.queues.keys).sorted() {
            let scopes = (
                QueueKey.Scope(old, queue: queue, manifest: nil),
                QueueKey.Scope(new, queue: queue, manifest: nil)
            )
            for key in QueueKey.all where key.value(scopes.0) != key.value(scopes.1) {
                add("queues.\(queue).\(key.name)", key.change)
            }
        }
    }

    private mutating func add(_ path: String, _ change: ConfigurationKey.Change) {
        switch change {
        case .reload: live.append(path)
        case .restart: needingRestart.append(path)
        }
    }
}

extension ServiceConfiguration {
    /// A queue's settings after this configuration has become `new`: what has not changed stays as it is, so
    /// that what a plugin's manifest says of it is kept.
    package func settings(
        _ current: QueueSettings, of queue: String, after new: ServiceConfiguration
    ) -> QueueSettings {
        let (before, after) = (queueSettings(for: queue), new.queueSettings(for: queue))
        var settings = current
        func take<Value: Equatable>(_ key: WritableKeyPath<QueueSettings, Value>) {
            if before[keyPath: key] != after[keyPath: key] { settings[keyPath: key] = after[keyPath: key] }
        }
        take(\.leaseMilliseconds)
        take(\.maxAttempts)
        take(\.onExhausted)
        take(\.defaultGroup)
        take(\.retentionMilliseconds)
        take(\.dedupWindowMilliseconds)
        take(\.maxDepth)
        take(\.historyMilliseconds)
        take(\.retryInitialMilliseconds)
        take(\.retryFactorHundredths)
        take(\.retryMaxMilliseconds)
        return settings
    }
}
