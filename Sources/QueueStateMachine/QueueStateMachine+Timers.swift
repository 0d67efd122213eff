package import TaskModel

extension QueueStateMachine {
    /// After recovery: every open lease is armed for `reattach`, every back-off starts anew.
    ///
    /// - Parameter sameBoot: false if the machine was rebooted since the leases began, so that nobody can
    ///   come back.
    /// - Returns: the leases that are over already.
    package mutating func resume(now: MonotonicTime, sameBoot: Bool) -> [TakeBack] {
        var leased: [(LogSequenceNumber, Slot<TaskEntry>)] = []
        var waiting: [(TaskID, UInt64)] = []
        durable.details.visit { _, detail in
            if let lease = detail.lease { leased.append((lease.receipt, detail.task)) }
            if detail.backoffMilliseconds > 0 {
                waiting.append((durable.tasks[detail.task].id, detail.backoffMilliseconds))
            }
        }
        for (id, milliseconds) in waiting { beginBackoff(of: id, milliseconds, now: now) }
        leased.sort { $0.0 < $1.0 }
        for (receipt, task) in leased {
            volatile.leases[receipt] = task
            setDeadline(now.advanced(byMilliseconds: Limits.reattachMilliseconds), of: task, holder: nil)
        }
        for queue in durable.queues { mayDeliver(queue.declaration.number) }
        return sameBoot ? [] : leased.compactMap { takeBack($0.1, cause: .workerLost) }
    }

    /// When ``takeDue(_:limit:)`` has something to do next, at the earliest.
    package var nextDeadline: MonotonicTime? { volatile.timers.earliest }

    /// Ends back-offs that are over and returns leases that are; at most `limit` timers a call.
    package mutating func takeDue(_ now: MonotonicTime, limit: Int) -> [TakeBack] {
        var takeBacks: [TakeBack] = []
        var popped = 0
        while popped < limit, let entry = volatile.timers.popDue(now) {
            popped += 1
            guard let task = durable.tasks.find(entry.id), task == entry.task else { continue }
            if let detail = durable.detail(of: task), detail.backoffMilliseconds > 0 {
                if detail.backoffEnd <= now { endBackoff(of: task) }
            } else if let holder = volatile.holders[task] {
                if holder.deadline > now {
                    volatile.timers.push(TimerHeap.Entry(deadline: holder.deadline, task: task, id: entry.id))
                } else if let expired = takeBack(
                    task, cause: holder.peer == nil ? .workerLost : .leaseExpired)
                {
                    takeBacks.append(expired)
                }
            }
        }
        return takeBacks
    }

    private mutating func endBackoff(of task: Slot<TaskEntry>) {
        durable.setBackoff(0, of: task)
        durable.refreshReadiness(of: durable.tasks[task].group)
        mayDeliver(durable.queue(of: task))
    }
}
