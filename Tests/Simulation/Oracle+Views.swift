import BrokerDaemon
import TaskModel
import WireProtocol

/// What the broker says of tasks and queues has to agree with what it promised.
extension Oracle {
    func sentView(_ answer: LookupAnswer, of id: TaskID) {
        guard let task = tasks[id] else {
            if case .found = answer { complain("A: task \(id) was never posted and was found") }
            return
        }
        switch answer {
        case .found(let view): check(view, task)
        case .unknown, .forgotten:
            if task.isPromised, !task.isRefused, !mayBeGone(task) {
                complain("A: task \(id) is promised and was called \(answer)")
            }
        case .tooManyWaiters: complain("J: \(id) has too many waiters")
        }
    }

    private func check(_ view: TaskView, _ task: KnownTask) {
        if task.isRefused { complain("A: task \(task.id) was refused and was found") }
        if isOutdated(view.sequence.rawValue, task) { return }
        // Found means on disk: every answer leaves after the sync of its turn.
        recognize(
            view.sequence.rawValue, of: task, isAlive: [.pending, .leased].contains(view.state))
        promise(task)
        learn(view.sequence.rawValue, of: task)
        if view.queue != task.queue || view.group != task.group {
            complain("C: task \(task.id) is said to be in \(view.queue)/\(view.group)")
        }
        if !isPossible(view.state, task) {
            complain("B: task \(task.id) is said to be \(view.state.label), and that cannot be")
        }
        checkAttempts(view, task)
        if view.state == .completed, !isResult(view, of: task) {
            complain("B: the result of \(task.id) is said to be \(Array(view.result)) \(view.resultError)")
        }
    }

    /// Inside the reserve of a full disk results are dropped, and the task says so.
    private func isResult(_ view: TaskView, of task: KnownTask) -> Bool {
        if view.result.isEmpty, !view.resultError.isEmpty { return conditions.know(.fullDisk) }
        return view.result.elementsEqual(SimulatedWorker.result(task.id))
    }

    private func isPossible(_ state: TaskView.State, _ task: KnownTask) -> Bool {
        switch state {
        case .pending, .leased: !task.wasOver(beforeTurn: turn)
        case .parked:
            (mayBeExhausted(task) || task.countTurn == turn) && !task.wasOver(beforeTurn: turn)
        case .completed: task.ackWasSent && task.final ?? .completed == .completed
        case .cancelled: task.cancelWasAsked && task.final ?? .cancelled == .cancelled
        case .deadLettered:
            couldBeDead(task) || task.final == .purged && !task.wasOver(beforeTurn: turn)
        }
    }

    private func checkAttempts(_ view: TaskView, _ task: KnownTask) {
        let least = Int(task.leastAttempt) - 1
        if Int(view.receives) < least, !task.retries.any {
            complain("G: task \(task.id) had \(least) attempts and is said to have had \(view.receives)")
        }
        if view.receives > task.terms.attemptsMost {
            complain("G: task \(task.id) is said to have had \(view.receives) attempts")
        }
        if view.state == .deadLettered, view.deadReason == .exhausted,
            view.receives < task.terms.attemptsLeast
        {
            complain("E: task \(task.id) is dead after \(view.receives) attempts")
        }
        guard let attempts = try? AttemptRecord.decodeHistory(view.history) else {  // ignoring: said below
            return complain("E: the history of \(task.id) cannot be read")
        }
        let words = Set(attempts.map(\.reason))
        for failure in task.failures
        where failure.turn < turn && !words.contains(failure.words) && attempts.count < AttemptRecord.keptMax
        {
            complain("E: the history of \(task.id) has lost \"\(failure.words)\"")
        }
        let numbers = attempts.map(\.number).filter { $0 > 0 }
        // Each redrive and each retry of a parked task counts from the first again.
        if zip(numbers, numbers.dropFirst()).count(where: { $0 > $1 }) > task.resetsMost {
            complain("E: the history of \(task.id) is out of order")
        }
    }

    func sentStatus(_ status: BrokerStatus) {
        for queue in status.queues {
            let live = queue.pending + queue.leased + queue.parked
            let ended = queue.counters.completed + queue.counters.cancelled + queue.counters.purged
            if queue.counters.accepted != live + ended + queue.dead {
                complain("K: the sums of \(queue.name) do not balance: \(queue)")
            }
            if queue.pauses.contains(.halted), let terms = terms[queue.name], terms.resumedInTurn < turn {
                terms.pausedAt[.halted] = QueueTermsKnown.Pause(isCertain: true, at: turn)
            }
        }
    }
}
