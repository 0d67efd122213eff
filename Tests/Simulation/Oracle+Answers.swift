import BrokerDaemon
import TaskModel
import WireProtocol

/// Who holds what: workers that come, go and answer.
extension Oracle {
    func receivedHello(_ hello: Hello, on connection: ConnectionID) {
        hellos[connection] = hello
        tell?("hello of \(hello.name) arrives on connection \(connection.rawValue)")
        guard hello.role == .worker else { return }
        for receipt in hello.receipts { leases[receipt.lsn.rawValue]?.wasNamedLate = true }
        for lease in openLeases where lease.worker == hello.name && lease.task.queue == hello.queue {
            let isListed = hello.receipts.contains { $0.lsn.rawValue == lease.receipt }
            if !isListed || lease.session != hello.session { lease.mayBeOver = true }
        }
    }

    func sentWelcome(on connection: ConnectionID) {
        guard let hello = hellos[connection], hello.role == .worker else { return }
        queueOf[connection] = hello.queue
        credits[connection] = 0
        // Connections of the same run before this one are over, whether that was seen or not.
        for lease in openLeases where lease.session == hello.session && !lease.mayBeOver {
            guard hello.receipts.contains(where: { $0.lsn.rawValue == lease.receipt }) else { continue }
            if mayHaveEnded(lease) { continue }
            lease.connection = connection
            lease.arm(at: now)
            lease.detachedAt = nil
        }
    }

    func disconnected(_ connection: ConnectionID) {
        tell?("the broker sees connection \(connection.rawValue) gone")
        for lease in openLeases where lease.connection == connection {
            if mayHaveEnded(lease) { lease.mayBeOver = true }
            lease.detachedAt = now
            lease.connection = nil
        }
        doubtClaims(of: connection)
        forget(connection)
    }

    func processDied(_ connection: ConnectionID) {
        tell?("the broker sees the process of connection \(connection.rawValue) dead")
        for lease in openLeases where lease.connection == connection {
            let wasValid = !mayHaveEnded(lease)
            lease.mayBeOver = true
            lease.connection = nil
            if wasValid { lease.task.leastAttempt = max(lease.task.leastAttempt, lease.attempt + 1) }
        }
        doubtClaims(of: connection)
        forget(connection)
    }

    /// A hello whose connection is gone in the same turn: whether it was welcome nobody will hear.
    private func doubtClaims(of connection: ConnectionID) {
        guard queueOf[connection] == nil, let hello = hellos[connection] else { return }
        for receipt in hello.receipts { leases[receipt.lsn.rawValue]?.mayBeOver = true }
    }

    private func forget(_ connection: ConnectionID) {
        hellos[connection] = nil
        credits[connection] = nil
        queueOf[connection] = nil
        forgetAsks(of: connection)
    }

    func receivedRenewal(_ receipts: [Receipt], on connection: ConnectionID) {
        for receipt in receipts {
            guard let lease = leases[receipt.lsn.rawValue] else { continue }
            if lease.answered != nil { lease.wasNamedLate = true }
            let hasMoved = hellos.contains { $0.key != connection && $0.value.session == lease.session }
            guard lease.connection == connection, !hasMoved else {
                lease.wasNamedElsewhere = true
                continue
            }
            if !mayHaveEnded(lease) { lease.arm(at: now) }
        }
    }

    func receivedAnswer(_ kind: AnswerKind, _ receipt: Receipt, _ id: TaskID) {
        guard let lease = leases[receipt.lsn.rawValue] else { return }
        tell?("answer to \(receipt.lsn.rawValue) of \(id) arrives: \(kind)")
        if lease.answered == nil { lease.mustTake = !mayHaveEnded(lease) }
        lease.answered = kind
        let task = lease.task
        // Only the newest receipt can mean anything.
        guard task.lastReceipt == lease.receipt else { return }
        switch kind {
        case .ack:
            task.ackWasSent = true
            task.endsInDoubt.insert(lease.receipt)
        case .reject:
            task.rejectWasSent = true
            task.endsInDoubt.insert(lease.receipt)
        case .nack, .release: break
        }
    }

    func sentSettled(_ receipt: Receipt, _ outcome: SettleOutcome) {
        tell?("receipt \(receipt.lsn.rawValue) is \(outcome)")
        guard let lease = leases[receipt.lsn.rawValue] else { return }
        switch outcome {
        case .taken:
            tally.count(.taken)
            taken(lease)
        case .stale:
            tally.count(.stale)
            stale(lease)
        }
    }

    private func taken(_ lease: Lease) {
        guard let kind = lease.answered else {
            return complain("F: receipt \(lease.receipt) was taken and never answered")
        }
        if lease.isTaken {
            if kind != .ack { complain("F: receipt \(lease.receipt) was taken twice") }
            return
        }
        let task = lease.task
        if !task.wasNewest(lease.receipt, inTurn: turn) {
            complain("F: receipt \(lease.receipt) was taken after \(task.lastReceipt) was given out")
        }
        lease.isTaken = true
        openLeases.removeAll { $0 === lease }
        // An operator's act of this turn came after it, whatever left first.
        let isPast = lease.countsBegun != task.countsBegun
        switch kind {
        case .ack: finish(task, .completed)
        case .reject: if !isPast { finish(task, .dead) }
        case .release: break
        case .nack(let reason, let retryAfter):
            task.failures.append((reason, turn))
            guard !isPast, task.lastReceipt == lease.receipt else { return }
            task.leastAttempt = max(task.leastAttempt, lease.attempt + 1)
            guard let retryAfter, retryAfter > 0 else { return }
            task.waits(milliseconds: retryAfter, from: now)
            backingOff.append(task)
        }
    }

    private func stale(_ lease: Lease) {
        if lease.isTaken {
            if lease.answered == .ack, !mayBeForgotten(lease.task), !lease.wasNamedLate {
                complain("F: the ack of \(lease.receipt) was taken and then called stale")
            }
            return
        }
        if lease.wasNamedElsewhere { return }
        let isValid = lease.answered == nil ? !mayHaveEnded(lease) : lease.mustTake
        if isValid, !mayPostpone {
            complain("F: receipt \(lease.receipt) of \(lease.task.id) is valid and was called stale")
        }
        lease.mayBeOver = true
        if !lease.wasCutOff { lease.task.endsInDoubt.remove(lease.receipt) }
    }

    func finish(_ task: KnownTask, _ final: KnownTask.Final) {
        if task.final == .dead, final != .dead, task.redrives.any {
            task.beginStint(inTurn: turn, above: task.sequence ?? 0, crashes: crashes)
        }
        if let known = task.final, known != final {
            complain("B: task \(task.id) was \(known) for good and then \(final)")
        }
        task.end(final, inTurn: turn)
        task.line.waiting.removeAll { $0 === task }
        switch final {
        case .completed: tally.count(.completed)
        // Counted with the rest of the dead when everything has drained.
        case .dead, .purged: break
        case .cancelled: tally.count(.cancelled)
        }
    }

    func sentCancel(_ outcome: CancelOutcome, of id: TaskID) {
        tell?("the cancel of \(id) is answered \(outcome)")
        guard let task = tasks[id] else {
            if outcome == .cancelled { complain("B: task \(id) was never posted and was cancelled") }
            return
        }
        task.cancelsInDoubt = max(0, task.cancelsInDoubt - 1)
        switch outcome {
        case .cancelled: finish(task, .cancelled)
        case .notCancellable: break
        case .unknown, .forgotten:
            if task.isPromised, !task.isRefused, !mayBeGone(task) {
                complain("A: task \(id) is promised, and a cancel found it \(outcome)")
            }
        }
    }
}
