package import LinuxSystem
import ServiceLog
package import TaskModel

/// Keeps queues and workers as the plugin folders say.
///
/// It has no thread and starts nothing: whoever owns it polls ``pollDescriptor`` and the clock up to
/// ``nextDeadline``, calls ``turn(now:)``, and carries out the orders.
package final class PluginKeeper {
    package enum Order: Hashable, Sendable {
        case start(FolderObservation.Plugin)
        /// Ends the queue's worker, its task in hand finished, and starts one for this plugin.
        case replace(FolderObservation.Plugin)
        case stop(queue: String)
        case tell(KeeperNotice)
    }

    private enum Token {
        static let tree: UInt64 = 1
        static let broker: UInt64 = 2
    }

    /// How often the folders are looked at where not everything in them can be watched, milliseconds.
    private static let blindLookMilliseconds: UInt64 = 2_000

    private let epoll: Epoll
    private let tree: PluginTree
    private let broker: BrokerTalk
    private var scan: PluginScan
    private var machine = KeeperMachine()
    private var ready: [Epoll.Event] = []
    private var orders: [Order] = []
    private var toldTroubles: Set<String> = []
    private var blindLookAt: MonotonicTime?

    /// - Parameter folders: absolute, the first one wins; they need not exist.
    package init(folders: [String], adminSocket: String, now: MonotonicTime) throws(SystemError) {
        epoll = try Epoll()
        tree = PluginTree(folders)
        broker = try BrokerTalk(adminSocket: adminSocket)
        scan = PluginScan(folders)
        if let descriptor = tree.descriptor {
            try epoll.add(descriptor, token: Token.tree, interest: .readable)
        }
        try epoll.add(broker.descriptor, token: Token.broker, interest: .readable)
        // What is there at the start has been there for a while.
        machine.suspected(lookingAt: now)
    }

    /// Readable while ``turn(now:)`` has something to do.
    package var pollDescriptor: CInt { epoll.rawValue }

    /// When ``turn(now:)`` has something to do even if nothing happens.
    package var nextDeadline: MonotonicTime? {
        [machine.nextDeadline, broker.helloAt, blindLookAt].compactMap { $0 }.min()
    }

    /// Does everything that is due, without waiting.
    package func turn(now: MonotonicTime) throws(SystemError) -> [Order] {
        try epoll.wait(into: &ready, timeoutMilliseconds: 0)
        takeTouches(try tree.takeTouches(), now: now)
        for event in try broker.receive(now: now) { take(event, now: now) }
        perform(machine.tick(at: now), now: now)
        try broker.flush()
        defer { orders = [] }
        return orders
    }

    private func takeTouches(_ touches: Set<PluginTree.Touch>, now: MonotonicTime) {
        for touch in touches {
            switch touch {
            case .plugin(let queue): machine.touched(queue, at: now)
            case .everything:
                machine.suspected(lookingAt: now.advanced(byMilliseconds: KeeperMachine.Delays.quiet))
            }
        }
        watchBlindness(now: now)
    }

    /// What cannot be watched is looked at every now and then.
    private func watchBlindness(now: MonotonicTime) {
        if let reason = tree.blindness { tellOnce(reason) }
        guard tree.isBlind else {
            blindLookAt = nil
            return
        }
        if let due = blindLookAt, due <= now {
            blindLookAt = nil
            let isFound = tree.watchMissingRoots()
            if isFound || tree.blindness != nil { machine.suspected(lookingAt: now) }
        }
        if blindLookAt == nil { blindLookAt = now.advanced(byMilliseconds: Self.blindLookMilliseconds) }
    }

    private func take(_ event: BrokerTalk.Event, now: MonotonicTime) {
        switch event {
        case .welcomed: perform(machine.connected(), now: now)
        case .lost: machine.disconnected()
        case .declared(let queue, let problem):
            perform(machine.declared(queue, problem: problem, at: now), now: now)
        case .refused(let reason): tellOnce(reason)
        }
    }

    private func perform(_ actions: [KeeperMachine.Action], now: MonotonicTime) {
        for action in actions {
            switch action {
            case .look: look(now: now)
            case .declare(let declaration): broker.declare(declaration)
            case .publish(let presences): broker.publish(presences)
            case .start(let plugin): orders.append(.start(plugin))
            case .replace(let plugin): orders.append(.replace(plugin))
            case .stop(let queue): orders.append(.stop(queue: queue))
            case .tell(let notice): orders.append(.tell(notice))
            }
        }
    }

    private func look(now: MonotonicTime) {
        let (observation, troubles) = scan.look()
        for trouble in troubles { tellOnce(trouble) }
        perform(machine.observe(observation, at: now), now: now)
    }

    private func tellOnce(_ trouble: String) {
        guard toldTroubles.insert(trouble).inserted else { return }
        orders.append(
            .tell(
                KeeperNotice(
                    .warning, "plugin keeper", ["trouble": trouble], catalog: CatalogMessage.foldersUnread)))
    }
}
