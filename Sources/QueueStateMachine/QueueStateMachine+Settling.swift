package import TaskModel

/// How a delivery ends.
package enum Answer: Sendable {
    case ack(result: ArraySlice<UInt8>, resultError: String)
    case nack(Failure)
    /// No retry will help.
    case reject(Failure)
    /// Not the task's fault: it goes back uncounted, at most ``Limits/uncountedReleasesMax`` times in a row.
    case release
}

/// What an answer means now.
package enum Settlement: Sendable {
    case record(JournalRecord)
    /// The receipt's ack was taken before.
    case alreadyTaken
    /// The receipt means nothing any more.
    case stale
}

extension QueueStateMachine {
    /// The record to read before ``settlement(of:receipt:id:earlier:at:)``: the history of the task's
    /// attempts so far.
    ///
    /// Nil where there is none, or where the receipt is not the task's.
    package func earlierHistory(of id: TaskID) -> RecordSpan? {
        durable.tasks.find(id).flatMap { durable.detail(of: $0)?.history }
    }

    /// - Parameter earlier: the history's bytes, from the record at ``earlierHistory(of:)``; empty if there
    ///   is none.
    package func settlement(
        of answer: Answer, receipt: LogSequenceNumber, id: TaskID, earlier: ArraySlice<UInt8>,
        at clock: ClockReading
    ) -> Settlement {
        guard let task = durable.tasks.find(id), let detail = durable.detail(of: task),
            let lease = detail.lease, lease.receipt == receipt
        else {
            let taken = durable.finished.find(id).map { durable.finished[$0].receipt == receipt } ?? false
            return taken ? .alreadyTaken : .stale
        }
        switch answer {
        case .ack(let result, let resultError):
            return .record(
                .completed(
                    Completion(
                        id: id, receipt: receipt,
                        summary: summary(of: task, detail, history: earlier, at: clock.wall),
                        result: result, resultError: resultError)))
        case .nack(let failure):
            return .record(failed(task, detail, lease, failure, earlier: earlier, at: clock.wall))
        case .reject(let failure):
            let history = adding(failure, to: earlier, detail: detail, lease: lease)
            return .record(
                .deadLettered(
                    DeadLetter(
                        id: id, reason: .rejected,
                        summary: summary(of: task, detail, history: history[...], at: clock.wall))))
        case .release:
            guard detail.uncountedReleases < Limits.uncountedReleasesMax else {
                let failure = Failure(
                    outcome: .workerLost, durationMilliseconds: 0,
                    reason: "given back \(Limits.uncountedReleasesMax) times in a row without an attempt")
                return .record(failed(task, detail, lease, failure, earlier: earlier, at: clock.wall))
            }
            return .record(.released(Release(id: id, receipt: receipt, counted: false)))
        }
    }

    private func failed(
        _ task: Slot<TaskEntry>, _ detail: TaskDetail, _ lease: TaskSnapshot.Lease, _ failure: Failure,
        earlier: ArraySlice<UInt8>, at wall: WallTime
    ) -> JournalRecord {
        let id = durable.tasks[task].id
        let settings = durable[durable.queue(of: task)].settings
        let history = adding(failure, to: earlier, detail: detail, lease: lease)
        guard detail.receives >= settings.maxAttempts else {
            return .attemptFailed(
                AttemptFailure(
                    id: id, receipt: lease.receipt,
                    retryMilliseconds: backoff(after: failure, receives: detail.receives, settings),
                    history: history[...]))
        }
        switch settings.onExhausted {
        case .deadLetter:
            return .deadLettered(
                DeadLetter(
                    id: id, reason: .exhausted,
                    summary: summary(of: task, detail, history: history[...], at: wall)))
        case .parkGroup: return .parked(Parking(id: id, haltsQueue: false, history: history[...]))
        case .haltQueue: return .parked(Parking(id: id, haltsQueue: true, history: history[...]))
        }
    }

    /// A processor's failure backs off; a worker's death does not.
    private func backoff(after failure: Failure, receives: UInt32, _ settings: QueueSettings) -> UInt64 {
        switch failure.outcome {
        case .workerLost, .leaseExpired: return 0
        case .exited, .signalled, .timedOut, .outOfMemory, .nacked, .rejected, .badAnswer, .operatorAct:
            let own = failure.retryAfterMilliseconds.map { min($0, Limits.retryAfterMillisecondsMax) }
            return own ?? settings.backoffMilliseconds(afterFailures: receives)
        }
    }

    private func adding(
        _ failure: Failure, to earlier: ArraySlice<UInt8>, detail: TaskDetail, lease: TaskSnapshot.Lease
    ) -> [UInt8] {
        let attempt = AttemptRecord(
            number: detail.receives, outcome: failure.outcome, startedAt: lease.deliveredAt,
            durationMilliseconds: failure.durationMilliseconds, worker: lease.worker, reason: failure.reason,
            stderrTail: failure.stderrTail)
        do {
            return try AttemptRecord.history(earlier, adding: attempt)
        } catch {
            preconditionFailure(
                "history of task \(durable.tasks[detail.task].id) passed its checksum and is unreadable")
        }
    }

    func summary(
        of task: Slot<TaskEntry>, _ detail: TaskDetail?, history: ArraySlice<UInt8>, at wall: WallTime
    ) -> FinishedSummary {
        let entry = durable.tasks[task]
        let group = durable.groups[entry.group].key
        return FinishedSummary(
            queue: group.queue, sequence: entry.sequence, group: group.name, finishedAt: wall,
            receives: detail?.receives ?? 0, history: history)
    }
}
