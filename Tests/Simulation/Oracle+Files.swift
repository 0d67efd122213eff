import BrokerDaemon
import TaskModel

/// What the files say has to agree with what was promised.
extension Oracle {
    func check(_ ledger: Ledger) {
        for problem in ledger.problems.prefix(3) { complain("K: in the files, \(problem)") }
        for sum in ledger.unbalanced { complain("K: the files of \(sum)") }
        for task in order { check(task, ledger.tasks[task.id]) }
        for id in ledger.tasks.keys where tasks[id] == nil {
            complain("A: \(id) is in the files, never posted")
        }
    }

    private func check(_ task: KnownTask, _ entry: Ledger.Entry?) {
        guard let entry else {
            if task.isPromised, !task.isRefused, !mayBeGone(task) {
                complain("A: task \(task.id) is promised and not in the files")
            }
            return
        }
        if task.isRefused { complain("A: task \(task.id) was refused and is in the files") }
        // A redrive of which nobody was told; those who are will see what came of it.
        if task.redrives.any, entry.sequence != 0, task.sequence.map({ entry.sequence > $0 }) ?? true {
            return
        }
        let isLive = entry.standing != .completed && entry.standing != .cancelled
        if entry.sequence != 0 {
            recognize(entry.sequence, of: task, isAlive: [.waiting, .leased].contains(entry.standing))
        }
        if !isPossible(entry.standing, task) {
            complain(
                "B: task \(task.id) is \(entry.standing) in the files, and that cannot be: "
                    + "final \(task.final.map { "\($0)" } ?? "none"), passed over \(task.isPassedOver)")
        }
        if isLive, entry.receives + 1 < task.leastAttempt, !task.retries.any {
            complain(
                "G: task \(task.id) had \(task.leastAttempt - 1) attempts, in the files \(entry.receives)")
        }
    }

    private func isPossible(_ standing: Ledger.Standing, _ task: KnownTask) -> Bool {
        switch standing {
        case .waiting, .leased: task.final == nil && !task.isPassedOver
        case .parked: task.final == nil && !task.isPassedOver && mayBeExhausted(task)
        case .dead: couldBeDead(task)
        case .completed: task.final ?? .completed == .completed && task.ackWasSent
        case .cancelled:
            task.cancelWasAsked
                && (task.final ?? .cancelled == .cancelled || task.final == .dead && task.redrives.any)
        }
    }

    /// After everything has drained nothing may wait, and nothing promised may be anywhere but at an end.
    func checkDrained(_ ledger: Ledger) {
        let staysDead = !conditions.operates || conditions.finalAct == .leave
        for task in order {
            guard let entry = ledger.tasks[task.id] else { continue }
            switch entry.standing {
            case .waiting, .leased:
                complain("B: task \(task.id) of \(task.queue)/\(task.group) never drained: \(entry)")
            case .dead:
                tally.count(.dead)
                if !staysDead { complain("B: task \(task.id) is dead, and was given to the operators") }
            case .parked, .completed, .cancelled: break
            }
        }
    }
}
