import Journal
import QueueStateMachine
import TaskModel
import WireProtocol

/// What operators do to queues: declare, pause, resume, delete, and see which groups are blocked.
extension Broker {
    /// - Returns: what is wrong, or nil.
    mutating func declare(_ name: String, _ settings: QueueSettings) throws(JournalError) -> String? {
        let operation = state.declaration(of: name, settings: settings)
        let problem = try performOperation(operation)
        if case .record = operation { events.append(.queueDeclared(name: name)) }
        return problem
    }

    /// Lays the configuration over what the plugin's manifest says.
    mutating func declarePlugin(_ plugin: PluginDeclaration) throws(JournalError) -> String? {
        // Nobody knows what an unreadable manifest would say: what was said before goes on.
        if plugin.defaults == nil, state.queue(named: plugin.queue) != nil { return nil }
        let defaults = plugin.defaults ?? QueueDefaults()
        let problem = try declare(plugin.queue, options.pluginSettings(plugin.queue, defaults))
        // Only what was taken: the table is bounded by the number of queues.
        if problem == nil {
            pluginDefaults[plugin.queue] = defaults
            state.bounds.queues[plugin.queue] = options.pluginBounds(plugin.queue, defaults)
            upkeep.expectAging()
        }
        return problem
    }

    private mutating func performOperation(_ operation: Operation) throws(JournalError) -> String? {
        switch operation {
        case .unchanged: return nil
        case .refused(let reason): return reason
        case .record(let change):
            do throws(JournalError) {
                _ = try record(change)
            } catch {
                guard case .full = error else { throw error }
                return Self.diskIsFull
            }
            switch change {
            case .queuePauseChanged(let pause): events.append(.pauseChanged(pause))
            case .queueDeleted(let queue): events.append(.queueDeleted(queue))
            case _: break
            }
            queuesChanged = true
            return nil
        }
    }

    /// Ending a halt gives every head that was parked a fresh count first, a portion a turn; a broker that
    /// ends in between finds the queue halted still.
    mutating func performPause(
        _ request: Request, clear: QueuePauses, from connection: ConnectionID
    ) throws(JournalError) {
        guard case .pause(let correlation, let queue, let set, _, let actor, let reason) = request else {
            return
        }
        if clear.contains(.halted) {
            for _ in 0..<Self.upkeepPerTurnMax {
                guard let head = state.headHeldByHalt(of: queue), let change = state.unparking(of: head)
                else {
                    break
                }
                guard try recordIfRoom(change) else {
                    return outbox.append(
                        .done(correlation: correlation, problem: Self.diskIsFull), to: connection)
                }
                events.append(.operated(head, .retry, actor: actor))
            }
            guard state.headHeldByHalt(of: queue) == nil else {
                return internalCommands.append(.request(connection, request))
            }
        }
        let operation = state.pausing(queue, set: set, clear: clear, actor: actor, reason: reason)
        let problem = try performOperation(operation)
        outbox.append(.done(correlation: correlation, problem: problem), to: connection)
    }

    /// A portion of a deletion: the operator asks again until the queue is gone, and sees how far it is.
    mutating func performDeletion(
        _ deletion: QueueDeletion, _ request: Request, correlation: Correlation,
        from connection: ConnectionID
    ) throws(JournalError) {
        if let reason = reasonToKeep(deletion.queue) {
            return outbox.append(
                .deletion(correlation: correlation, .refused(reason: reason)), to: connection)
        }
        for _ in 0..<Self.upkeepPerTurnMax {
            let step = state.deletionStep(
                of: deletion.queue, purges: deletion.purges, actor: deletion.actor)
            switch step {
            case .refused(let reason):
                return outbox.append(
                    .deletion(correlation: correlation, .refused(reason: reason)), to: connection)
            case .record(let change):
                if let problem = try performOperation(.record(change)) {
                    return outbox.append(
                        .deletion(correlation: correlation, .refused(reason: problem)), to: connection)
                }
                if case .queueDeleted = change {
                    // One of that name later on is another queue: its plugin says anew what it wants.
                    if pluginDefaults.removeValue(forKey: deletion.queue) != nil {
                        state.bounds.queues[deletion.queue] = options.bounds.queues[deletion.queue]
                    }
                    return outbox.append(.deletion(correlation: correlation, .deleted), to: connection)
                }
            case .cancel(let id):
                guard let earlier = try history(of: id, for: .request(connection, request)) else { return }
                let cancellation = state.cancellation(
                    of: id, actor: deletion.actor, earlier: earlier, at: clock)
                guard case .record(let change) = cancellation,
                    try remove(id, change, deletion, correlation, connection)
                else { return }
            case .purge(let id):
                guard let change = state.purge(of: id),
                    try remove(id, change, deletion, correlation, connection)
                else { return }
            case .waitForLeases: return answerRemaining(of: deletion.queue, correlation, connection)
            }
        }
        answerRemaining(of: deletion.queue, correlation, connection)
    }

    /// False, and answered, where a full disk has no room for it.
    private mutating func remove(
        _ id: TaskID, _ change: JournalRecord, _ deletion: QueueDeletion, _ correlation: Correlation,
        _ connection: ConnectionID
    ) throws(JournalError) -> Bool {
        guard try recordIfRoom(change) else {
            outbox.append(
                .deletion(correlation: correlation, .refused(reason: Self.diskIsFull)), to: connection)
            return false
        }
        noteFinal(change)
        if wantsTaskEvents, case .purged = change {
            events.append(.operated(id, .purge, actor: deletion.actor))
        }
        return true
    }

    private mutating func answerRemaining(
        of queue: String, _ correlation: Correlation, _ connection: ConnectionID
    ) {
        guard let declaration = state.queue(named: queue) else { return }
        let view = state.overview(of: declaration.number, at: clock)
        outbox.append(
            .deletion(
                correlation: correlation,
                .remaining(waiting: view.pending + view.parked, leased: view.leased, dead: view.dead)),
            to: connection)
    }

    /// Queues that the next start would declare again.
    private func reasonToKeep(_ queue: String) -> String? {
        if queue == BrokerOptions.defaultQueue { return "the queue \(queue) is always there" }
        guard options.queues.contains(where: { $0.name == queue }) else { return nil }
        return "the configuration declares \(queue): take [queues.\(queue)] out of it and restart the broker"
    }

    private static var diskIsFull: String { "the disk is full" }

    mutating func listBlocked(
        _ query: BlockedGroupQuery, correlation: Correlation, for connection: ConnectionID
    ) {
        let now = clock.monotonic
        if let group = query.group {
            guard state.queue(named: query.queue) != nil else {
                return refuseList(of: query.queue, correlation, connection)
            }
            let groups = state.blockedGroup(group, of: query.queue, now: now).map { [BlockedGroupView($0)] }
            let answer = BlockedGroupListing(groups: groups ?? [], hasMore: false)
            return outbox.append(.blocked(correlation: correlation, answer), to: connection)
        }
        let limit = min(Int(query.limit), Limits.batchTasksMax)
        guard
            let page = state.blockedGroups(of: query.queue, after: query.after, limit: limit, now: now)
        else { return refuseList(of: query.queue, correlation, connection) }
        let answer = BlockedGroupListing(
            groups: page.groups.map { BlockedGroupView($0) }, hasMore: page.hasMore)
        outbox.append(.blocked(correlation: correlation, answer), to: connection)
    }

    mutating func refuseList(
        of queue: String, _ correlation: Correlation, _ connection: ConnectionID
    ) {
        let problem =
            state.queue(named: queue) == nil
            ? "there is no queue named \"\(queue)\"" : "the list has changed: begin again"
        outbox.append(.done(correlation: correlation, problem: problem), to: connection)
    }
}

extension BlockedGroupView {
    fileprivate init(_ group: BlockedGroup) {
        self.init(
            name: group.name, head: group.head, isParked: group.isParked, waiting: group.waiting,
            receives: group.receives, maxAttempts: group.maxAttempts,
            retryMilliseconds: group.retryMilliseconds, waitingBecause: group.waitingBecause)
    }
}
