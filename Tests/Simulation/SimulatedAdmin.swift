import BrokerDaemon
import TaskModel
import WireProtocol

/// An operator who pauses, resumes and changes settings, and asks how things are.
struct SimulatedAdmin {
    private var connection: ConnectionID?
    private var nextCorrelation: UInt64 = 1
    private var hasKnocked = false

    mutating func brokerDied() { connection = nil }

    private mutating func connected(_ world: World) -> ConnectionID {
        if let connection, world.network.isOpen(connection) { return connection }
        let connection = world.network.connect(.admin)
        self.connection = connection
        let hello = Hello(role: .admin, name: "admin", session: SessionID(rawValue: world.random.next()))
        var frame = NotedFrame()
        frame.append(.hello(hello), .hello(hello))
        frame.send(on: connection, of: world)
        return connection
    }

    mutating func act(_ world: World) {
        let connection = connected(world)
        var frame = NotedFrame()
        let queue = world.random.below(2) == 0 ? "tasks" : "other"
        switch world.random.below(3) {
        case 0 where world.knows(.pause):
            let flag: QueuePauses = world.random.below(2) == 0 ? .deliveries : .ingest
            pause(queue, set: flag, clear: [], &frame)
            world.tally.count(.pauses)
        case 1 where world.knows(.redeclare):
            world.tally.count(.declarations)
            declare(queue, world, &frame)
        case _: frame.append(.status(correlation: next()), nil)
        }
        frame.send(on: connection, of: world)
    }

    /// Ends every pause; always possible, so that a pause does not last for ever.
    mutating func resume(_ world: World) {
        let connection = connected(world)
        world.tally.count(.resumes)
        var frame = NotedFrame()
        for queue in ["tasks", "other"] {
            let halted: QueuePauses = world.conditions.operates ? .halted : []
            pause(queue, set: [], clear: [.deliveries, .ingest, halted], &frame)
        }
        frame.send(on: connection, of: world)
    }

    /// Closes a queue that nobody posts to any more, or opens it again.
    mutating func knock(_ world: World) {
        let connection = connected(world)
        hasKnocked.toggle()
        var frame = NotedFrame()
        pause("other", set: hasKnocked ? .ingest : [], clear: hasKnocked ? [] : .ingest, &frame)
        frame.send(on: connection, of: world)
    }

    private mutating func next() -> UInt64 {
        defer { nextCorrelation += 1 }
        return nextCorrelation
    }

    private mutating func pause(
        _ queue: String, set: QueuePauses, clear: QueuePauses, _ frame: inout NotedFrame
    ) {
        let correlation = next()
        frame.append(
            .pause(
                correlation: correlation, queue: queue, set: set, clear: clear, actor: "admin", reason: "so"),
            .pause(correlation, queue: queue, set: set, clear: clear))
    }

    private mutating func declare(_ queue: String, _ world: World, _ frame: inout NotedFrame) {
        guard let terms = world.conditions.queues.first(where: { $0.name == queue }) else { return }
        var settings = terms.settings
        if world.conditions.operates {
            settings = world.conditions.changed(terms, &world.random)
        } else {
            switch world.random.below(4) {
            case 0: settings.maxAttempts = UInt32(world.random.number(1...4))
            case 1: settings.leaseMilliseconds = world.random.pick([15_000, 60_000])
            case 2: settings.dedupWindowMilliseconds = world.random.pick([1_000, 60_000])
            case _: break
            }
        }
        let correlation = next()
        frame.append(
            .declareQueue(correlation: correlation, name: queue, settings: settings, hasPlugin: true),
            .declare(correlation, queue: queue, settings))
    }

    mutating func read(_ world: World) {
        guard let connection else { return }
        while world.network.receiveAtPeer(connection) != nil {}
    }
}
