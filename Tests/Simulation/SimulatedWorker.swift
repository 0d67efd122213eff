import TaskModel
import TestSupport
import WireProtocol

/// A worker that runs, answers, dies and comes back, as docs/wire-protocol.md asks of one.
struct SimulatedWorker {
    let name: String
    let queue: String
    private(set) var connection: ConnectionRef?
    private var session = SessionID(rawValue: 0)
    private var isWelcome = false
    private var running: [Held] = []
    /// Answers that the broker has not confirmed, kept until it does.
    private var answers: [(receipt: Receipt, id: TaskID, request: Request, isAck: Bool)] = []

    struct Held {
        let receipt: Receipt
        let id: TaskID
    }

    init(name: String, queue: String) {
        self.name = name
        self.queue = queue
    }

    var isConnected: Bool { connection != nil }
    var isIdle: Bool { running.isEmpty && answers.isEmpty }

    mutating func connect(to world: inout World) {
        if session.rawValue == 0 { session = SessionID(rawValue: world.random.next() | 1) }
        let connection = world.network.connect(.worker)
        self.connection = connection
        isWelcome = false
        let receipts = running.map(\.receipt) + answers.map(\.receipt)
        send(
            [.hello(Hello(role: .worker, name: name, session: session, queue: queue, receipts: receipts))],
            &world)
    }

    /// The process dies, and with it what it ran and had to say.
    mutating func die(_ world: inout World, seen: Bool) {
        if let connection {
            world.network.cut(connection, losingInbound: world.random.oneIn(2), processDied: seen)
        }
        running = []
        answers = []
        session = SessionID(rawValue: 0)
        connection = nil
    }

    /// The connection breaks; the processors run on.
    mutating func disconnect(_ world: inout World) {
        if let connection { world.network.cut(connection, losingInbound: true, processDied: false) }
        connection = nil
    }

    mutating func brokerDied() { connection = nil }

    private func send(_ requests: [Request], _ world: inout World) {
        guard let connection else { return }
        var frame = FrameWriter()
        for request in requests { frame.append(request) }
        world.network.sendToBroker(frame.bytes, on: connection)
    }

    mutating func read(_ world: inout World) {
        guard let connection else { return }
        while let frame = world.network.receiveAtPeer(connection) {
            for reply in World.replies(in: frame) { take(reply, &world) }
        }
        if !world.network.isOpen(connection) { self.connection = nil }
    }

    private mutating func take(_ reply: Reply, _ world: inout World) {
        switch reply {
        case .welcome:
            isWelcome = true
            send(answers.map(\.request) + [.credit(tasks: 3)], &world)
        case .helloRefused:
            if let connection { world.network.cut(connection, losingInbound: false, processDied: false) }
            connection = nil
        case .delivery(let task):
            if task.payload.elementsEqual(World.payload(of: task.id, size: task.payload.count)) == false {
                world.oracle.complain("D14: the payload of \(task.id) is not what was posted")
            }
            world.oracle.delivered(task, queue: queue)
            world.noteAttempt(task)
            running.append(Held(receipt: task.receipt, id: task.id))
        case .settled(let receipt, let outcome):
            running.removeAll { $0.receipt == receipt }
            guard let place = answers.firstIndex(where: { $0.receipt == receipt }) else { return }
            let answer = answers.remove(at: place)
            if outcome == .taken, answer.isAck { world.oracle.confirmed(answer.id) }
        case .helloRequired, .rejected, .enqueued, .task, .cancelled, .queues, .status, .done: break
        }
    }

    /// Ends one running task in some way.
    mutating func work(_ world: inout World, faulty: Bool) {
        guard !running.isEmpty else { return }
        let held = running.remove(at: Int.random(in: 0..<running.count, using: &world.random))
        let failure = Failure(
            outcome: .exited(status: 1), durationMilliseconds: 3, reason: "simulated",
            stderrTail: [69, 82, 82])
        let choice = faulty ? Int.random(in: 0..<10, using: &world.random) : 0
        let request: Request
        switch choice {
        case 7, 8: request = .nack(receipt: held.receipt, id: held.id, failure: failure)
        case 9:
            world.oracle.mayBeDead.insert(held.id)
            request = .reject(receipt: held.receipt, id: held.id, failure: failure)
        case _:
            world.oracle.sentAcks.insert(held.id)
            request = .ack(receipt: held.receipt, id: held.id, result: [], resultError: "")
        }
        answers.append((held.receipt, held.id, request, choice < 7))
        if isWelcome { send([request], &world) }
        if faulty, world.random.oneIn(8), isWelcome { send([request], &world) }
    }

    mutating func renew(_ world: inout World) {
        guard isWelcome, !running.isEmpty else { return }
        send([.renew(receipts: running.map(\.receipt))], &world)
    }
}
