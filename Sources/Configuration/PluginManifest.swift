import TaskModel

/// A plugin's `plugin.toml`.
///
/// Nil and empty: not said.
package struct PluginManifest: Hashable, Sendable {
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        case oneshot
        case stream
    }

    package var mode: Mode?
    /// Replaces the executable; the first word is looked up in the plugin's folder.
    package var command: [String] = []
    /// How long a stream processor may take to its `ready`, milliseconds.
    package var startTimeoutMilliseconds: UInt64?
    /// How long a task in hand may go on when the worker stops, milliseconds.
    package var stopGraceMilliseconds: UInt64?
    /// A JSON Schema's file, relative to the plugin's folder.
    package var schema: String?
    package var environment: [String: String] = [:]
    package var memoryMaxBytes: UInt64?
    package var tasksMax: Int?
    /// Of one CPU, in per cent.
    package var cpuQuotaPercent: Int?
    /// The queue's defaults, under everything that taskq.toml says.
    package var queue = QueueOverrides()

    package init() {}

    /// Reads a manifest's file.
    ///
    /// All problems at once.
    package static func load(_ path: String) throws(ConfigurationError) -> PluginManifest {
        try PluginManifest(document: ConfigurationSources.read(path))
    }

    package init(document: TOMLNode) throws(ConfigurationError) {
        let problems = ProblemList()
        self.init(document, problems)
        try problems.throwIfAny()
    }

    init(_ document: TOMLNode, _ problems: ProblemList) {
        let table = TOMLTable(root: document, problems: problems)
        self.init()
        mode = table.choice("mode", among: Mode.allCases.map { ($0.rawValue, $0) })
        readCommand(table)
        startTimeoutMilliseconds = table.duration("start_timeout", in: 100...3_600_000)
        stopGraceMilliseconds = table.duration("stop_grace", in: 0...3_600_000)
        schema = table.string("schema")
        readEnvironment(table)
        memoryMaxBytes = table.size("memory_max", in: (1 << 20)...(1 << 44))
        tasksMax = table.integer("tasks_max", in: 1...1_000_000).map { Int($0) }
        readQuota(table)
        queue.processor.read(table)
        if let defaults = table.table("queue") {
            queue.readQueueKeys(defaults)
            defaults.rejectUnknownKeys()
        }
        table.rejectUnknownKeys()
        var limits = ProcessorLimits()
        queue.processor.apply(to: &limits)
        var settings = QueueSettings()
        queue.apply(to: &settings)
        queue.processor.checkAgainst(limits, settings, in: table)
    }

    private mutating func readCommand(_ table: TOMLTable) {
        guard let words = table.strings("command"), let node = table.node("command") else { return }
        if words.isEmpty || words[0].isEmpty || words.contains(where: { $0.utf8.contains(0) }) {
            table.reject("command", node, expected: "an array with a program and its arguments")
        } else {
            command = words
        }
    }

    private mutating func readEnvironment(_ table: TOMLTable) {
        guard let variables = table.table("environment") else { return }
        for name in variables.keys {
            guard let value = variables.string(name), let node = variables.node(name) else { continue }
            if name.hasPrefix("TASKQ_") {
                variables.problems.add(
                    variables.fullKey(name), at: node.position, "TASKQ_ variables are taskq's own")
            } else if name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || (name + value).utf8.contains(0)
            {
                variables.reject(name, node, expected: "a variable's name without = and text without NUL")
            } else {
                environment[name] = value
            }
        }
    }

    private mutating func readQuota(_ table: TOMLTable) {
        cpuQuotaPercent = table.text("cpu_quota", expected: "per cent of one CPU such as \"50%\"") { text in
            guard text.hasSuffix("%"), let percent = Int(text.dropLast()), (1...100_000).contains(percent)
            else { return nil }
            return percent
        }
    }
}
