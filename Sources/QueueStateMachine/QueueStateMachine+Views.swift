package import TaskModel

/// What the machine knows of a task; the shell reads the named records for the rest.
package enum TaskLookup: Sendable {
    case live(LiveTask)
    /// The final record says everything.
    case finished(state: FinishedState, queue: QueueNumber, record: RecordSpan)
    case forgotten
    case unknown
}

package struct LiveTask: Sendable {
    package enum State: Hashable, Sendable {
        case pending
        case leased
        case parked
        case dead(DeadLetterReason)
    }

    package var state: State
    package var queue: QueueNumber
    /// Empty: the queue's default group.
    package var group: String
    package var sequence: TaskSequence
    package var receives: UInt32
    package var waitingBecause: String
    package var history: RecordSpan?
}

/// One queue's sums and what holds it up.
package struct QueueOverview: Sendable {
    package var declaration: QueueDeclaration
    package var counters: QueueCounters
    package var pending: UInt64
    package var leased: UInt64
    package var parked: UInt64
    package var dead: UInt64
    package var groups: UInt64
    package var blockedGroups: UInt64
    package var oldestAgeMilliseconds: UInt64
    package var pauses: QueuePauses
    package var workers: UInt32
    package var waitingBecause: String
}

extension QueueStateMachine {
    package func lookup(_ id: TaskID, now: MonotonicTime) -> TaskLookup {
        if let slot = durable.tasks.find(id) { return .live(view(of: slot, now: now)) }
        if let slot = durable.finished.find(id) {
            let entry = durable.finished[slot]
            return .finished(state: entry.state, queue: entry.queue, record: entry.span)
        }
        return id.unixMilliseconds <= durable.newestForgotten ? .forgotten : .unknown
    }

    /// Nil where no such task is waiting, leased, parked or dead.
    package func queue(of id: TaskID) -> QueueNumber? {
        durable.tasks.find(id).map { durable.queue(of: $0) }
    }

    private func view(of slot: Slot<TaskEntry>, now: MonotonicTime) -> LiveTask {
        let task = durable.tasks[slot]
        let detail = durable.detail(of: slot)
        let group = durable.groups[task.group].key
        let state: LiveTask.State
        switch task.standing {
        case .pending: state = .pending
        case .leased: state = .leased
        case .parked: state = .parked
        case .dead: state = .dead(detail?.deadReason ?? .exhausted)
        }
        return LiveTask(
            state: state, queue: group.queue, group: group.name, sequence: task.sequence,
            receives: detail?.receives ?? 0,
            waitingBecause: state == .pending || state == .parked ? reason(slot, now: now) : "",
            history: detail?.history)
    }

    /// Why a pending task is not being worked on, in the words that HTTP, the CLI and the console share.
    func reason(_ slot: Slot<TaskEntry>, now: MonotonicTime) -> String {
        let group = durable.tasks[slot].group
        let head = durable.groups[group].head
        let headTask = durable.tasks[head]
        let maxAttempts = durable[durable.groups[group].key.queue].settings.maxAttempts
        let receives = durable.detail(of: head)?.receives ?? 0
        let subject = head == slot ? "" : "group blocked by \(headTask.id), "
        switch headTask.standing {
        case .leased: return "\(subject)attempt \(receives) of \(maxAttempts)"
        case .parked:
            let attempts = "\(receives) attempt\(receives == 1 ? "" : "s")"
            let isHalted = durable[durable.groups[group].key.queue].pauses.contains(.halted)
            return "\(subject)parked after \(attempts), waits for taskq \(isHalted ? "resume" : "groups")"
        case .pending, .dead:
            if let detail = durable.detail(of: head), detail.backoffMilliseconds > 0 {
                let seconds = (detail.backoffEnd.milliseconds(since: now) + 999) / 1_000
                return "\(subject)attempt \(receives) of \(maxAttempts) failed, retry in \(seconds) s"
            }
            let cause = holdUp(of: durable.groups[group].key.queue)
            if !cause.isEmpty { return cause }
            return head == slot ? "waiting for its turn" : "waiting behind \(headTask.id)"
        }
    }

    /// Why a queue as a whole delivers nothing; empty where it does.
    private func holdUp(of queue: QueueNumber) -> String {
        let entry = durable[queue]
        if entry.pauses.contains(.halted) { return "halted: a task used up its attempts; resume retries it" }
        if entry.pauses.contains(.deliveries) {
            return entry.pauseReason.isEmpty
                ? "paused by \(entry.pauseActor)" : "paused by \(entry.pauseActor): \(entry.pauseReason)"
        }
        if let stall = volatile.stalls[queue] { return "stalled: \(stall)" }
        if !(volatile.workersOfQueue[queue] ?? []).isEmpty { return "" }
        guard let problem = volatile.plugins[queue] else { return "no plugin" }
        return problem.isEmpty ? "no worker connected" : problem
    }

    package func overview(of queue: QueueNumber, at clock: ClockReading) -> QueueOverview {
        let entry = durable[queue]
        let heads = [entry.ready, entry.backingOff].filter { !$0.first.isNone }.map {
            durable.tasks[durable.groups[$0.first].head].sequence
        }
        return QueueOverview(
            declaration: entry.declaration, counters: entry.counters, pending: entry.pending,
            leased: entry.leased,
            parked: entry.parked, dead: entry.dead, groups: entry.groups,
            blockedGroups: entry.blockedGroups,
            oldestAgeMilliseconds: heads.min().map { age(of: $0, at: clock.journal) } ?? 0,
            pauses: entry.pauses, workers: UInt32((volatile.workersOfQueue[queue] ?? []).count),
            waitingBecause: entry.leased == 0 ? reason(queue, now: clock.monotonic) : "")
    }

    /// Why nothing of a queue is worked on, or would be if there were something.
    private func reason(_ queue: QueueNumber, now: MonotonicTime) -> String {
        let entry = durable[queue]
        let cause = holdUp(of: queue)
        guard cause.isEmpty, entry.ready.first.isNone else { return cause }
        let line = entry.parkedGroups.first.isNone ? entry.backingOff : entry.parkedGroups
        guard !line.first.isNone else { return "" }
        let group = durable.groups[line.first]
        let name = group.key.name.isEmpty ? entry.declaration.name : group.key.name
        let others = entry.blockedGroups == 1 ? "" : " and \(entry.blockedGroups - 1) more"
        return "group \(name)\(others) blocked by \(durable.tasks[group.head].id), "
            + reason(group.head, now: now)
    }

    /// The queues that exist, in the order of their declaration.
    package var queues: [QueueDeclaration] {
        durable.queues.filter { !$0.isDeleted }.map(\.declaration)
    }

    /// Bytes of the records that a queue's live and finished tasks need.
    package func storedBytes(of queue: QueueNumber) -> UInt64 { durable[queue].storedBytes }

    package func queue(named name: String) -> QueueDeclaration? {
        guard let number = durable.queueByName[name], !durable[number].isDeleted else { return nil }
        return durable[number].declaration
    }

    package func declaration(of queue: QueueNumber) -> QueueDeclaration { durable[queue].declaration }

    package func pauses(of queue: QueueNumber) -> QueuePauses { durable[queue].pauses }

    /// The counters of guarantee K of every queue ever declared, with what is live now.
    package var sums: [(queue: QueueDeclaration, counters: QueueCounters, live: UInt64, dead: UInt64)] {
        durable.queues.map { ($0.declaration, $0.counters, $0.depth, $0.dead) }
    }
}
