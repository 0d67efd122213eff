import QueueStateMachine
import TaskModel

/// Where the state machine and the reference queue part.
struct ModelDisagreement: Error, Equatable, CustomStringConvertible {
    /// Index of the command after which they differ.
    var step: Int
    var description: String
}

/// Gives each command to the state machine and to the reference queue, and compares everything that shows.
struct ModelRun {
    var fixture: MachineFixture
    var model = ReferenceQueue()
    /// Every receipt that a task ever had, oldest first.
    private var receipts: [Int: [LogSequenceNumber]] = [:]
    /// The newest connection of each worker.
    private var connections: [String: PeerID] = [:]
    private var connectionsCount = 0
    private var checkpoint = MachineFixture.Checkpoint()
    private var numbers: Set<Int> = []
    private var step = 0
    private let tamper: Tampering
    private let looksEvery: Int

    /// Makes the reference wrong on purpose, after each command: the test of the test.
    typealias Tampering = (inout ReferenceQueue, ModelCommand) -> Void

    static let queues = ["tasks", "other"]

    /// - Parameter looksEvery: after so many commands everything that shows is compared; after each one, what
    ///   it is about.
    init(looksEvery: Int = 1, tamper: @escaping Tampering = { _, _ in }) {
        self.looksEvery = looksEvery
        self.tamper = tamper
        var bounds = QueueStateMachine.Bounds()
        bounds.finishedMax = ReferenceQueue.finishedMax
        bounds.keysMax = ReferenceQueue.keysMax
        fixture = MachineFixture(bounds: bounds)
        for queue in Self.queues {
            fixture.declare(queue, Self.settings(ModelRules()))
            model.declare(queue, ModelRules())
        }
    }

    /// Runs a list of commands; pasted lists of failures go through here.
    static func run(_ commands: [ModelCommand], tamper: @escaping Tampering = { _, _ in }) throws {
        var run = ModelRun(tamper: tamper)
        for command in commands { try run.perform(command) }
        try run.drain()
    }

    mutating func perform(_ command: ModelCommand) throws {
        model.step += 1
        try compare(command, execute(command))
        model.noteReadiness()
        tamper(&model, command)
        try compareSums(command)
        if let number = command.task { try compareDetails(number, command) }
        if step % looksEvery == 0 { try compareEverything(command) }
        step += 1
    }

    private func compare(_ command: ModelCommand, _ lines: (machine: [String], model: [String])) throws {
        // Several leases that end at once may end in any order.
        guard lines.machine.sorted() != lines.model.sorted() else { return }
        try fail(command, "the machine says \(lines.machine), the reference \(lines.model)")
    }

    private func fail(_ command: ModelCommand, _ text: String) throws -> Never {
        throw ModelDisagreement(step: step, description: "after \(command): \(text)")
    }
}

// Every command, on both.
extension ModelRun {
    typealias Lines = (machine: [String], model: [String])

    private mutating func execute(_ command: ModelCommand) throws -> Lines {
        switch command {
        case .declare(let queue, let rules): return declareQueue(queue, rules)
        case .post(let number, let queue, let group, let key, let body):
            return post(number, queue, group, key, body)
        case .connect(let name, let queue, let session, let credit, let holding):
            return connect(name, queue, session, credit, holding)
        case .credit(let name, let credit): return setCredit(credit, of: name)
        case .disconnect(let name): return disconnect(name)
        case .workerDied(let name): return workerDied(name)
        case .deliver(let count): return try deliver(count, command)
        case .settle(let number, let answer, let earlier): return settle(number, answer, earlier)
        case .renew(let name, let number, let earlier): return renew(name, number, earlier)
        case .advance(let milliseconds): return advance(milliseconds)
        case .upkeep: return upkeep()
        case .cancel(let number): return cancel(number)
        case .redrive(let number, let body): return redrive(number, body)
        case .purge(let number):
            return ([stage(fixture.machine.purge(of: id(number)))], [model.purge(number)])
        case .retryParked(let number):
            return ([stage(fixture.machine.unparking(of: id(number)))], [model.retryParked(number)])
        case .giveUpParked(let number): return giveUpParked(number)
        case .pause(let queue, let pause): return pauseQueue(queue, pause)
        case .resume(let queue): return resumeQueue(queue)
        case .deleteQueue(let queue, let purges): return deleteQueue(queue, purges: purges)
        case .checkpoint:
            checkpoint = fixture.checkpoint()
            model.checkpoint()
            return ([], [])
        case .restart(let sameBoot): return restart(sameBoot)
        case .move(let number): return move(number)
        }
    }

    private func id(_ number: Int) -> TaskID { MachineFixture.id(number) }

    mutating func stage(_ record: JournalRecord?) -> String {
        guard let record else { return "refused" }
        fixture.stage(record)
        return Self.words(record)
    }

    private mutating func post(
        _ number: Int, _ queue: String, _ group: String, _ key: String?, _ body: Int
    ) -> Lines {
        numbers.insert(number)
        let digests = key.map { (key: Self.digest($0), content: Self.digest("\(body) \(group)")) }
        let task = NewTask(
            id: id(number), queue: queue, group: group, key: digests, traceparent: [],
            payload: Self.payload(body))
        let machine: String
        switch fixture.machine.acceptance(of: task, at: fixture.clock) {
        case .accept(let accepted):
            fixture.stage(.accepted(accepted))
            machine = "accepted at \(accepted.sequence.rawValue)"
        case .replay(let id, let sequence):
            machine = "replay of \(MachineFixture.number(id)) at \(sequence.rawValue)"
        case .refuse(let refusal): machine = "\(refusal)"
        }
        return ([machine], [model.post(number, queue, group: group, key: key, body: body)])
    }

    private mutating func connect(
        _ name: String, _ queue: String, _ session: Int, _ credit: Int, _ holding: [Int]
    ) -> Lines {
        connectionsCount += 1
        let peer = PeerID(rawValue: UInt32(connectionsCount))
        let held = holding.compactMap { receipts[$0]?.last }
        let run = Self.session(name, session)
        let arrival = fixture.machine.workerArrived(
            peer, name: name, session: run, queue: queue, holding: held, now: fixture.clock.monotonic)
        let worker = ModelWorker(
            connection: connectionsCount, name: name, session: Int(run.rawValue), queue: queue)
        let expected = model.connect(worker, holding: held.map { Int($0.rawValue) })
        guard case .welcomed(_, let stale, let takeBacks) = arrival else { return (["refused"], expected) }
        let endings = fixture.perform(takeBacks).map(Self.words)
        connections[name] = peer
        _ = setCredit(credit, of: name)
        return (stale.map { "stale receipt \($0.rawValue)" } + endings, expected)
    }

    private mutating func setCredit(_ credit: Int, of name: String) -> Lines {
        guard let peer = connections[name] else { return ([], []) }
        fixture.machine.setCredit(UInt16(credit), of: peer)
        for index in model.workers.indices where model.workers[index].connection == Int(peer.rawValue) {
            model.workers[index].credit = credit
        }
        return ([], [])
    }

    private mutating func disconnect(_ name: String) -> Lines {
        guard let peer = connections[name] else { return ([], []) }
        let waiting = model.tasks.count { $0.holder == Int(peer.rawValue) }
        model.disconnect(Int(peer.rawValue))
        return (["\(fixture.machine.workerDisconnected(peer, now: fixture.clock.monotonic))"], ["\(waiting)"])
    }

    private mutating func workerDied(_ name: String) -> Lines {
        guard let peer = connections[name] else { return ([], []) }
        let endings = fixture.perform(fixture.machine.workerDied(peer))
        return (endings.map(Self.words), model.die(Int(peer.rawValue)))
    }

    private mutating func deliver(_ count: Int, _ command: ModelCommand) throws -> Lines {
        for _ in 0..<count {
            guard let (delivery, receipt) = fixture.deliverOne() else {
                let waiting = model.deliverable.map(\.number)
                return ([], waiting.isEmpty ? [] : ["\(waiting) may be delivered"])
            }
            let number = MachineFixture.number(delivery.record.id)
            let connection = Int(delivery.peer.rawValue)
            if let objection = model.objection(toDelivering: number, over: connection) {
                try fail(command, "the machine delivers \(number), the reference objects: \(objection)")
            }
            model.deliver(number, over: connection, receipt: Int(receipt.rawValue))
            model.noteReadiness()
            receipts[number, default: []].append(receipt)
            guard let task = model.index(number).map({ model.tasks[$0] }) else { continue }
            let attempts = model.rules[task.queue]?.attempts ?? 0
            let group = task.group.isEmpty ? task.queue : task.group
            let told =
                "\(delivery.sequence.rawValue) \(Self.group(delivery.group, number)) \(delivery.attempt)"
            guard told == "\(task.place) \(group) \(task.receives)", delivery.maxAttempts == attempts else {
                try fail(command, "task \(number) is delivered as \(told)")
            }
        }
        return ([], [])
    }

    private func receipt(of number: Int, earlier: Bool) -> LogSequenceNumber {
        let known = receipts[number] ?? []
        return (earlier ? known.dropLast().last : known.last) ?? LogSequenceNumber(rawValue: .max)
    }

    private mutating func settle(_ number: Int, _ answer: ModelAnswer, _ earlier: Bool) -> Lines {
        let receipt = receipt(of: number, earlier: earlier)
        let (record, word) = fixture.settle(Self.answer(answer), receipt: receipt, id: id(number))
        let expected = model.settle(answer, number, receipt: Int(clamping: receipt.rawValue))
        return ([record.map(Self.words) ?? word], [expected])
    }

    private mutating func renew(_ name: String, _ number: Int, _ earlier: Bool) -> Lines {
        guard let peer = connections[name] else { return ([], []) }
        let receipt = receipt(of: number, earlier: earlier)
        let stale = fixture.machine.renew([receipt], by: peer, now: fixture.clock.monotonic)
        let expected = model.renew(Int(clamping: receipt.rawValue), over: Int(peer.rawValue))
        return ([stale.isEmpty ? "renewed" : "stale"], [expected])
    }

    private mutating func advance(_ milliseconds: Int) -> Lines {
        fixture.seconds += Double(milliseconds) / 1_000
        let endings = fixture.perform(fixture.machine.takeDue(fixture.clock.monotonic, limit: 1_000))
        return (endings.map(Self.words), model.advance(by: milliseconds))
    }

    /// What the broker does once a second: forgets, and dead-letters what is too old.
    private mutating func upkeep() -> Lines {
        var lines: Lines = ([], [])
        model.forgetKeys()
        repeat {
            let work = fixture.machine.housekeeping(at: fixture.clock, limit: 1_000)
            if let forgotten = work.forget {
                fixture.stage(.historyForgotten(forgotten))
                for _ in 0..<forgotten.count {
                    let line = model.forgetOldest()
                    if line.hasPrefix("nothing") { lines.model.append(line) }
                }
            }
            for id in work.expired {
                let number = MachineFixture.number(id)
                let history = fixture.history(of: id)
                guard let record = fixture.machine.expiry(of: id, earlier: history, at: fixture.clock) else {
                    continue
                }
                lines.machine.append(stage(record))
                lines.model.append(model.expire(number))
            }
        } while fixture.machine.isSweeping
        if let task = model.forgettable { lines.model.append("\(task.number) is to be forgotten") }
        if !model.overdue.isEmpty { lines.model.append("\(model.overdue) have waited too long") }
        model.blurAges()
        return lines
    }

    private mutating func cancel(_ number: Int) -> Lines {
        let (id, expected) = (id(number), model.cancel(number))
        let decision = fixture.machine.cancellation(
            of: id, actor: "model", earlier: fixture.history(of: id), at: fixture.clock)
        if case .record(let record) = decision { return ([stage(record)], [expected]) }
        return (["\(decision)"], [expected])
    }

    private mutating func redrive(_ number: Int, _ body: Int?) -> Lines {
        let record = fixture.machine.redrive(of: id(number), edited: body.map(Self.payload))
        return ([stage(record)], [model.redrive(number, body: body)])
    }

    private mutating func giveUpParked(_ number: Int) -> Lines {
        let id = id(number)
        let record = fixture.machine.deadLettering(
            of: id, earlier: fixture.history(of: id), at: fixture.clock)
        return ([stage(record)], [model.giveUpParked(number)])
    }

    private mutating func restart(_ sameBoot: Bool) -> Lines {
        let endings = fixture.restart(from: checkpoint, sameBoot: sameBoot).map(Self.words)
        let expected = model.restart(sameBoot: sameBoot)
        connections = [:]
        let upkeep = upkeep()
        return (endings + upkeep.machine, expected + upkeep.model)
    }

    private mutating func move(_ number: Int) -> Lines {
        let id = id(number)
        if let span = fixture.machine.payload(of: id) { fixture.move(id, .payload, from: span) }
        if let span = historySpan(of: number) { fixture.move(id, .history, from: span) }
        return ([], [])
    }

    private func historySpan(of number: Int) -> RecordSpan? {
        switch fixture.machine.lookup(id(number), now: fixture.clock.monotonic) {
        case .live(let task): task.history
        case .finished(_, _, let record): record
        case .forgotten, .unknown: nil
        }
    }
}

// What shows, of both.
extension ModelRun {
    private func compareEverything(_ command: ModelCommand) throws {
        var spans: Set<RecordSpan> = []
        for number in numbers { spans.formUnion(try compareView(of: number, command)) }
        guard spans == fixture.liveSpans else {
            try fail(command, "the machine keeps \(fixture.liveSpans.count) records alive for \(spans.count)")
        }
    }

    @discardableResult
    private func compareView(of number: Int, _ command: ModelCommand) throws -> [RecordSpan] {
        let (view, spans) = machineView(of: number)
        let expected = model.view(number)
        if view != expected {
            try fail(command, "task \(number): the machine says \(view), the reference \(expected)")
        }
        return spans
    }

    private func compareSums(_ command: ModelCommand) throws {
        for queue in Self.queues {
            let (sums, expected) = (machineSums(of: queue), model.sums(of: queue))
            if sums != expected {
                try fail(command, "queue \(queue): the machine says \(sums), the reference \(expected)")
            }
        }
        if let due = model.nextDue {
            let time = MonotonicTime(rawValue: UInt64(1_000 + due) * 1_000_000)
            guard let next = fixture.machine.nextDeadline, next <= time else {
                try fail(command, "something is due at \(due) ms and the machine does not wake for it")
            }
        }
    }

    /// What has to be read from the journal's records.
    private func compareDetails(_ number: Int, _ command: ModelCommand) throws {
        try compareView(of: number, command)
        guard let task = model.index(number).map({ model.tasks[$0] }) else { return }
        let attempts = try AttemptRecord.decodeHistory(fixture.history(of: id(number))).map {
            "\($0.number) \($0.outcome.label) by \($0.worker)"
        }
        if attempts != task.attempts {
            try fail(
                command, "attempts of \(number): the machine has \(attempts), the reference \(task.attempts)")
        }
        let payload = fixture.machine.payload(of: id(number)).flatMap { fixture.payload(at: $0)?.payload }
        if payload != Self.payload(task.body) { try fail(command, "task \(number) has another payload") }
    }

    private func machineView(of number: Int) -> (words: String, spans: [RecordSpan]) {
        let id = id(number)
        switch fixture.machine.lookup(id, now: fixture.clock.monotonic) {
        case .live(let task):
            let state: String
            switch task.state {
            case .pending: state = "pending"
            case .leased: state = "leased"
            case .parked: state = "parked"
            case .dead(let reason): state = "dead(\"\(reason)\")"
            }
            let queue = fixture.machine.declaration(of: task.queue).name
            let words =
                "\(state) place \(task.sequence.rawValue) in \(queue)/\(Self.group(task.group, number)) "
                + "receives \(task.receives)"
            return (words, [fixture.machine.payload(of: id), task.history].compactMap(\.self))
        case .finished(let state, _, let record): return ("\(state)", [record])
        case .forgotten: return ("forgotten", [])
        case .unknown: return ("unknown", [])
        }
    }

    private func machineSums(of queue: String) -> String {
        guard let declaration = fixture.machine.queue(named: queue) else { return "no queue" }
        let view = fixture.machine.overview(of: declaration.number, at: fixture.clock)
        var pauses: [String] = []
        if view.pauses.contains(.deliveries) { pauses.append("deliveries") }
        if view.pauses.contains(.halted) { pauses.append("halted") }
        if view.pauses.contains(.ingest) { pauses.append("ingest") }
        return "accepted \(view.counters.accepted) pending \(view.pending) leased \(view.leased) "
            + "parked \(view.parked) dead \(view.dead) completed \(view.counters.completed) "
            + "cancelled \(view.counters.cancelled) purged \(view.counters.purged) groups \(view.groups) "
            + "blocked \(view.blockedGroups) workers \(view.workers) pauses \(pauses)"
    }
}

// The end of every run.
extension ModelRun {
    /// Nothing is left behind: with workers, time and an operator, every task ends.
    mutating func drain() throws {
        for number in numbers.sorted() { try compareDetails(number, .move(number)) }
        try compareEverything(.upkeep)
        for (name, queue) in [("Y", "tasks"), ("Z", "other")] {
            let rules = model.rules[queue] ?? ModelRules()
            if !model.exists.contains(queue) { try perform(.declare(queue, rules)) }
            try perform(.resume(queue))
            try perform(.connect(name, queue, session: 1, credit: 100, holding: []))
        }
        for round in 0..<100 where !model.tasks.isEmpty {
            if round > 0 { try perform(.advance(3_600_000)) }
            for task in model.tasks where task.isDead { try perform(.redrive(task.number, body: nil)) }
            for task in model.tasks where task.state == .parked { try perform(.retryParked(task.number)) }
            try perform(.deliver(100))
            for task in model.tasks where task.state == .leased {
                try perform(.settle(task.number, .ack, earlier: false))
            }
        }
        guard model.tasks.isEmpty else { try fail(.upkeep, "\(model.tasks.map(\.number)) never end") }
    }
}
