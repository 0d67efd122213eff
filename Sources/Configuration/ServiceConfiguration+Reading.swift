import TaskModel

extension ServiceConfiguration {
    /// Reads the merged document of all files and variables.
    ///
    /// All problems at once.
    package init(document: TOMLNode) throws(ConfigurationError) {
        let problems = ProblemList()
        self.init(document, problems, isWhole: true)
        try problems.throwIfAny()
    }

    /// Reads a document, or one layer of it.
    ///
    /// Whether values agree with each other is only asked of the whole: a layer need not say all of them.
    init(_ document: TOMLNode, _ problems: ProblemList, isWhole: Bool) {
        self.init()
        let root = TOMLTable(root: document, problems: problems)
        let name = "a name of a-z, 0-9, _ and -, such as \"prod\""
        environment =
            root.text("environment", expected: name) { QueueDeclaration.isValidName($0) ? $0 : nil }
            ?? environment
        if let table = root.table("api") { readAPI(table, isWhole) }
        readQueueAndProcessor(root, isWhole)
        if let table = root.table("queues") { readQueues(table, isWhole) }
        if let table = root.table("journal") { readJournal(table) }
        if let table = root.table("log") { readLog(table) }
        if let table = root.table("plugins") { readPlugins(table) }
        root.rejectUnknownKeys()
    }

    private mutating func readAPI(_ table: TOMLTable, _ isWhole: Bool) {
        let address = "an address and port such as \"127.0.0.1:8080\""
        if let listen = table.text("listen", expected: address, parse: { ListenAddress($0) }) {
            api.listen = listen
            api.listenIsSet = true
        }
        let bodyBytes = table.size("max_body_bytes", in: 1_024...(4 << 20))
        api.maxBodyBytes = bodyBytes.map { Int($0) } ?? api.maxBodyBytes
        api.maxConnections =
            table.integer("max_connections", in: 1...100_000).map { Int($0) } ?? api.maxConnections
        api.timeoutMilliseconds = table.duration("timeout", in: 1_000...600_000) ?? api.timeoutMilliseconds
        api.rateLimit = table.integer("rate_limit", in: 0...1_000_000).map { Int($0) } ?? api.rateLimit
        api.burst = table.integer("burst", in: 0...1_000_000).map { Int($0) } ?? api.rateLimit
        api.allowAnonymous = table.boolean("allow_anonymous") ?? api.allowAnonymous
        readCallers(table)
        readTLS(table, isWhole)
        table.rejectUnknownKeys()
    }

    /// Who may ask, and through whom.
    private mutating func readCallers(_ table: TOMLTable) {
        api.corsAllowedOrigins =
            table.list(
                "cors_allowed_origins", of: "origins such as \"https://example.com\", or \"*\"",
                element: "an origin such as \"https://example.com\", or \"*\"", parse: WebNames.origin)
            ?? api.corsAllowedOrigins
        api.trustedProxies =
            table.list(
                "trusted_proxies", of: "addresses such as \"10.0.0.0/8\"",
                element: "an address or a range without host bits such as \"10.0.0.0/8\"",
                parse: { AddressRange($0) }) ?? api.trustedProxies
        api.allowedHosts =
            table.list(
                "allowed_hosts", of: "host names such as \"tasks.example.com\"",
                element: "a host name without a port such as \"tasks.example.com\"", parse: WebNames.host)
            ?? api.allowedHosts
    }

    private mutating func readTLS(_ table: TOMLTable, _ isWhole: Bool) {
        let expected = "a file's path"
        api.tlsCertificate = table.text("tls_certificate", expected: expected, parse: Self.path)
        api.tlsKey = table.text("tls_key", expected: expected, parse: Self.path)
        guard isWhole else { return }
        for (key, other) in [("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")] {
            guard let node = table.node(key), case .string = node.value, table.node(other) == nil
            else { continue }
            table.problems.add(
                table.fullKey(key), at: node.position, "expected \(other) beside it, found \(key) alone")
        }
    }

    private static func path(_ text: String) -> String? {
        text.isEmpty || text.utf8.contains(0) ? nil : text
    }

    private mutating func readQueueAndProcessor(_ root: TOMLTable, _ isWhole: Bool) {
        if let table = root.table("queue") {
            everyQueue.readQueueKeys(table)
            dedupMax = table.integer("dedup_max", in: 0...100_000_000).map { Int($0) } ?? dedupMax
            historyMax = table.integer("history_max", in: 0...100_000_000).map { Int($0) } ?? historyMax
            table.rejectUnknownKeys()
        }
        if let table = root.table("processor") {
            everyQueue.processor.read(table)
            table.rejectUnknownKeys()
            guard isWhole else { return }
            everyQueue.processor.checkAgainst(processorLimits(for: ""), queueSettings(for: ""), in: table)
        }
    }

    private mutating func readQueues(_ tables: TOMLTable, _ isWhole: Bool) {
        for name in tables.keys {
            guard let table = tables.table(name) else { continue }
            if !QueueDeclaration.isValidName(name) {
                tables.problems.add(
                    tables.fullKey(name), at: table.position,
                    "expected a queue's name of 1 to \(Limits.queueNameBytesMax) characters "
                        + "a-z, 0-9, _ and -, found \(TOMLNode.quoted(name))")
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
            guard isWhole else { continue }
            overrides.processor.checkAgainst(processorLimits(for: name), queueSettings(for: name), in: table)
        }
        if tables.keys.count > Limits.queuesMax {
            tables.problems.add(
                tables.path, at: tables.position,
                "expected at most \(Limits.queuesMax) queues, found \(tables.keys.count)")
        }
    }

    private mutating func readJournal(_ table: TOMLTable) {
        journal.directory =
            table.text("directory", expected: "a folder's path", parse: Self.path) ?? journal.directory
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

    private mutating func readPlugins(_ table: TOMLTable) {
        plugins.owners =
            table.list(
                "owners", of: "users' names such as \"deploy\"", element: "a user's name such as \"deploy\"",
                parse: WebNames.user) ?? plugins.owners
        table.rejectUnknownKeys()
    }
}
