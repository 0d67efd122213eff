package import TaskModel

/// Where the walk over the live tasks stands that looks for those past their retention.
struct RetentionSweep: Sendable {
    /// Nil between walks.
    var page: Int?
    /// The sequence below which everything of a queue was too old when the last walk began.
    var cutoffs: [QueueNumber: TaskSequence] = [:]
    /// Tasks below their queue's cutoff that were leased or parked when the walk passed, and wait again.
    var returned: [TaskID] = []
}

extension QueueStateMachine {
    /// What age and bounds ask for now, in portions: finished tasks to forget, pending tasks past their
    /// retention.
    ///
    /// Removes expired `Idempotency-Key`s on the way; that is no fact of its own, since an expired key means
    /// nothing.
    package mutating func housekeeping(at clock: ClockReading, limit: Int) -> Housekeeping {
        forgetExpiredKeys(at: clock.journal, limit: limit)
        trimEpochs(at: clock.journal)
        return Housekeeping(
            forget: finishedToForget(at: clock.journal, limit: limit),
            expired: takeReturned(limit: limit) + sweepRetention(at: clock.journal),
            buried: deadPastRetention(at: clock.journal, limit: limit))
    }

    /// What ``housekeeping(at:limit:)`` asks the shell to do.
    package struct Housekeeping: Sendable {
        package var forget: HistoryForgotten?
        /// Pending tasks to be dead-lettered, reason "expired".
        package var expired: [TaskID]
        /// Dead tasks past their queue's `dlq_retention`, to be purged.
        package var buried: [TaskID]
    }

    /// The record that dead-letters a pending task past its retention.
    ///
    /// Nil if it does not wait any more, or may wait longer by now.
    package func expiry(of id: TaskID, earlier: ArraySlice<UInt8>, at clock: ClockReading) -> JournalRecord? {
        guard let task = durable.tasks.find(id), durable.tasks[task].standing == .pending,
            let cutoff = cutoff(
                age: durable[durable.queue(of: task)].settings.retentionMilliseconds, at: clock.journal),
            durable.tasks[task].sequence < cutoff
        else { return nil }
        return .deadLettered(
            DeadLetter(
                id: id, reason: .expired,
                summary: summary(of: task, durable.detail(of: task), history: earlier, at: clock.wall)))
    }

    /// The finished tasks that finished first, whatever their age, to be forgotten early where their room is
    /// needed; nil if there are none.
    package func oldestFinished(limit: Int) -> HistoryForgotten? {
        finished(limit: limit, excess: durable.finished.count, at: JournalTime(rawValue: 0))
    }

    /// Oldest deaths first; those of which nobody knows when they died are left.
    private func deadPastRetention(at time: JournalTime, limit: Int) -> [TaskID] {
        var found: [TaskID] = []
        for queue in durable.queues where queue.dead > 0 {
            let age = bounds.ofQueue(queue.declaration.name).deadRetentionMilliseconds
            guard age < UInt64(Int64.max) else { continue }
            var slot = queue.firstDead
            var looks = 0
            while !slot.isNone, looks < limit, found.count < limit {
                looks += 1
                if let diedAt = durable.detail(of: slot)?.diedAt {
                    if diedAt.advanced(by: age) > time { break }
                    found.append(durable.tasks[slot].id)
                }
                slot = durable.tasks[slot].next
            }
        }
        return found
    }

    private func finishedToForget(at time: JournalTime, limit: Int) -> HistoryForgotten? {
        finished(limit: limit, excess: durable.finished.count - bounds.finishedMax, at: time)
    }

    /// Those past their history, and the `excess` oldest.
    private func finished(limit: Int, excess: Int, at time: JournalTime) -> HistoryForgotten? {
        var count = 0
        var newest = durable.newestForgotten
        var excess = excess
        durable.finishedOrder.visitWhile { slot in
            guard count < limit else { return false }
            let entry = durable.finished[slot]
            let history = durable[entry.queue].settings.historyMilliseconds
            guard excess > 0 || entry.finishedAt.advanced(by: history) <= time else { return false }
            newest = max(newest, entry.id.unixMilliseconds)
            excess -= 1
            count += 1
            return true
        }
        return count == 0 ? nil : HistoryForgotten(count: UInt32(count), newestForgotten: newest)
    }

    private mutating func forgetExpiredKeys(at time: JournalTime, limit: Int) {
        var left = limit
        for queue in durable.queues.indices {
            while left > 0, !durable.queues[queue].firstKey.isNone,
                durable.keys[durable.queues[queue].firstKey].expires <= time
            {
                durable.forgetKey(durable.queues[queue].firstKey)
                left -= 1
            }
        }
        volatile.hasExpiredKeys = left == 0
    }

    /// Ages beyond the longest retention need not be told apart: of the epochs that are past it whole, the
    /// newest says it for all.
    private mutating func trimEpochs(at time: JournalTime) {
        let longest = durable.queues.map(\.settings.retentionMilliseconds).max() ?? 0
        let known = longest.addingReportingOverflow(Durable.epochMilliseconds)
        guard !known.overflow else { return }
        while durable.epochs.count > 2, durable.epochs[1].time.advanced(by: known.partialValue) <= time {
            durable.epochs.removeFirst()
        }
    }

    /// The sequence below which every task was accepted at least `age` milliseconds before `time`.
    private func cutoff(age: UInt64, at time: JournalTime) -> TaskSequence? {
        let oldEnough = epochsPast(age: age, at: time)
        if oldEnough == 0 { return nil }
        return oldEnough < durable.epochs.count
            ? durable.epochs[oldEnough].firstSequence : durable.nextSequence
    }

    /// How many epochs lie at least `age` milliseconds before `time` as a whole.
    func epochsPast(age: UInt64, at time: JournalTime) -> Int {
        // A task of an epoch was accepted before the next began, and within `epochMilliseconds` of its own
        // begin. There may be one a minute for as long as the retention lasts, so the search is binary.
        var (oldEnough, tooYoung) = (0, durable.epochs.count)
        while oldEnough < tooYoung {
            let middle = (oldEnough + tooYoung) / 2
            let latest = durable.epochs[middle].time.advanced(by: Durable.epochMilliseconds)
            if latest.advanced(by: age) <= time { oldEnough = middle + 1 } else { tooYoung = middle }
        }
        return oldEnough
    }

    /// Looks at one page of tasks a call, and only if a queue's cutoff has moved since the last walk.
    private mutating func sweepRetention(at time: JournalTime) -> [TaskID] {
        guard let page = volatile.sweep.page else {
            var cutoffs: [QueueNumber: TaskSequence] = [:]
            for queue in durable.queues where queue.pending > 0 {
                cutoffs[queue.declaration.number] = cutoff(
                    age: queue.settings.retentionMilliseconds, at: time)
            }
            if !cutoffs.isEmpty, cutoffs != volatile.sweep.cutoffs {
                volatile.sweep = RetentionSweep(page: 0, cutoffs: cutoffs)
            }
            return []
        }
        guard page < durable.tasks.pagesCount else {
            volatile.sweep.page = nil
            return []
        }
        volatile.sweep.page = page + 1
        var expired: [TaskID] = []
        durable.tasks.visit(inPage: page) { slot, task in
            guard task.standing == .pending, let cutoff = volatile.sweep.cutoffs[durable.queue(of: slot)]
            else { return }
            if task.sequence < cutoff { expired.append(task.id) }
        }
        return expired
    }

    /// A task waits again that was leased or parked: no further walk comes for it before the cutoff moves.
    mutating func noteWaitingAgain(_ id: TaskID) {
        guard let task = durable.tasks.find(id), let cutoff = volatile.sweep.cutoffs[durable.queue(of: task)],
            durable.tasks[task].sequence < cutoff
        else { return }
        volatile.sweep.returned.append(id)
    }

    private mutating func takeReturned(limit: Int) -> [TaskID] {
        defer { volatile.sweep.returned.removeFirst(min(limit, volatile.sweep.returned.count)) }
        return Array(volatile.sweep.returned.prefix(limit))
    }

    /// True while more finished tasks are known than may be, so that no turn should leave them.
    package var hasExcessHistory: Bool { durable.finished.count > bounds.finishedMax }

    /// True while a retention walk or expired keys are left over, so that the next turn should not wait.
    package var isSweeping: Bool {
        volatile.sweep.page != nil || !volatile.sweep.returned.isEmpty || volatile.hasExpiredKeys
    }

    /// Milliseconds since the task was accepted, to the minute.
    func age(of sequence: TaskSequence, at time: JournalTime) -> UInt64 {
        let epoch = durable.epochs.last { $0.firstSequence <= sequence }
        guard let epoch, time > epoch.time else { return 0 }
        return time.rawValue - epoch.time.rawValue
    }
}
