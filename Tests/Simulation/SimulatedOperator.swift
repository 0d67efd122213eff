import BrokerDaemon
import TaskModel
import WireProtocol

/// An operator at the dead-letter queues: lists, redrives, edits, purges, and frees parked groups.
///
/// Works from lists that are out of date by the time it acts, asks twice, and loses answers.
struct SimulatedOperator {
    private var connection: ConnectionID?
    private var nextCorrelation: UInt64 = 1
    /// What the last page showed.
    private var listed: [TaskID] = []
    private var listing: DeadTaskQuery?
    /// The page behind the last one.
    private var next: DeadTaskQuery?
    /// Acts without an answer, that are perhaps repeated on another connection.
    private var outstanding: [(correlation: Correlation, act: TaskAct, ids: [TaskID])] = []

    mutating func brokerDied() { connection = nil }

    private mutating func connected(_ world: World) -> ConnectionID {
        if let connection, world.network.isOpen(connection) { return connection }
        let isSlow = world.strikes(.slowPeer, oneIn: 3)
        let connection = world.network.connect(
            .admin, delay: UInt64(isSlow ? world.random.number(1...400) : 0) * 1_000_000,
            room: isSlow ? 3 : .max)
        self.connection = connection
        let hello = Hello(role: .admin, name: "operator", session: SessionID(rawValue: world.random.next()))
        var frame = NotedFrame()
        frame.append(.hello(hello), .hello(hello))
        frame.send(on: connection, of: world)
        return connection
    }

    /// The command is interrupted: what it was told is lost, and of what it said a part arrives.
    mutating func interrupt(_ world: World) {
        guard let connection else { return }
        world.tally.count(.operatorsGone)
        world.network.cut(connection, keepingInbound: world.random.below(3), processDied: false)
        self.connection = nil
        next = nil
    }

    mutating func act(_ world: World) {
        let connection = connected(world)
        var frame = NotedFrame()
        if !outstanding.isEmpty, world.random.below(3) == 0 {
            let again = outstanding.removeFirst()
            append(again.act, again.ids, to: &frame)
        }
        switch world.random.below(14) {
        case 0...2: list(world, &frame)
        case 3...5: append(.redrive, deadTasks(world), to: &frame)
        case 6: append(edit: world, to: &frame)
        case 7: append(.purge, deadTasks(world), to: &frame)
        case 8, 9: append(.retry, heads(world), to: &frame)
        case 10: append(.deadLetter, heads(world), to: &frame)
        case 11: append(.cancel, heads(world), to: &frame)
        case 12: append(payloadOf: deadTasks(world)[0], to: &frame)
        case _: frame.append(.status(correlation: correlation()), nil)
        }
        world.tally.count(.acts)
        frame.send(on: connection, of: world)
    }

    /// Frees what is parked, and does with the dead as the history wants it at its end.
    mutating func tidy(parked: [TaskID], dead: [TaskID], _ world: World) {
        var frame = NotedFrame()
        let connection = connected(world)
        for id in parked { append(world.random.pick([.retry, .deadLetter, .cancel]), [id], to: &frame) }
        switch world.conditions.finalAct {
        case .leave: break
        case .redrive: if !dead.isEmpty { append(.redrive, dead, to: &frame) }
        case .purge: if !dead.isEmpty { append(.purge, dead, to: &frame) }
        }
        if !frame.isEmpty { frame.send(on: connection, of: world) }
    }

    private mutating func correlation() -> Correlation {
        defer { nextCorrelation += 1 }
        return nextCorrelation
    }

    /// Mostly from the last page, else from all that was posted; sometimes one twice.
    private func deadTasks(_ world: World) -> [TaskID] {
        let order = world.oracle.order
        guard !listed.isEmpty, world.random.below(6) > 0 else {
            return [order.isEmpty ? world.newTaskID() : world.random.pick(order).id]
        }
        return (0..<world.random.number(1...3)).map { _ in world.random.pick(listed) }
    }

    /// First tasks of groups, which may be parked.
    private func heads(_ world: World) -> [TaskID] {
        let heads = world.oracle.order.filter { $0.line.waiting.first === $0 }
        return [heads.isEmpty ? world.newTaskID() : world.random.pick(heads).id]
    }

    private mutating func list(_ world: World, _ frame: inout NotedFrame) {
        let fresh = DeadTaskQuery(
            queue: world.random.below(2) == 0 ? "tasks" : "other", limit: UInt16(world.random.number(1...6)))
        let query = next ?? fresh
        next = nil
        listing = query
        let correlation = correlation()
        frame.append(.listDead(correlation: correlation, query), .listDead(correlation, query))
    }

    private mutating func append(_ act: TaskAct, _ ids: [TaskID], to frame: inout NotedFrame) {
        let correlation = correlation()
        outstanding.append((correlation, act, ids))
        if outstanding.count > 8 { outstanding.removeFirst() }
        frame.append(
            .act(correlation: correlation, act, ids: ids, actor: "operator"), .act(correlation, act, ids))
    }

    private mutating func append(edit world: World, to frame: inout NotedFrame) {
        let id = deadTasks(world)[0]
        let edit = PayloadBytes(pattern: world.newTaskID(), size: world.random.below(300))
        let correlation = correlation()
        frame.append(
            .redriveEdited(correlation: correlation, id: id, payload: edit.bytes, actor: "operator"),
            .redriveEdited(correlation, id, edit))
    }

    private mutating func append(payloadOf id: TaskID, to frame: inout NotedFrame) {
        let correlation = correlation()
        frame.append(.payload(correlation: correlation, id: id), .payload(correlation, id))
    }

    mutating func read(_ world: World) {
        guard let connection else { return }
        while let replies = world.network.receiveAtPeer(connection) {
            for reply in replies { take(reply) }
        }
        if !world.network.isOpen(connection) { self.connection = nil }
    }

    private mutating func take(_ reply: Reply) {
        switch reply {
        case .dead(_, let page):
            guard let last = page.tasks.last, let listing else { return }
            listed = page.tasks.map(\.id)
            if page.hasMore {
                next = DeadTaskQuery(queue: listing.queue, after: last.id, limit: listing.limit)
            }
        case .acted(let correlation, _): outstanding.removeAll { $0.correlation == correlation }
        case _: break
        }
    }
}
