package import TaskModel

/// A lease that ends because of what a worker said or did not say.
package struct TakeBack: Hashable, Sendable {
    package enum Cause: Hashable, Sendable {
        /// The delivery was on its way when the connection broke.
        case neverArrived
        /// The worker, or its run of that time, is gone.
        case workerLost
        case leaseExpired
    }

    package let id: TaskID
    package let receipt: LogSequenceNumber
    package let cause: Cause

    package init(id: TaskID, receipt: LogSequenceNumber, cause: Cause) {
        self.id = id
        self.receipt = receipt
        self.cause = cause
    }

    /// The answer that stands for it.
    package func answer(now: WallTime, deliveredAt: WallTime) -> Answer {
        let duration = now.rawValue > deliveredAt.rawValue ? now.rawValue - deliveredAt.rawValue : 0
        switch cause {
        case .neverArrived: return .release
        case .workerLost:
            return .nack(
                Failure(outcome: .workerLost, durationMilliseconds: duration, reason: "the worker went away"))
        case .leaseExpired:
            return .nack(
                Failure(
                    outcome: .leaseExpired, durationMilliseconds: duration,
                    reason: "the lease was not renewed"))
        }
    }
}

/// What the broker makes of a worker's hello.
package enum WorkerArrival: Sendable {
    case refused(reason: String)
    /// - stale: receipts in the hello that mean nothing any more.
    /// - takeBacks: leases that the hello shows to be over.
    case welcomed(leaseMilliseconds: UInt64, stale: [LogSequenceNumber], takeBacks: [TakeBack])
}

extension QueueStateMachine {
    /// A worker has said hello on a new connection.
    ///
    /// Each receipt it lists goes on. Of what it does not list, a delivery to this very session never
    /// arrived; one to another session of the same name died with that session.
    package mutating func workerArrived(
        _ peer: PeerID, name: String, session: SessionID, queue queueName: String,
        holding receipts: [LogSequenceNumber],
        now: MonotonicTime
    ) -> WorkerArrival {
        guard let queue = durable.queueByName[queueName], !durable[queue].isDeleted else {
            return .refused(reason: "there is no queue named \"\(queueName)\"")
        }
        let rivals = (volatile.workersOfQueue[queue] ?? []).compactMap { volatile.workers[$0] }
        if rivals.contains(where: { $0.name == name && $0.session != session }) {
            return .refused(reason: "a worker named \"\(name)\" is connected already")
        }
        // Connections are numbered as they are made. What an older one still had to say is out of date: the
        // receipts of its hello would take back what the newer one was given since.
        if rivals.contains(where: { $0.session == session && $0.peer.rawValue > peer.rawValue }) {
            return .refused(reason: "this session has a newer connection")
        }
        let most = bounds.ofQueue(queueName).workersMax
        if rivals.count(where: { $0.session != session }) >= most {
            return .refused(reason: "queue \"\(queueName)\" has \(most) workers, its processor.workers")
        }
        // An older connection of the same session has broken without our having seen it yet.
        for rival in rivals where rival.session == session { detach(rival.peer) }
        volatile.workers[peer] = Volatile.Worker(peer: peer, name: name, session: session, queue: queue)
        volatile.workersOfQueue[queue, default: []].append(peer)

        var claimed: Set<LogSequenceNumber> = []
        var stale: [LogSequenceNumber] = []
        for receipt in receipts {
            if claim(receipt, by: peer, session: session, now: now) {
                claimed.insert(receipt)
            } else {
                stale.append(receipt)
            }
        }
        let unclaimed = leases(of: queue).filter {
            $0.lease.worker == name && !claimed.contains($0.lease.receipt)
        }
        let takeBacks = unclaimed.map {
            TakeBack(
                id: durable.tasks[$0.task].id, receipt: $0.lease.receipt,
                cause: $0.lease.session == session ? .neverArrived : .workerLost)
        }
        return .welcomed(
            leaseMilliseconds: durable[queue].settings.leaseMilliseconds, stale: stale, takeBacks: takeBacks)
    }

    private mutating func claim(
        _ receipt: LogSequenceNumber, by peer: PeerID, session: SessionID, now: MonotonicTime
    ) -> Bool {
        guard let task = volatile.leases[receipt], durable.detail(of: task)?.lease?.session == session else {
            return false
        }
        // A hello may list a receipt twice; the task takes one place of the worker's credit.
        if let holder = volatile.holders[task]?.peer { volatile.workers[holder]?.held -= 1 }
        arm(task, holder: peer, now: now)
        volatile.workers[peer]?.held += 1
        return true
    }

    /// The open leases of a queue, oldest receipt first.
    private func leases(of queue: QueueNumber) -> [(task: Slot<TaskEntry>, lease: TaskSnapshot.Lease)] {
        volatile.leases.values.compactMap { task in
            guard durable.queue(of: task) == queue, let lease = durable.detail(of: task)?.lease else {
                return nil
            }
            return (task, lease)
        }.sorted { $0.lease.receipt < $1.lease.receipt }
    }

    /// The connection is gone, the process perhaps not: its leases wait for the worker to come back.
    /// - Returns: how many leases wait.
    package mutating func workerDisconnected(_ peer: PeerID, now: MonotonicTime) -> Int {
        let held = tasksHeld(by: peer)
        for task in held {
            setDeadline(now.advanced(byMilliseconds: Limits.reattachMilliseconds), of: task, holder: nil)
        }
        detach(peer)
        return held.count
    }

    /// The process is gone: whatever it held is to be taken back at once.
    package mutating func workerDied(_ peer: PeerID) -> [TakeBack] {
        let takeBacks = tasksHeld(by: peer).compactMap { takeBack($0, cause: .workerLost) }
        detach(peer)
        return takeBacks
    }

    private func tasksHeld(by peer: PeerID) -> [Slot<TaskEntry>] {
        volatile.holders.filter { $0.value.peer == peer }.map(\.key).sorted { $0.rawValue < $1.rawValue }
    }

    func takeBack(_ task: Slot<TaskEntry>, cause: TakeBack.Cause) -> TakeBack? {
        durable.detail(of: task)?.lease.map {
            TakeBack(id: durable.tasks[task].id, receipt: $0.receipt, cause: cause)
        }
    }

    private mutating func detach(_ peer: PeerID) {
        guard let worker = volatile.workers.removeValue(forKey: peer) else { return }
        volatile.workersOfQueue[worker.queue]?.removeAll { $0 == peer }
        for (task, holder) in volatile.holders where holder.peer == peer {
            volatile.holders[task]?.peer = nil
        }
    }

    /// How many tasks the worker is willing to hold at once, those it holds included.
    package mutating func setCredit(_ credit: UInt16, of peer: PeerID) {
        guard let worker = volatile.workers[peer] else { return }
        volatile.workers[peer]?.credit = credit
        if credit > 0 { volatile.stalls[worker.queue] = nil }
        mayDeliver(worker.queue)
    }

    /// The worker still works on these; the answer names those that are stale.
    package mutating func renew(
        _ receipts: [LogSequenceNumber], by peer: PeerID, now: MonotonicTime
    ) -> [LogSequenceNumber] {
        var stale: [LogSequenceNumber] = []
        for receipt in receipts {
            guard let task = volatile.leases[receipt], let holder = volatile.holders[task],
                holder.peer == peer
            else {
                stale.append(receipt)
                continue
            }
            let lease = durable[durable.queue(of: task)].settings.leaseMilliseconds
            // The timer's entry is pushed anew when it comes due before this deadline.
            volatile.holders[task]?.deadline = now.advanced(byMilliseconds: lease)
            if let renewed = volatile.holders[task]?.deadline, renewed < holder.deadline {
                // The lease was made shorter since it began: no timer would come in time.
                setDeadline(renewed, of: task, holder: peer)
            }
        }
        return stale
    }

    /// The worker cannot start its processor; an empty reason ends the stall.
    package mutating func setStall(_ reason: String, of peer: PeerID) {
        guard let queue = volatile.workers[peer]?.queue else { return }
        volatile.stalls[queue] = reason.isEmpty ? nil : reason
    }

    package mutating func setPlugin(_ present: Bool, of queue: QueueNumber) {
        volatile.plugins[queue] = present ? "" : nil
    }

    /// Which queues have a plugin, and why it does not serve them, where it does not; no other queue has one.
    ///
    /// The stall of a plugin that is gone ends with it.
    package mutating func setPlugins(_ problems: [String: String]) {
        volatile.plugins = [:]
        for (name, problem) in problems {
            if let queue = durable.queueByName[name] { volatile.plugins[queue] = problem }
        }
        volatile.stalls = volatile.stalls.filter { volatile.plugins[$0.key]?.isEmpty ?? false }
    }

    /// Whether the delivery with this receipt goes on.
    package func isLeased(_ id: TaskID, by receipt: LogSequenceNumber) -> Bool {
        durable.tasks.find(id).flatMap { durable.detail(of: $0)?.lease?.receipt } == receipt
    }

    /// Whose connection the task was delivered to; nil where that is gone or somebody else's now.
    package func holder(of id: TaskID) -> PeerID? {
        durable.tasks.find(id).flatMap { volatile.holders[$0]?.peer }
    }

    package func deliveredAt(_ id: TaskID) -> WallTime? {
        durable.tasks.find(id).flatMap { durable.detail(of: $0)?.lease?.deliveredAt }
    }
}
