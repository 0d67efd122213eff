import Journal
import QueueStateMachine
import TaskModel
import WireProtocol

/// `GET /tasks/{id}` and `taskq status`.
extension Broker {
    mutating func performLookup(
        _ id: TaskID, correlation: Correlation, waitMilliseconds: UInt32, from connection: ConnectionID
    ) throws(JournalError) {
        guard waitMilliseconds > 0, isUnfinished(id) else {
            return try answerLookup(id, correlation: correlation, to: connection)
        }
        guard !waiters.isFull else {
            return outbox.append(.task(correlation: correlation, answer: .tooManyWaiters), to: connection)
        }
        let wait = min(UInt64(waitMilliseconds), UInt64(Limits.waitSecondsMax) * 1_000)
        waiters.add(
            WaiterTable.Waiter(
                connection: connection, correlation: correlation, id: id,
                deadline: clock.monotonic.advanced(byMilliseconds: wait)))
    }

    private func isUnfinished(_ id: TaskID) -> Bool {
        guard case .live(let task) = state.lookup(id, now: clock.monotonic) else { return false }
        return task.state == .pending || task.state == .leased
    }

    /// Answers those whose task became final in this turn, and those whose time is up.
    mutating func answerWaiters() throws(JournalError) {
        let decided = finals
        finals = []
        for id in decided {
            for waiter in waiters.take(id) {
                try answerLookup(id, correlation: waiter.correlation, to: waiter.connection)
            }
        }
        for waiter in waiters.takeDue(clock.monotonic) {
            try answerLookup(waiter.id, correlation: waiter.correlation, to: waiter.connection)
        }
    }

    mutating func answerLookup(
        _ id: TaskID, correlation: Correlation, to connection: ConnectionID
    ) throws(JournalError) {
        let command = Command.answerLookup(connection, correlation, id)
        let answer: LookupAnswer
        switch state.lookup(id, now: clock.monotonic) {
        case .unknown: answer = .unknown
        case .forgotten: answer = .forgotten
        case .live(let task):
            var history: ArraySlice<UInt8> = []
            var finishedAt: WallTime?
            if let span = task.history {
                guard let stored = try load(span, for: command) else { return }
                history = stored.history ?? []
                if case .deadLettered(let death) = stored.record { finishedAt = death.summary.finishedAt }
            }
            answer = .found(view(of: id, task, history: history, finishedAt: finishedAt))
        case .finished(_, let queue, let span):
            guard let stored = try load(span, for: command) else { return }
            guard let view = view(ofFinished: stored, queue: queue) else { throw .damagedRecord(span) }
            answer = .found(view)
        }
        outbox.append(.task(correlation: correlation, answer: answer), to: connection)
    }

    private func view(
        of id: TaskID, _ task: LiveTask, history: ArraySlice<UInt8>, finishedAt: WallTime?
    ) -> TaskView {
        let queue = state.declaration(of: task.queue)
        var view = TaskView(
            id: id, state: .pending, queue: queue.name, group: task.group.isEmpty ? queue.name : task.group,
            sequence: task.sequence, receives: task.receives, maxAttempts: queue.settings.maxAttempts,
            waitingBecause: task.waitingBecause, history: history)
        switch task.state {
        case .pending: view.state = .pending
        case .leased: view.state = .leased
        case .parked: view.state = .parked
        case .dead(let reason):
            view.state = .deadLettered
            view.deadReason = reason
            view.finishedAt = finishedAt
        }
        return view
    }

    private func view(ofFinished stored: StoredRecord, queue number: QueueNumber) -> TaskView? {
        let queue = state.declaration(of: number)
        switch stored.record {
        case .completed(let completion):
            return view(of: completion.id, .completed, completion.summary, queue).with(
                result: completion.result, error: completion.resultError)
        case .cancelled(let cancellation):
            return view(of: cancellation.id, .cancelled, cancellation.summary, queue)
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .released,
            .attemptFailed,
            .deadLettered, .parked, .unparked, .redriven, .purged, .historyForgotten, .moved:
            return nil
        }
    }

    private func view(
        of id: TaskID, _ state: TaskView.State, _ summary: FinishedSummary, _ queue: QueueDeclaration
    ) -> TaskView {
        TaskView(
            id: id, state: state, queue: queue.name,
            group: summary.group.isEmpty ? queue.name : summary.group,
            sequence: summary.sequence, finishedAt: summary.finishedAt, receives: summary.receives,
            maxAttempts: queue.settings.maxAttempts, history: summary.history)
    }

    func status() -> BrokerStatus {
        BrokerStatus(
            instance: journal.instance,
            uptimeMilliseconds: clock.monotonic.milliseconds(since: upkeep.startedAt),
            durableLSN: journal.durableLSN, journalBytes: UInt64(journal.diskBytes),
            liveBytes: UInt64(journal.liveBytes), syncs: counters.syncs,
            queues: state.queues.map { queue in QueueStatus(state.overview(of: queue.number, at: clock)) })
    }
}

extension TaskView {
    fileprivate func with(result: ArraySlice<UInt8>, error: String) -> TaskView {
        var view = self
        view.result = result
        view.resultError = error
        return view
    }
}

extension QueueStatus {
    fileprivate init(_ queue: QueueOverview) {
        self.init(
            name: queue.declaration.name, counters: queue.counters, pending: queue.pending,
            leased: queue.leased,
            parked: queue.parked, dead: queue.dead, groups: queue.groups, blockedGroups: queue.blockedGroups,
            oldestAgeMilliseconds: queue.oldestAgeMilliseconds, pauses: queue.pauses, workers: queue.workers,
            waitingBecause: queue.waitingBecause)
    }
}
