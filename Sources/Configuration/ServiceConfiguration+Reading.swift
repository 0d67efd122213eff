import TaskModel

extension ServiceConfiguration {
    /// Reads the merged document of all files and variables.
    ///
    /// All problems at once.
    package init(document: TOMLNode) throws(ConfigurationError) {
        let problems = ProblemList()
        self.init()
        let root = TOMLTable(root: document, problems: problems)
        readEnvironment(root)
        if let table = root.table("api") { readAPI(table) }
        readQueueAndProcessor(root)
        if let table = root.table("queues") { readQueues(table) }
        if let table = root.table("journal") { readJournal(table) }
        if let table = root.table("log") { readLog(table) }
        root.rejectUnknownKeys()
        try problems.throwIfAny()
    }

    private mutating func readEnvironment(_ root: TOMLTable) {
        guard let name = root.string("environment") else { return }
        if QueueDeclaration.isValidName(name) {
            environment = name
        } else if let node = root.node("environment") {
            root.reject("environment", node, expected: "a name of a-z, 0-9, _ and -, such as \"prod\"")
        }
    }

    private mutating func readAPI(_ table: TOMLTable) {
        if let text = table.string("listen"), let node = table.node("listen") {
            if let address = ListenAddress(text) {
                api.listen = address
                api.listenIsSet = true
            } else {
                table.reject("listen", node, expected: "an address and port such as \"127.0.0.1:8080\"")
            }
        }
        let bodyBytes = table.size("max_body_bytes", in: 1_024...(4 << 20))
        api.maxBodyBytes = bodyBytes.map { Int($0) } ?? api.maxBodyBytes
        api.maxConnections =
            table.integer("max_connections", in: 1...100_000).map { Int($0) } ?? api.maxConnections
        table.rejectUnknownKeys()
    }

    private mutating func readQueueAndProcessor(_ root: TOMLTable) {
        if let table = root.table("queue") {
            everyQueue.readQueueKeys(table)
            dedupMax = table.integer("dedup_max", in: 0...100_000_000).map { Int($0) } ?? dedupMax
            historyMax = table.integer("history_max", in: 0...100_000_000).map { Int($0) } ?? historyMax
            table.rejectUnknownKeys()
        }
        if let table = root.table("processor") {
            everyQueue.processor.read(table)
            table.rejectUnknownKeys()
            everyQueue.processor.checkAgainst(processorLimits(for: ""), queueSettings(for: ""), in: table)
        }
    }

    private mutating func readQueues(_ tables: TOMLTable) {
        for name in tables.keys {
            guard let table = tables.table(name) else { continue }
            if !QueueDeclaration.isValidName(name) {
                tables.problems.add(
                    tables.fullKey(name), at: table.position,
                    "expected a queue's name of 1 to \(Limits.queueNameBytesMax) characters a-z, 0-9, _ and -"
                )
            }
            var overrides = QueueOverrides()
            overrides.readQueueKeys(table)
            overrides.processor.read(table)
            for key in ["dedup_max", "history_max"] {
                guard let node = table.node(key) else { continue }
                table.problems.add(
                    table.fullKey(key), at: node.position, "bounds all queues together: set it in [queue]")
            }
            table.rejectUnknownKeys()
            queues[name] = overrides
            overrides.processor.checkAgainst(processorLimits(for: name), queueSettings(for: name), in: table)
        }
        if tables.keys.count > Limits.queuesMax {
            tables.problems.add(
                tables.path, at: tables.position, "expected at most \(Limits.queuesMax) queues")
        }
    }

    private mutating func readJournal(_ table: TOMLTable) {
        if let directory = table.string("directory"), let node = table.node("directory") {
            if directory.isEmpty {
                table.reject("directory", node, expected: "a folder's path")
            } else {
                journal.directory = directory
            }
        }
        journal.segmentBytes = table.size("segment_bytes", in: (1 << 20)...(1 << 30)) ?? journal.segmentBytes
        journal.reserveBytes =
            table.size("reserve_bytes", in: (1 << 20)...(1 << 40)) ?? 2 * journal.segmentBytes
        table.rejectUnknownKeys()
    }

    private mutating func readLog(_ table: TOMLTable) {
        log.tasks = table.choice("tasks", among: Log.Tasks.allCases.map { ($0.rawValue, $0) }) ?? log.tasks
        log.level = table.choice("level", among: Log.Level.allCases.map { ($0.rawValue, $0) }) ?? log.level
        table.rejectUnknownKeys()
    }
}
