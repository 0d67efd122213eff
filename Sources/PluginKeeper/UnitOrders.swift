/// What systemd is still to be asked for, and the command lines that ask it.
///
/// Pure. Orders of one kind that follow each other share a command: fifty plugins that come at once are one.
package struct UnitOrders: Hashable, Sendable {
    /// Units that one command names.
    package static let unitsPerCommandMax = 100

    private enum Verb: String, Hashable, Sendable {
        case start
        /// Only where it runs: an instance that the admin stopped stays down.
        case restart = "try-restart"
        case stop
    }

    private enum Order: Hashable, Sendable {
        case verb(Verb, unit: String)
        case limit(unit: String, properties: [String])
    }

    private var orders: [Order] = []
    /// Queues whose units carry limits of a manifest.
    private var limited: Set<String> = []

    package init() {}

    package var isEmpty: Bool { orders.isEmpty }

    package static func unit(of queue: String) -> String { "taskq-worker@\(queue).service" }

    package mutating func start(_ plugin: FolderObservation.Plugin) {
        limit(plugin)
        orders.append(.verb(.start, unit: Self.unit(of: plugin.queue)))
    }

    package mutating func replace(_ plugin: FolderObservation.Plugin) {
        limit(plugin)
        orders.append(.verb(.restart, unit: Self.unit(of: plugin.queue)))
    }

    package mutating func stop(queue: String) {
        orders.append(.verb(.stop, unit: Self.unit(of: queue)))
    }

    /// Before the start, so that nothing runs without them; what the manifest no longer says is unsaid.
    private mutating func limit(_ plugin: FolderObservation.Plugin) {
        let resources = plugin.resources
        let properties = [
            "MemoryMax=\(resources.memoryMaxBytes.map(String.init) ?? "infinity")",
            "TasksMax=\(resources.tasksMax.map(String.init) ?? "")",
            "CPUQuota=\(resources.cpuQuotaPercent.map { "\($0)%" } ?? "")",
        ]
        guard resources != PluginResources() || limited.contains(plugin.queue) else { return }
        if resources == PluginResources() {
            limited.remove(plugin.queue)
        } else {
            limited.insert(plugin.queue)
        }
        orders.append(.limit(unit: Self.unit(of: plugin.queue), properties: properties))
    }

    /// The arguments of the next `systemctl`; nil when there is nothing left to ask for.
    package mutating func next() -> [String]? {
        guard let first = orders.first else { return nil }
        switch first {
        case .limit(let unit, let properties):
            orders.removeFirst()
            return ["set-property", "--runtime", unit] + properties
        case .verb(let verb, _):
            var units: [String] = []
            while case .verb(verb, let unit)? = orders.first, units.count < Self.unitsPerCommandMax {
                units.append(unit)
                orders.removeFirst()
            }
            return ["--no-block", verb.rawValue] + units
        }
    }
}
