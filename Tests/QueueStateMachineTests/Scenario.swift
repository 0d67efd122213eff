import QueueStateMachine
import TaskModel

/// Runs a scenario file: commands, `----`, and what they must print, in blocks separated by blank lines.
///
/// A command is a verb, plain arguments and `key=value` options. Tasks are named by numbers, workers by
/// letters, and receipts `r1`, `r2`, … in the order of deliveries. Lines that begin with `#` are comments.
struct ScenarioRunner {
    var fixture = MachineFixture()
    private var receipts: [(lsn: LogSequenceNumber, task: TaskID)] = []
    private var peers: [String: PeerID] = [:]

    struct Block {
        let line: Int
        let commands: [String]
        let expected: [String]
    }

    static func blocks(of text: String) -> [Block] {
        var blocks: [Block] = []
        var commands: [String] = []
        var expected: [String]?
        var start = 1
        func close() {
            if !commands.isEmpty {
                blocks.append(Block(line: start, commands: commands, expected: expected ?? []))
            }
            commands = []
            expected = nil
        }
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.hasPrefix("#") { continue }
            if line.isEmpty {
                close()
            } else if line == "----" {
                expected = []
            } else if expected != nil {
                expected?.append(String(line))
            } else {
                if commands.isEmpty { start = index + 1 }
                commands.append(String(line))
            }
        }
        close()
        return blocks
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    mutating func run(_ command: String) throws -> [String] {
        let words = command.split(separator: " ").map(String.init)
        var options: [String: String] = [:]
        var arguments: [String] = []
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { options[parts[0]] = parts[1] } else { arguments.append(word) }
        }
        return try run(words[0], arguments, options)
    }

    private mutating func run(
        _ verb: String, _ arguments: [String], _ options: [String: String]
    ) throws -> [String] {
        switch verb {
        case "queue": return try declare(arguments, options)
        case "worker": return try connect(arguments, options)
        case "credit":
            fixture.machine.setCredit(UInt16(options["tasks"] ?? "1") ?? 1, of: try peer(arguments))
            return []
        case "died": return describe(fixture.perform(fixture.machine.workerDied(try peer(arguments))))
        case "disconnected":
            let now = fixture.clock.monotonic
            return ["waiting \(fixture.machine.workerDisconnected(try peer(arguments), now: now))"]
        case "post": return try post(arguments, options)
        case "deliver": return deliver()
        case "ack", "nack", "reject", "release": return try settle(verb, arguments, options)
        case "at":
            fixture.seconds = try seconds(arguments.first)
            return describe(fixture.perform(fixture.machine.takeDue(fixture.clock.monotonic, limit: 1_000)))
        case "renew":
            let stale = fixture.machine.renew(
                [try receipt(arguments.dropFirst().first).lsn], by: try peer(arguments),
                now: fixture.clock.monotonic)
            return stale.isEmpty ? [] : ["stale"]
        case "restart":
            if options["from"] == "checkpoint" {
                fixture.restartFromCheckpoint()
            } else {
                fixture.restartByReplay()
            }
            return []
        case "get": return [try get(arguments)]
        case "sums": return [try sums(arguments)]
        case "attempts": return try attempts(arguments)
        case "pause", "resume", "pause-ingest": return try pause(verb, arguments, options)
        case "cancel": return [try cancel(arguments)]
        case "redrive", "purge", "unpark": return try operate(verb, arguments)
        case "blocked": return blocked(arguments, options)
        case "delete": return delete(arguments, options)
        case "reason": return [try reason(arguments)]
        case "plugin":
            if let queue = fixture.machine.queue(named: arguments[0]) {
                fixture.machine.setPlugin(options["present"] == "yes", of: queue.number)
            }
            return []
        case "housekeeping": return housekeep()
        case _: throw Failure(description: "unknown verb \(verb)")
        }
    }

    private mutating func declare(_ arguments: [String], _ options: [String: String]) throws -> [String] {
        var settings = QueueSettings()
        for (key, value) in options {
            switch key {
            case "attempts": settings.maxAttempts = UInt32(value) ?? 1
            case "lease": settings.leaseMilliseconds = UInt64(try seconds(value) * 1_000)
            case "retry": settings.retryInitialMilliseconds = UInt64(try seconds(value) * 1_000)
            case "retention": settings.retentionMilliseconds = UInt64(try seconds(value) * 1_000)
            case "window": settings.dedupWindowMilliseconds = UInt64(try seconds(value) * 1_000)
            case "history": settings.historyMilliseconds = UInt64(try seconds(value) * 1_000)
            case "depth": settings.maxDepth = UInt64(value) ?? 0
            case "exhausted":
                settings.onExhausted =
                    value == "park" ? .parkGroup : value == "halt" ? .haltQueue : .deadLetter
            case "default-group": settings.defaultGroup = value == "task" ? .task : .queue
            case _: throw Failure(description: "unknown option \(key)")
            }
        }
        fixture.declare(arguments[0], settings)
        return []
    }

    private mutating func connect(_ arguments: [String], _ options: [String: String]) throws -> [String] {
        let name = arguments[0]
        let peer = PeerID(rawValue: UInt32(peers.count + 1))
        let holding =
            try (options["holding"]?.split(separator: ",").map { try receipt(String($0)).lsn }) ?? []
        let arrival = fixture.machine.workerArrived(
            peer, name: name, session: SessionID(rawValue: UInt64(options["session"] ?? "1") ?? 1),
            queue: options["queue"] ?? "tasks", holding: holding, now: fixture.clock.monotonic)
        switch arrival {
        case .refused(let reason): return ["refused: \(reason)"]
        case .welcomed(_, let stale, let takeBacks):
            peers[name] = peer
            if let credit = options["credit"] { fixture.machine.setCredit(UInt16(credit) ?? 0, of: peer) }
            return stale.map { "stale \(word(for: $0))" } + describe(fixture.perform(takeBacks))
        }
    }

    private mutating func post(_ arguments: [String], _ options: [String: String]) throws -> [String] {
        try arguments.map { argument in
            let key = options["key"].map { (digest($0), digest(options["body"] ?? "")) }
            let acceptance = fixture.post(
                try number(argument), queue: options["queue"] ?? "tasks", group: options["group"] ?? "",
                key: key)
            switch acceptance {
            case .accept(let task): return "accepted \(argument) sequence \(task.sequence.rawValue)"
            case .replay(let id, let sequence):
                return "replay of \(MachineFixture.number(id)) sequence \(sequence.rawValue)"
            case .refuse(let refusal): return "refused: \(refusal)"
            }
        }
    }

    private mutating func deliver() -> [String] {
        fixture.deliver().map { delivery, receipt in
            receipts.append((receipt, delivery.record.id))
            return "deliver \(MachineFixture.number(delivery.record.id)) to \(delivery.record.worker) "
                + "attempt \(delivery.attempt) r\(receipts.count)"
        }
    }

    private mutating func settle(
        _ verb: String, _ arguments: [String], _ options: [String: String]
    ) throws -> [String] {
        let (lsn, id) = try receipt(arguments.first)
        var failure = TaskModel.Failure(
            outcome: verb == "reject" ? .rejected : .exited(status: 1), durationMilliseconds: 5,
            reason: options["reason"] ?? "")
        failure.retryAfterMilliseconds = try options["after"].map { UInt64(try seconds($0) * 1_000) }
        let answer: Answer =
            switch verb {
            case "ack": .ack(result: [], resultError: "")
            case "nack": .nack(failure)
            case "reject": .reject(failure)
            case _: .release
            }
        let (record, word) = fixture.settle(answer, receipt: lsn, id: id)
        return [word] + describe(record.map { [$0] } ?? [])
    }

    private func describe(_ records: [JournalRecord]) -> [String] {
        records.map { record in
            switch record {
            case .released(let release): "released \(MachineFixture.number(release.id))"
            case .attemptFailed(let failure):
                "failed \(MachineFixture.number(failure.id)) retry \(failure.retryMilliseconds) ms"
            case .completed(let completion): "completed \(MachineFixture.number(completion.id))"
            case .deadLettered(let death):
                "dead \(MachineFixture.number(death.id)) \(death.reason.label) "
                    + "after \(death.summary.receives)"
            case .parked(let parking):
                "parked \(MachineFixture.number(parking.id))\(parking.haltsQueue ? " and halted" : "")"
            case .historyForgotten(let forgotten): "forgot \(forgotten.count)"
            case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .unparked,
                .redriven,
                .cancelled, .purged, .moved:
                "\(record)"
            }
        }
    }
}

extension ScenarioRunner {
    private func get(_ arguments: [String]) throws -> String {
        switch fixture.machine.lookup(
            MachineFixture.id(try number(arguments.first)), now: fixture.clock.monotonic)
        {
        case .live(let task):
            let because = task.waitingBecause.isEmpty ? "" : " (\(readable(task.waitingBecause)))"
            return "\(task.state) receives \(task.receives)\(because)"
        case .finished(let state, _, _): return "\(state)"
        case .forgotten: return "forgotten"
        case .unknown: return "unknown"
        }
    }

    /// Replaces ids by the scenario's numbers.
    func readable(_ text: String) -> String {
        text.split(separator: " ").map { word in
            let bare = word.hasSuffix(",") ? word.dropLast() : word
            guard let id = TaskID(bare) else { return String(word) }
            return "\(MachineFixture.number(id))\(word.hasSuffix(",") ? "," : "")"
        }.joined(separator: " ")
    }

    private func sums(_ arguments: [String]) throws -> String {
        guard let queue = fixture.machine.queue(named: arguments.first ?? "tasks") else {
            throw Failure(description: "no such queue")
        }
        let view = fixture.machine.overview(of: queue.number, at: fixture.clock)
        let counters = view.counters
        let total =
            view.pending + view.leased + view.parked + view.dead + counters.completed + counters.cancelled
            + counters.purged
        let balance = counters.accepted == total ? "balanced" : "NOT BALANCED"
        return
            "accepted \(counters.accepted) pending \(view.pending) leased \(view.leased) "
            + "parked \(view.parked) dead \(view.dead) completed \(counters.completed) "
            + "cancelled \(counters.cancelled) "
            + "purged \(counters.purged) groups \(view.groups) blocked \(view.blockedGroups) \(balance)"
    }

    private func attempts(_ arguments: [String]) throws -> [String] {
        let id = MachineFixture.id(try number(arguments.first))
        return try AttemptRecord.decodeHistory(fixture.history(of: id)).map { attempt in
            "attempt \(attempt.number) \(attempt.outcome.label) \(attempt.durationMilliseconds) ms "
                + "by \(attempt.worker)" + (attempt.reason.isEmpty ? "" : ": \(attempt.reason)")
        }
    }

    private mutating func pause(
        _ verb: String, _ arguments: [String], _ options: [String: String]
    ) throws -> [String] {
        let set: QueuePauses = verb == "pause" ? .deliveries : verb == "pause-ingest" ? .ingest : []
        var lines: [String] = []
        while verb == "resume", let head = fixture.machine.headHeldByHalt(of: arguments.first ?? "tasks"),
            let record = fixture.machine.unparking(of: head)
        {
            fixture.stage(record)
            lines.append("fresh count for \(MachineFixture.number(head))")
        }
        let operation = fixture.machine.pausing(
            arguments.first ?? "tasks", set: set,
            clear: verb == "resume" ? [.deliveries, .ingest, .halted] : [],
            actor: "admin", reason: options["reason"] ?? "")
        switch operation {
        case .record(let record):
            fixture.stage(record)
            return lines
        case .unchanged: return lines + ["unchanged"]
        case .refused(let reason): return lines + ["refused: \(reason)"]
        }
    }

    private mutating func cancel(_ arguments: [String]) throws -> String {
        let id = MachineFixture.id(try number(arguments.first))
        switch fixture.machine.cancellation(
            of: id, actor: "admin", earlier: fixture.history(of: id), at: fixture.clock)
        {
        case .record(let record):
            fixture.stage(record)
            return "cancelled"
        case .alreadyCancelled: return "cancelled before"
        case .notCancellable: return "not cancellable"
        case .unknown: return "unknown"
        case .forgotten: return "forgotten"
        }
    }

    private mutating func operate(_ verb: String, _ arguments: [String]) throws -> [String] {
        let id = MachineFixture.id(try number(arguments.first))
        let record: JournalRecord? =
            switch verb {
            case "redrive": fixture.machine.redrive(of: id, edited: nil)
            case "purge": fixture.machine.purge(of: id)
            case _: fixture.machine.unparking(of: id)
            }
        guard let record else { return ["refused"] }
        fixture.stage(record)
        return []
    }

    private mutating func housekeep() -> [String] {
        var lines: [String] = []
        repeat {
            let work = fixture.machine.housekeeping(at: fixture.clock, limit: 100)
            if let forgotten = work.forget {
                fixture.stage(.historyForgotten(forgotten))
                lines.append("forgot \(forgotten.count)")
            }
            for id in work.expired {
                guard
                    let record = fixture.machine.expiry(
                        of: id, earlier: fixture.history(of: id), at: fixture.clock)
                else { continue }
                fixture.stage(record)
                lines += describe([record])
            }
        } while fixture.machine.isSweeping
        return lines
    }

    private func peer(_ arguments: [String]) throws -> PeerID {
        guard let name = arguments.first, let peer = peers[name] else {
            throw Failure(description: "no such worker")
        }
        return peer
    }

    private func receipt(_ word: String?) throws -> (lsn: LogSequenceNumber, task: TaskID) {
        guard let word, word.hasPrefix("r"), let number = Int(word.dropFirst()),
            receipts.indices.contains(number - 1)
        else { throw Failure(description: "no receipt \(word ?? "")") }
        return receipts[number - 1]
    }

    private func word(for lsn: LogSequenceNumber) -> String {
        receipts.firstIndex { $0.lsn == lsn }.map { "r\($0 + 1)" } ?? "?"
    }

    private func number(_ word: String?) throws -> Int {
        guard let word, let number = Int(word) else {
            throw Failure(description: "no number in \(word ?? "")")
        }
        return number
    }

    private func seconds(_ word: String?) throws -> Double {
        guard let word, word.hasSuffix("s"), let value = Double(word.dropLast()) else {
            throw Failure(description: "no seconds in \(word ?? "")")
        }
        return value
    }

    private func digest(_ text: String) -> Digest {
        let sum = text.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
        return Digest(high: sum, low: sum &* 17)
    }
}
