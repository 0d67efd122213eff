import QueueStateMachine
import TaskModel

/// What is seen of the broker's own tables: sums and bounds.
extension Oracle {
    /// Guarantee K: the sums balance, whatever has happened.
    func checkSums(_ state: QueueStateMachine) {
        for entry in state.sums {
            let sum = entry.counters
            if sum.accepted != entry.live + entry.dead + sum.completed + sum.cancelled + sum.purged {
                complain("K: the sums of \(entry.queue.name) do not balance: \(entry)")
            }
            if let terms = terms[entry.queue.name], entry.live > terms.depthMost {
                complain("J: \(entry.live) tasks wait in \(entry.queue.name), \(terms.depthMost) may")
            }
        }
    }

    /// Guarantee J: tables are bounded by what is live and by their own bounds.
    func checkTables(_ state: QueueStateMachine) {
        var finished = 0
        var keys = 0
        var details = 0
        state.forEachSnapshotRecord { record in
            switch record {
            case .finished: finished += 1
            case .deduplication: keys += 1
            case .task: details += 1
            case .totals, .queue, .acceptanceEpoch: break
            }
        }
        let live = state.sums.reduce(0) { $0 + Int($1.live + $1.dead) }
        if finished > conditions.finishedMax { complain("J: \(finished) finished tasks are known") }
        if keys > conditions.keysMax { complain("J: \(keys) keys are known") }
        if details > live { complain("J: \(details) tasks have details, \(live) are there") }
    }

    /// Guarantee J: the files are bounded by what is live, not by what was.
    ///
    /// Twice the live bytes, and some segments: the one in use, the reserve, and those that wait for the
    /// second checkpoint after they fell empty.
    func checkDisk(_ state: QueueStateMachine, usedBytes: Int) {
        var live = 0
        state.forEachPayload { live += Int($0.length) }
        state.forEachSnapshotRecord { record in
            switch record {
            case .finished(let task): live += Int(task.span.length)
            case .task(let task): live += Int(task.history?.length ?? 0)
            case .totals, .queue, .acceptanceEpoch, .deduplication: break
            }
        }
        let segment = max(conditions.segmentBytes, World.payloadBytesMax + 4_096)
        if usedBytes > 2 * live + 6 * segment {
            complain("J: the files take \(usedBytes) bytes, \(live) are live")
        }
    }
}
