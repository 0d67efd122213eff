import BrokerDaemon
import TaskModel
import WireProtocol

/// An ingest that posts, asks and cancels, and believes only what it is told.
struct SimulatedClient {
    private(set) var connection: ConnectionID?
    private var nextCorrelation: UInt64 = 1
    private var outstanding: [(correlation: UInt64, post: Post)] = []
    /// Posts without an answer that are to be repeated on another connection.
    private var repeats: [Post] = []
    private var known: [TaskID] = []

    mutating func connect(_ world: World) {
        let isSlow = world.strikes(.slowPeer, oneIn: 3)
        let connection = world.network.connect(
            .ingest, delay: UInt64(isSlow ? world.random.number(1...400) : 0) * 1_000_000,
            room: isSlow ? 2 : .max)
        self.connection = connection
        let hello = Hello(role: .ingest, name: "ingest", session: SessionID(rawValue: world.random.next()))
        var frame = NotedFrame()
        frame.append(.hello(hello), .hello(hello))
        frame.send(on: connection, of: world)
    }

    /// The process dies, or only its connection: the answers under way will never come.
    mutating func die(_ world: World) {
        guard let connection else { return }
        world.tally.count(.ingestDeaths)
        world.network.cut(connection, keepingInbound: world.random.below(3), processDied: false)
        lost(world)
    }

    mutating func lost(_ world: World) {
        for (_, post) in outstanding where world.random.below(2) == 0 { repeats.append(post) }
        outstanding = []
        connection = nil
    }

    mutating func act(_ world: World) {
        guard let connection, world.network.isOpen(connection) else { return }
        var frame = NotedFrame()
        if !repeats.isEmpty, world.random.below(2) == 0 { append(repeats.removeFirst(), to: &frame) }
        switch world.random.below(10) {
        case 0 where world.knows(.lookup): append(lookup: world, to: &frame)
        case 1 where world.knows(.cancel): append(cancel: world, to: &frame)
        case _:
            for _ in 0..<world.random.number(1...3) { append(newPost(world), to: &frame) }
        }
        frame.send(on: connection, of: world)
    }

    private mutating func newPost(_ world: World) -> Post {
        let conditions = world.conditions
        var queue = world.random.below(4) == 0 ? "other" : "tasks"
        if conditions.passing != nil, world.random.below(5) == 0 { queue = Conditions.passingQueue }
        let isGrouped = world.random.below(3) > 0
        let isLarge = world.random.below(conditions.largeOneIn) == 0
        let post = Post(
            id: world.newTaskID(), queue: queue,
            group: isGrouped ? "g\(world.random.below(conditions.groups))" : "",
            key: world.random.below(4) == 0 ? "k\(world.random.below(conditions.keys))" : nil,
            content: "c\(world.random.below(5) / 4)",
            size: isLarge ? world.random.below(World.payloadBytesMax) : world.random.below(300))
        known.append(post.id)
        return post
    }

    private mutating func append(_ post: Post, to frame: inout NotedFrame) {
        let correlation = next()
        outstanding.append((correlation, post))
        frame.append(post.enqueue(correlation), .enqueue(correlation, post))
    }

    private mutating func next() -> UInt64 {
        defer { nextCorrelation += 1 }
        return nextCorrelation
    }

    /// Mostly of tasks posted lately, now and then of one that never was.
    private func someTask(_ world: World) -> TaskID {
        guard !known.isEmpty, world.random.below(20) > 0 else { return world.newTaskID() }
        let back = min(known.count, world.random.below(4) == 0 ? known.count : 12)
        return known[known.count - 1 - world.random.below(back)]
    }

    private mutating func append(lookup world: World, to frame: inout NotedFrame) {
        let id = someTask(world)
        let wait = world.random.below(3) == 0 ? UInt64(world.random.number(1...20_000)) : 0
        world.tally.count(wait > 0 ? .waits : .lookups)
        let correlation = next()
        frame.append(
            .lookup(correlation: correlation, id: id, waitMilliseconds: UInt32(wait)),
            .lookup(correlation, id, waitMilliseconds: wait))
    }

    private mutating func append(cancel world: World, to frame: inout NotedFrame) {
        world.tally.count(.cancellations)
        append(cancel: someTask(world), to: &frame)
    }

    private mutating func append(cancel id: TaskID, to frame: inout NotedFrame) {
        let correlation = next()
        frame.append(
            .cancel(correlation: correlation, id: id, actor: "simulation"), .cancel(correlation, id))
    }

    /// Takes parked tasks out of the way, so that their groups go on.
    mutating func cancel(_ ids: [TaskID], _ world: World) {
        guard let connection, !ids.isEmpty else { return }
        var frame = NotedFrame()
        for id in ids { append(cancel: id, to: &frame) }
        frame.send(on: connection, of: world)
    }

    mutating func read(_ world: World) {
        guard let connection else { return }
        while let replies = world.network.receiveAtPeer(connection) {
            for case .enqueued(let correlation, _) in replies {
                outstanding.removeAll { $0.correlation == correlation }
            }
        }
        if !world.network.isOpen(connection) { lost(world) }
    }
}
