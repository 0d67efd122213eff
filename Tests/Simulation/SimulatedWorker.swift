import BrokerDaemon
import TaskModel
import WireProtocol

/// A worker that runs, answers, dies and comes back, as docs/wire-protocol.md asks of one.
struct SimulatedWorker {
    let name: String
    let queue: String
    private(set) var connection: ConnectionID?
    private var session = SessionID(rawValue: 0)
    private var isWelcome = false
    private var running: [Held] = []
    /// Answers that the broker has not confirmed, kept until it does.
    private var answers: [Given] = []

    private struct Held {
        let receipt: Receipt
        let id: TaskID
    }

    private struct Given {
        let receipt: Receipt
        let request: Request
        let note: Note
    }

    init(name: String, queue: String) {
        self.name = name
        self.queue = queue
    }

    var isConnected: Bool { connection != nil }

    mutating func connect(_ world: World) {
        if session.rawValue == 0 { session = SessionID(rawValue: world.random.next() | 1) }
        let isSlow = world.strikes(.slowPeer, oneIn: 4)
        let connection = world.network.connect(
            .worker, delay: UInt64(isSlow ? world.random.number(1...500) : 0) * 1_000_000,
            room: isSlow ? 12 : .max)
        self.connection = connection
        isWelcome = false
        let hello = Hello(
            role: .worker, name: name, session: session, queue: queue,
            receipts: running.map(\.receipt) + answers.map(\.receipt))
        world.tell("\(name) says hello with \(hello.receipts.map(\.lsn.rawValue))")
        var frame = NotedFrame()
        frame.append(.hello(hello), .hello(hello))
        frame.send(on: connection, of: world)
    }

    /// The process dies, and with it what it ran and had to say.
    mutating func die(_ world: World, seen: Bool) {
        world.tell("\(name) dies")
        world.tally.count(seen ? .workerDeathsSeen : .workerDeathsUnseen)
        if let connection {
            // A death is seen only after everything that the process sent.
            world.network.cut(
                connection, keepingInbound: seen ? .max : world.random.below(3), processDied: seen)
        }
        running = []
        answers = []
        session = SessionID(rawValue: 0)
        connection = nil
    }

    /// The connection breaks; the processors run on.
    mutating func disconnect(_ world: World) {
        guard let connection else { return }
        world.tell("\(name) loses its connection")
        world.tally.count(.disconnects)
        world.network.cut(connection, keepingInbound: world.random.below(3), processDied: false)
        self.connection = nil
    }

    mutating func brokerDied() { connection = nil }

    mutating func read(_ world: World) {
        guard let connection else { return }
        while let replies = world.network.receiveAtPeer(connection) {
            for reply in replies { take(reply, world) }
        }
        if !world.network.isOpen(connection) { self.connection = nil }
    }

    private mutating func take(_ reply: Reply, _ world: World) {
        switch reply {
        case .welcome:
            isWelcome = true
            var frame = NotedFrame()
            for answer in answers { frame.append(answer.request, answer.note) }
            let credit = world.random.number(1...3)
            frame.append(.credit(tasks: UInt16(credit)), .credit(credit))
            if let connection { frame.send(on: connection, of: world) }
        case .helloRefused:
            if let connection { world.network.cut(connection, keepingInbound: 0, processDied: false) }
            connection = nil
        case .delivery(let task): running.append(Held(receipt: task.receipt, id: task.id))
        case .settled(let receipt, _):
            running.removeAll { $0.receipt == receipt }
            answers.removeAll { $0.receipt == receipt }
        case .helloRequired, .rejected, .enqueued, .task, .cancelled, .queues, .status, .done, .dead, .acted,
            .payload, .deletion, .blocked, .backup:
            break
        }
    }

    /// Some of the tasks are such that running them kills the worker.
    private static func isPoison(_ id: TaskID) -> Bool { id.low % 37 == 0 }

    /// Ends one running task in some way.
    mutating func work(_ world: World) {
        guard !running.isEmpty else { return }
        let held = running.remove(at: world.random.below(running.count))
        if Self.isPoison(held.id), world.isFaulty { return die(world, seen: world.random.below(4) > 0) }
        // What the worker forgets only comes back when its lease runs out.
        if world.random.below(80) == 0 { return }
        let reason = "words \(held.receipt.lsn.rawValue)"
        let retryAfter = world.random.below(3) == 0 ? UInt64(world.random.number(0...4_000)) : nil
        let failure = Failure(
            outcome: .exited(status: 1), durationMilliseconds: 3, retryAfterMilliseconds: retryAfter,
            reason: reason, stderrTail: [69, 82, 82])
        let (request, kind): (Request, AnswerKind)
        switch world.isFaulty ? world.random.below(12) : 0 {
        case 7, 8, 9:
            (request, kind) = (
                .nack(receipt: held.receipt, id: held.id, failure: failure),
                .nack(reason: reason, retryAfterMilliseconds: retryAfter)
            )
        case 10: (request, kind) = (.reject(receipt: held.receipt, id: held.id, failure: failure), .reject)
        case 11: (request, kind) = (.release(receipt: held.receipt, id: held.id), .release)
        case _:
            (request, kind) = (
                .ack(receipt: held.receipt, id: held.id, result: Self.result(held.id), resultError: ""), .ack
            )
        }
        let given = Given(receipt: held.receipt, request: request, note: .answer(held.receipt, held.id, kind))
        answers.append(given)
        send(given, world)
    }

    static func result(_ id: TaskID) -> ArraySlice<UInt8> { [UInt8(ascii: "0") + UInt8(id.low % 10)] }

    private func send(_ given: Given, _ world: World) {
        guard isWelcome, let connection else { return }
        var frame = NotedFrame()
        frame.append(given.request, given.note)
        frame.send(on: connection, of: world)
    }

    /// Says again what was not confirmed, and that the rest is still held.
    mutating func renew(_ world: World) {
        guard isWelcome, let connection else { return }
        var frame = NotedFrame()
        if world.random.below(4) == 0, let first = answers.first { frame.append(first.request, first.note) }
        let receipts = running.map(\.receipt)
        if !receipts.isEmpty { frame.append(.renew(receipts: receipts), .renew(receipts)) }
        if world.isFaulty, world.random.below(20) == 0 {
            let credit = world.random.below(4)
            frame.append(.credit(tasks: UInt16(credit)), .credit(credit))
        } else if !world.isFaulty {
            frame.append(.credit(tasks: 3), .credit(3))
        }
        if !frame.isEmpty { frame.send(on: connection, of: world) }
    }
}
