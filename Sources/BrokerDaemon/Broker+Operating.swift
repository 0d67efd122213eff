import Journal
import QueueStateMachine
import TaskModel
import WireProtocol

/// What operators do to tasks: look at the dead, redrive, edit, purge, and free blocked groups.
extension Broker {
    mutating func listDead(
        _ query: DeadTaskQuery, correlation: Correlation, for connection: ConnectionID
    ) {
        let limit = min(Int(query.limit), Limits.batchTasksMax)
        guard let page = state.deadTasks(of: query.queue, after: query.after, limit: limit) else {
            return refuseList(of: query.queue, correlation, connection)
        }
        let tasks = page.tasks.map {
            DeadTask(
                id: $0.id, sequence: $0.sequence, group: $0.group, reason: $0.reason, receives: $0.receives)
        }
        let answer = DeadTaskPage(tasks: tasks, hasMore: page.hasMore)
        outbox.append(.dead(correlation: correlation, answer), to: connection)
    }

    /// One record a task: what is done of a list is done, whatever becomes of the rest.
    ///
    /// The histories that the records carry on are asked for first, so that an act is never half done when
    /// it has to wait for the disk.
    mutating func performAct(
        _ act: TaskAct, _ ids: [TaskID], correlation: Correlation, actor: String,
        from connection: ConnectionID
    ) throws(JournalError) {
        let command = Command.request(
            connection, .act(correlation: correlation, act, ids: ids, actor: actor))
        var histories: [TaskID: ArraySlice<UInt8>] = [:]
        if act == .deadLetter || act == .cancel {
            for id in ids {
                guard let history = try history(of: id, for: command) else { return }
                histories[id] = history
            }
        }
        var outcomes: [ActOutcome] = []
        outcomes.reserveCapacity(ids.count)
        for id in ids {
            outcomes.append(try perform(act, on: id, earlier: histories[id] ?? [], actor: actor))
        }
        outbox.append(.acted(correlation: correlation, outcomes), to: connection)
    }

    private mutating func perform(
        _ act: TaskAct, on id: TaskID, earlier: ArraySlice<UInt8>, actor: String
    ) throws(JournalError) -> ActOutcome {
        let change: JournalRecord?
        switch act {
        case .redrive: return try redrive(id, edited: nil, actor: actor)
        case .purge: change = state.purge(of: id)
        case .retry: change = state.unparking(of: id)
        case .deadLetter: change = state.deadLettering(of: id, earlier: earlier, at: clock)
        case .cancel:
            guard
                case .record(let record) = state.cancellation(
                    of: id, actor: actor, earlier: earlier, at: clock)
            else { return outcomeWithoutRecord(of: id) }
            change = record
        }
        guard let change else { return outcomeWithoutRecord(of: id) }
        return try operate(change, id, act, actor: actor)
    }

    mutating func redrive(
        _ id: TaskID, edited: ArraySlice<UInt8>?, actor: String
    ) throws(JournalError) -> ActOutcome {
        guard let change = state.redrive(of: id, edited: edited) else { return outcomeWithoutRecord(of: id) }
        if state.isFull(queueOf: id) { return .queueFull }
        guard try journal.acceptsPosts(ofBytes: Journal.encodedBytesMax(change)) else { return .diskFull }
        return try operate(change, id, .redrive, actor: actor)
    }

    private mutating func operate(
        _ change: JournalRecord, _ id: TaskID, _ act: TaskAct, actor: String
    ) throws(JournalError) -> ActOutcome {
        do throws(JournalError) {
            _ = try record(change)
        } catch {
            switch error {
            case .full, .tooLarge: return .diskFull
            case _: throw error
            }
        }
        noteFinal(change)
        events.append(.operated(id, act, actor: actor))
        return .done
    }

    private func outcomeWithoutRecord(of id: TaskID) -> ActOutcome {
        switch state.lookup(id, now: clock.monotonic) {
        case .live, .finished: .notInState
        case .unknown, .forgotten: .unknown
        }
    }

    mutating func answerPayload(
        _ id: TaskID, _ request: Request, correlation: Correlation, to connection: ConnectionID
    ) throws(JournalError) {
        guard let span = state.payload(of: id) else {
            return outbox.append(.payload(correlation: correlation, nil), to: connection)
        }
        guard let stored = try load(span, for: .request(connection, request)) else { return }
        guard let task = stored.task else { throw .damagedRecord(span) }
        outbox.append(.payload(correlation: correlation, task.payload), to: connection)
    }
}
