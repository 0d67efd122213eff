import TaskModel

/// Everything a checkpoint holds, walked on an immutable copy.
extension Durable {
    /// The places of the live payload records, in no order.
    func forEachPayload(_ body: (RecordSpan) -> Void) {
        tasks.visit { _, task in body(task.payload) }
    }

    func snapshot(_ emit: (SnapshotRecord) -> Void) {
        emit(
            .totals(
                SnapshotTotals(
                    nextSequence: nextSequence, nextQueue: QueueNumber(rawValue: UInt16(queues.count) + 1),
                    newestForgotten: newestForgotten)))
        for queue in queues {
            emit(
                .queue(
                    QueueSnapshot(
                        declaration: queue.declaration, counters: queue.counters, pauses: queue.pauses,
                        pauseActor: queue.pauseActor, pauseReason: queue.pauseReason,
                        isDeleted: queue.isDeleted)))
        }
        for epoch in epochs { emit(.acceptanceEpoch(epoch)) }
        details.visit { _, detail in emit(.task(snapshot(of: detail))) }
        finishedOrder.visit { slot in emit(.finished(snapshot(of: finished[slot]))) }
        for queue in queues {
            var slot = queue.firstKey
            while !slot.isNone {
                emit(.deduplication(snapshot(of: keys[slot])))
                slot = keys[slot].next
            }
        }
    }

    private func snapshot(of detail: TaskDetail) -> TaskSnapshot {
        let task = tasks[detail.task]
        return TaskSnapshot(
            id: task.id, sequence: task.sequence, receives: detail.receives,
            uncountedReleases: detail.uncountedReleases, standing: standing(of: task, detail),
            history: detail.history, diedAt: task.standing == .dead ? detail.diedAt : nil)
    }

    private func standing(of task: TaskEntry, _ detail: TaskDetail) -> TaskSnapshot.Standing {
        switch task.standing {
        case .pending:
            return detail.backoffMilliseconds > 0
                ? .backingOff(milliseconds: detail.backoffMilliseconds) : .pending
        case .leased:
            guard let lease = detail.lease else {
                preconditionFailure("task \(task.id) is leased without a lease")
            }
            return .leased(lease)
        case .parked: return .parked
        case .dead: return .dead(reason: detail.deadReason ?? .exhausted, order: detail.deadOrder)
        }
    }

    private func snapshot(of entry: FinishedEntry) -> FinishedSnapshot {
        FinishedSnapshot(
            id: entry.id, state: entry.state, finishedAt: entry.finishedAt, queue: entry.queue,
            receipt: entry.receipt.rawValue == 0 ? nil : entry.receipt, span: entry.span)
    }

    private func snapshot(of entry: DeduplicationKeyEntry) -> DeduplicationSnapshot {
        DeduplicationSnapshot(
            queue: entry.key.queue,
            entry: DeduplicationEntry(key: entry.key.digest, content: entry.content, expires: entry.expires),
            task: entry.task, sequence: entry.sequence)
    }
}
