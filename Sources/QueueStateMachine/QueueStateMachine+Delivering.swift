package import TaskModel

/// A delivery that is to be journaled and then sent; it has no receipt before its record has an LSN.
package struct PlannedDelivery: Sendable {
    package let peer: PeerID
    package let queue: QueueNumber
    package let record: Delivery
    package let sequence: TaskSequence
    package let group: String
    /// Counted deliveries, this one included.
    package let attempt: UInt32
    package let maxAttempts: UInt32
}

extension QueueStateMachine {
    /// The next delivery that a ready group and a worker's credit allow, or nil.
    ///
    /// Journal and ``advance(_:at:now:)`` it, tell ``deliveryBegan(_:now:)``, and ask again.
    package mutating func nextDelivery(at clock: ClockReading) -> PlannedDelivery? {
        while let queue = volatile.deliverable.first {
            if let delivery = planDelivery(of: queue, at: clock) { return delivery }
            volatile.unmarkFirstDeliverable()
        }
        return nil
    }

    private func planDelivery(of queue: QueueNumber, at clock: ClockReading) -> PlannedDelivery? {
        let group = durable[queue].ready.first
        guard durable[queue].delivers, !group.isNone, let worker = workerWithMostSpare(of: queue) else {
            return nil
        }
        let task = durable.groups[group].head
        let entry = durable.tasks[task]
        let name = durable.groups[group].key.name
        return PlannedDelivery(
            peer: worker.peer, queue: queue,
            record: Delivery(
                id: entry.id, worker: worker.name, session: worker.session, deliveredAt: clock.wall),
            sequence: entry.sequence, group: name.isEmpty ? durable[queue].declaration.name : name,
            attempt: (durable.detail(of: task)?.receives ?? 0) + 1,
            maxAttempts: durable[queue].settings.maxAttempts)
    }

    private func workerWithMostSpare(of queue: QueueNumber) -> Volatile.Worker? {
        var best: Volatile.Worker?
        for peer in volatile.workersOfQueue[queue] ?? [] {
            guard let worker = volatile.workers[peer], worker.spare > 0 else { continue }
            if worker.spare > best?.spare ?? 0 { best = worker }
        }
        return best
    }

    /// Arms the lease of a delivery that was journaled just now.
    package mutating func deliveryBegan(_ delivery: PlannedDelivery, now: MonotonicTime) {
        guard let task = durable.tasks.find(delivery.record.id) else { return }
        arm(task, holder: delivery.peer, now: now)
        volatile.workers[delivery.peer]?.held += 1
    }

    mutating func arm(_ task: Slot<TaskEntry>, holder: PeerID?, now: MonotonicTime) {
        let lease = durable[durable.queue(of: task)].settings.leaseMilliseconds
        setDeadline(now.advanced(byMilliseconds: lease), of: task, holder: holder)
    }

    mutating func setDeadline(_ deadline: MonotonicTime, of task: Slot<TaskEntry>, holder: PeerID?) {
        volatile.holders[task] = Volatile.Holder(peer: holder, deadline: deadline)
        volatile.timers.push(TimerHeap.Entry(deadline: deadline, task: task, id: durable.tasks[task].id))
    }

    /// Marks a queue as one in which a delivery may be possible.
    mutating func mayDeliver(_ queue: QueueNumber) {
        if !durable[queue].ready.first.isNone { volatile.markDeliverable(queue) }
    }

    /// What has to be known before a record takes the task away: whose credit comes back.
    mutating func prepareVolatile(for record: JournalRecord) {
        switch record {
        case .released(let release): endLease(of: release.id)
        case .attemptFailed(let failure): endLease(of: failure.id)
        case .completed(let completion): endLease(of: completion.id)
        case .deadLettered(let death): endLease(of: death.id)
        case .parked(let parking): endLease(of: parking.id)
        case .cancelled(let cancellation): endLease(of: cancellation.id)
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .unparked, .redriven,
            .purged,
            .historyForgotten, .moved:
            break
        }
    }

    private mutating func endLease(of id: TaskID) {
        guard let task = durable.tasks.find(id) else { return }
        volatile.markDeliverable(durable.queue(of: task))
        guard let holder = volatile.holders.removeValue(forKey: task) else { return }
        if let receipt = durable.detail(of: task)?.lease?.receipt { volatile.leases[receipt] = nil }
        if let peer = holder.peer { volatile.workers[peer]?.held -= 1 }
    }

    /// Timers and delivery marks that follow from a record just applied.
    mutating func reactVolatile(to record: JournalRecord, receipt: LogSequenceNumber, now: MonotonicTime) {
        switch record {
        case .accepted(let task): mayDeliver(task.queue)
        case .delivered(let delivery):
            if let task = durable.tasks.find(delivery.id) { volatile.leases[receipt] = task }
        case .released(let release): noteWaitingAgain(release.id)
        case .attemptFailed(let failure):
            noteWaitingAgain(failure.id)
            if failure.retryMilliseconds > 0 {
                beginBackoff(of: failure.id, failure.retryMilliseconds, now: now)
            }
        case .unparked(let id):
            noteWaitingAgain(id)
            mayDeliverQueue(of: id)
        case .redriven(let redrive): mayDeliverQueue(of: redrive.id)
        case .queuePauseChanged(let change): mayDeliver(change.queue)
        case .queueDeleted(let queue): volatile.stalls[queue] = nil
        case .queueDeclared, .completed, .deadLettered, .parked, .cancelled, .purged,
            .historyForgotten, .moved:
            break
        }
    }

    private mutating func mayDeliverQueue(of id: TaskID) {
        if let task = durable.tasks.find(id) { mayDeliver(durable.queue(of: task)) }
    }

    mutating func beginBackoff(of id: TaskID, _ milliseconds: UInt64, now: MonotonicTime) {
        guard let task = durable.tasks.find(id) else { return }
        let end = now.advanced(byMilliseconds: milliseconds)
        durable.withDetail(of: task) { $0.backoffEnd = end }
        volatile.timers.push(TimerHeap.Entry(deadline: end, task: task, id: id))
    }
}
