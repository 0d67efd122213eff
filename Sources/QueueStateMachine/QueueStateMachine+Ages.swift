package import TaskModel

/// When age asks for something by itself, so that a broker to which nothing comes wakes for it.
extension QueueStateMachine {
    /// The journal time from which ``housekeeping(at:limit:)`` has something to do: a waiting task is past
    /// its retention, a finished one past its history, a dead one past `dlq_retention`, or a key past its
    /// window.
    ///
    /// Not later than that, perhaps earlier; nil where nothing that is there ages.
    package func nextAging(at time: JournalTime) -> JournalTime? {
        let forever = JournalTime(rawValue: UInt64(Int64.max))
        var next = nextForgetting ?? forever
        for queue in durable.queues {
            for ageing in [nextExpiry(of: queue, at: time), nextBurial(of: queue), nextKeyExpiry(of: queue)] {
                if let ageing, ageing < next { next = ageing }
            }
        }
        return next < forever ? next : nil
    }

    private var nextForgetting: JournalTime? {
        durable.finishedOrder.first.map { slot in
            let entry = durable.finished[slot]
            return entry.finishedAt.advanced(by: durable[entry.queue].settings.historyMilliseconds)
        }
    }

    /// When the next minute of acceptances is past the retention as a whole.
    private func nextExpiry(of queue: QueueEntry, at time: JournalTime) -> JournalTime? {
        guard queue.pending > 0 else { return nil }
        let age = queue.settings.retentionMilliseconds
        let epoch = epochsPast(age: age, at: time)
        guard epoch < durable.epochs.count else { return nil }
        return durable.epochs[epoch].time.advanced(by: Durable.epochMilliseconds).advanced(by: age)
    }

    /// Deaths of which nobody knows when they were are not looked at for longer than a portion.
    private func nextBurial(of queue: QueueEntry) -> JournalTime? {
        let age = bounds.ofQueue(queue.declaration.name).deadRetentionMilliseconds
        guard age < UInt64(Int64.max) else { return nil }
        var slot = queue.firstDead
        for _ in 0..<Self.deathsLookedAtMax where !slot.isNone {
            if let diedAt = durable.detail(of: slot)?.diedAt { return diedAt.advanced(by: age) }
            slot = durable.tasks[slot].next
        }
        return nil
    }

    private static var deathsLookedAtMax: Int { 500 }

    private func nextKeyExpiry(of queue: QueueEntry) -> JournalTime? {
        queue.firstKey.isNone ? nil : durable.keys[queue.firstKey].expires
    }
}
