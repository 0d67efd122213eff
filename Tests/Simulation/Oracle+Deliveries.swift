import BrokerDaemon
import TaskModel
import WireProtocol

/// Guarantees B, C, F and G at every delivery.
extension Oracle {
    func sentDelivery(_ delivery: DeliveredTask, to connection: ConnectionID, leaves: Bool) {
        tally.count(.deliveries)
        guard let task = tasks[delivery.id] else {
            return complain("A: task \(delivery.id) was delivered and never posted")
        }
        tell?(
            "delivery \(delivery.receipt.lsn.rawValue) of \(task.id), attempt \(delivery.attempt), "
                + "\(task.queue)/\(task.group) #\(delivery.sequence.rawValue) to \(connection.rawValue)"
                + (leaves ? "" : ", does not leave"))
        // Its payload was read for long, and meanwhile it died and was redriven.
        if mayPostpone, isOutdated(delivery.sequence.rawValue, task) { return }
        recognize(delivery.sequence.rawValue, of: task, isAlive: true)
        noteRetry(delivery, task)
        checkContent(delivery, task)
        checkNotOver(task)
        checkAttempt(delivery, task)
        checkLine(task, delivery.sequence.rawValue)
        checkLease(delivery, task)
        checkPermission(delivery, task, connection, leaves: leaves)
        if now < task.backoffEnd {
            complain("C: task \(task.id) was delivered \((task.backoffEnd - now) / 1_000_000) ms early")
        }
        begin(delivery, task, connection, leaves: leaves)
    }

    /// In doubt whether a parked task was retried, a low count says that it was.
    private func noteRetry(_ delivery: DeliveredTask, _ task: KnownTask) {
        guard task.retries.any, task.terms.mayPark else { return }
        task.endBackoff()
        if delivery.attempt <= task.lastAttempt { task.noteRetry(inTurn: turn) }
        task.leastAttempt = min(task.leastAttempt, delivery.attempt)
    }

    private func checkContent(_ delivery: DeliveredTask, _ task: KnownTask) {
        if let content = task.content(is: delivery.payload) {
            (task.contents, task.edits) = ([content], [])
        } else {
            complain("B: the payload of \(task.id) is not what was posted")
        }
        if delivery.group != task.group {
            complain("C: task \(task.id) of group \(task.group) was delivered in \(delivery.group)")
        }
        if let instance, instance != delivery.receipt.instance {
            complain("F: receipt of another instance of the journal")
        }
    }

    private func checkNotOver(_ task: KnownTask) {
        if task.isRefused { complain("A: task \(task.id) was refused and delivered") }
        if let final = task.final { complain("B: task \(task.id) was \(final) for good and delivered") }
        if task.isPassedOver { complain("C: task \(task.id) was delivered after a later one of its group") }
        // Whatever was in doubt did not happen; a command that waits for the disk may still.
        task.endsInDoubt = []
        task.redrives.settle()
        task.purges.settle()
        task.retries.settle()
        guard !mayPostpone else { return }
        task.cancelsInDoubt = 0
        task.operatorDeaths.settle()
    }

    private func checkAttempt(_ delivery: DeliveredTask, _ task: KnownTask) {
        let most = Int(task.lastAttempt) + 1 + unseenDeliveries(of: task)
        if delivery.attempt < task.leastAttempt {
            complain("G: task \(task.id) had \(task.leastAttempt - 1) attempts and has \(delivery.attempt)")
        }
        if Int(delivery.attempt) > most {
            complain("G: attempt \(delivery.attempt) of \(task.id), and there cannot be more than \(most)")
        }
        if delivery.attempt > task.terms.attemptsMost {
            complain("G: attempt \(delivery.attempt) of \(task.terms.attemptsMost) of task \(task.id)")
        }
    }

    /// Whatever was accepted before it in its group has to be over, or at least may be over.
    private func checkLine(_ task: KnownTask, _ sequence: UInt64) {
        learn(sequence, of: task)
        promise(task)
        let line = task.line
        if sequence < line.reached {
            complain("C: task \(task.id) #\(sequence) was delivered after #\(line.reached) of its group")
        }
        line.reached = max(line.reached, sequence)
        while let first = line.waiting.first, first !== task, first.sequence ?? 0 < sequence {
            if !mayBeOver(first) {
                complain("C: task \(task.id) was delivered before \(first.id) of its group was over")
            }
            first.passOver(inTurn: turn)
            line.waiting.removeFirst()
        }
        checkRedriven(task, line)
    }

    /// What was redriven before the task was posted comes before it.
    private func checkRedriven(_ task: KnownTask, _ line: Line) {
        guard !line.unplaced.isEmpty else { return }
        line.unplaced.removeAll { $0.sequence != nil || $0.final != nil }
        guard task.stint == 0 else { return }
        for first in line.unplaced where first !== task && first.stintTurn < task.offeredInTurn {
            if !mayBeOver(first) {
                complain("C: task \(task.id) was delivered before \(first.id), which was redriven before it")
            }
            first.passOver(inTurn: turn)
        }
        line.unplaced.removeAll(where: \.isPassedOver)
    }

    /// While a delivery of the group is valid there is no other.
    private func checkLease(_ delivery: DeliveredTask, _ task: KnownTask) {
        let receipt = delivery.receipt.lsn.rawValue
        if leases[receipt] != nil { complain("F: receipt \(receipt) named two deliveries") }
        if receipt <= task.lastReceipt {
            complain("F: receipt \(receipt) of \(task.id) came after \(task.lastReceipt)")
        }
        guard let lease = task.line.lease, lease.task !== task || !lease.isTaken else { return }
        if lease.task === task, !mayHaveEnded(lease) {
            complain(
                "C: task \(task.id) was delivered again while receipt \(lease.receipt) is valid, held by "
                    + lease.worker)
        }
    }

    func mayHaveEnded(_ lease: Lease) -> Bool {
        // A delivery that waited for its payload was armed before it was seen.
        lease.mayHaveEnded(at: now, slack: mayPostpone ? 60_000 : 0)
    }

    private func checkPermission(
        _ delivery: DeliveredTask, _ task: KnownTask, _ connection: ConnectionID, leaves: Bool
    ) {
        if queueOf[connection] != task.queue, leaves {
            complain("B: task \(task.id) of \(task.queue) was delivered to a worker of another queue")
        }
        for flag in [QueuePauses.deliveries, .halted] {
            guard let pause = task.terms.pausedAt[flag], pause.isCertain, pause.at < turn, !mayPostpone
            else { continue }
            complain("C: task \(task.id) was delivered while its queue is paused, \(flag)")
        }
        let held = openLeases.filter { $0.connection == connection && !mayHaveEnded($0) }.count
        if held + 1 > credits[connection] ?? 0, !mayPostpone {
            complain("B: worker with credit \(credits[connection] ?? 0) holds \(held) and got another")
        }
    }

    private func begin(
        _ delivery: DeliveredTask, _ task: KnownTask, _ connection: ConnectionID, leaves: Bool
    ) {
        let receipt = delivery.receipt.lsn.rawValue
        openLeases.removeAll { $0.task === task }
        task.take(receipt: receipt, inTurn: turn)
        task.lastAttempt = delivery.attempt
        task.leastAttempt = max(task.leastAttempt, delivery.attempt)
        task.deliveries += 1
        task.crashesAtLastSight = crashes
        task.endBackoff()
        guard let hello = hellos[connection] else { return }
        let lease = Lease(
            receipt, task, attempt: delivery.attempt, hello: hello, on: connection, at: now)
        // A payload that was read for long may go to a connection that its worker has left.
        lease.mayBeOver =
            !leaves
            || hellos.contains { $0.key.rawValue > connection.rawValue && $0.value.session == hello.session }
        leases[receipt] = lease
        task.line.lease = lease
        openLeases.append(lease)
    }
}
