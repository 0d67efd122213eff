import BrokerDaemon
import TaskModel
import WireProtocol

/// An operator who declares a queue that no worker serves, deletes it in portions, and declares it again.
struct SimulatedJanitor {
    private var connection: ConnectionID?
    private var nextCorrelation: UInt64 = 1

    mutating func brokerDied() { connection = nil }

    private mutating func connected(_ world: World) -> ConnectionID {
        if let connection, world.network.isOpen(connection) { return connection }
        let connection = world.network.connect(.admin)
        self.connection = connection
        let hello = Hello(role: .admin, name: "janitor", session: SessionID(rawValue: world.random.next()))
        var frame = NotedFrame()
        frame.append(.hello(hello), .hello(hello))
        frame.send(on: connection, of: world)
        return connection
    }

    mutating func act(_ world: World) {
        let connection = connected(world)
        var frame = NotedFrame()
        switch world.random.below(8) {
        case 0...3: declare(world, &frame)
        case 4, 5: delete(purges: true, &frame)
        case 6: delete(purges: false, &frame)
        case _: resume(&frame)
        }
        frame.send(on: connection, of: world)
    }

    /// At the end the queue goes with all that is in it.
    mutating func tidy(_ world: World) {
        let connection = connected(world)
        var frame = NotedFrame()
        delete(purges: true, &frame)
        frame.send(on: connection, of: world)
    }

    private mutating func next() -> UInt64 {
        defer { nextCorrelation += 1 }
        return nextCorrelation
    }

    private mutating func declare(_ world: World, _ frame: inout NotedFrame) {
        guard let settings = world.conditions.passing else { return }
        let correlation = next()
        let queue = Conditions.passingQueue
        frame.append(
            .declareQueue(correlation: correlation, name: queue, settings: settings, hasPlugin: false),
            .declare(correlation, queue: queue, settings))
    }

    private mutating func delete(purges: Bool, _ frame: inout NotedFrame) {
        let correlation = next()
        let queue = Conditions.passingQueue
        frame.append(
            .deleteQueue(
                correlation: correlation, QueueDeletion(queue: queue, purges: purges, actor: "janitor")),
            .delete(correlation, queue: queue, purges: purges))
    }

    /// Ends the pauses that an unfinished deletion has left.
    private mutating func resume(_ frame: inout NotedFrame) {
        let correlation = next()
        let closed: QueuePauses = [.deliveries, .ingest]
        frame.append(
            .pause(
                correlation: correlation, queue: Conditions.passingQueue, set: [], clear: closed,
                actor: "janitor", reason: "goes on"),
            .pause(correlation, queue: Conditions.passingQueue, set: [], clear: closed))
    }

    mutating func read(_ world: World) {
        guard let connection else { return }
        while world.network.receiveAtPeer(connection) != nil {}
        if !world.network.isOpen(connection) { self.connection = nil }
    }
}
