import TaskModel

/// A plugin's manifest, as it was written and as it is read.
package struct PluginManifestLayer: Hashable, Sendable {
    package var document: TOMLNode
    package var manifest: PluginManifest
}

/// A configuration with where each value came from and all that is wrong with it.
package struct ConfigurationInspection: Hashable, Sendable {
    /// What is effective; where a value is wrong, its default.
    package var configuration: ServiceConfiguration
    /// All files, variables and options laid over each other.
    package var document: TOMLNode
    /// The files that were read, the first one's values weakest.
    package var files: [String]
    /// By queue.
    package var manifests: [String: PluginManifestLayer]
    /// In the order of sources, lines and columns; none: a daemon starts.
    package var problems: [ConfigurationProblem]

    /// Every key with its value and its origin, then what single queues have of their own.
    package var values: [EffectiveValue] {
        let shared = QueueKey.Scope(configuration, queue: "", manifest: nil)
        return ConfigurationKey.all.map { key in
            EffectiveValue(
                key: key.path, value: key.value(configuration, shared), origin: origin(key.path))
        } + queueNames.flatMap { ownValues(of: $0) }
    }

    private var queueNames: [String] {
        Set(configuration.queues.keys).union(manifests.keys).sorted()
    }

    /// What a queue's own table or its plugin's manifest decides.
    private func ownValues(of queue: String) -> [EffectiveValue] {
        let layer = manifests[queue]
        let scope = QueueKey.Scope(configuration, queue: queue, manifest: layer?.manifest.queue)
        return QueueKey.all.compactMap { key in
            let own = document.node(at: ["queues", queue] + key.steps)
            let isShared = document.node(at: [key.section.rawValue] + key.steps) != nil
            let inherited = isShared ? nil : layer?.document.node(at: key.manifestSteps)
            guard let node = own ?? inherited else { return nil }
            return EffectiveValue(
                key: "queues.\(queue).\(key.name)", value: key.value(scope), origin: node.position)
        }
    }

    private func origin(_ path: String) -> SourcePosition? {
        document.node(at: path.split(separator: ".").map(String.init))?.position
    }

    /// What is right and yet may not do what its writer expects.
    package var notices: [String] {
        let effective = values
        var notices: [String] = []
        for value in effective {
            guard let origin = value.origin, !ConfigurationKey.isObeyed(value.key) else { continue }
            notices.append("\(origin): \(value.key): read, but no daemon obeys it yet")
        }
        for queue in [""] + queueNames {
            let manifest = manifests[queue]?.manifest.queue
            let limits = configuration.processorLimits(for: queue, manifest: manifest)
            let settings = configuration.queueSettings(for: queue, manifest: manifest)
            let own = effective.first { $0.key == "queues.\(queue).concurrency" && $0.origin != nil }
            let shared = effective.first { $0.key == "processor.concurrency" && $0.origin != nil }
            guard limits.concurrency > 1, settings.defaultGroup == .queue,
                let value = queue.isEmpty ? shared : own, let origin = value.origin
            else { continue }
            notices.append(
                "\(origin): \(value.key): tasks posted without Taskq-Group still run one at a time; "
                    + "give them groups, or set default_group = \"task\"")
        }
        return notices
    }
}

/// A key with what it means now.
package struct EffectiveValue: Hashable, Sendable {
    package var key: String
    package var value: ConfigurationValue
    /// Nil: the default.
    package var origin: SourcePosition?
}

extension TOMLNode {
    /// The node under nested tables; nil where one of them is absent or no table.
    func node(at steps: [String]) -> TOMLNode? {
        var node = self
        for step in steps {
            guard case .table(let members) = node.value, let next = members[step] else { return nil }
            node = next
        }
        return node
    }
}
