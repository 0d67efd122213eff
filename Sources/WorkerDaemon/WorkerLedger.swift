package import ProcessorSupervision
package import TaskModel
package import WireProtocol

/// What this worker holds of its queue: deliveries that wait for a process, that run, and answers that the
/// broker has not confirmed.
///
/// Pure.
package struct WorkerLedger: Sendable {
    private enum Standing: Sendable {
        case waiting(DeliveredTask)
        case running(slot: Int)
        case answered(Request)
    }

    private struct Entry: Sendable {
        let id: TaskID
        /// The order of arrival.
        let number: UInt64
        var standing: Standing
    }

    private var entries: [Receipt: Entry] = [:]
    /// Which receipt a processor slot works on.
    private var slots: [Int: Receipt] = [:]
    private var arrivals: UInt64 = 0

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }
    package var runningCount: Int { slots.count }

    /// Every receipt that a hello names and a renewal renews, in the order of arrival.
    package var receipts: [Receipt] { ordered.map(\.key) }

    /// The answers to be said again after a new hello, in the order in which their tasks came.
    package var unconfirmed: [Request] {
        ordered.compactMap { entry in
            if case .answered(let request) = entry.value.standing { request } else { nil }
        }
    }

    /// The delivery that has waited longest for a process.
    package var nextWaiting: DeliveredTask? {
        let waiting = entries.values.filter { if case .waiting = $0.standing { true } else { false } }
        guard case .waiting(let task) = waiting.min(by: { $0.number < $1.number })?.standing else {
            return nil
        }
        return task
    }

    package var waitingCount: Int {
        entries.values.count { if case .waiting = $0.standing { true } else { false } }
    }

    private var ordered: [(key: Receipt, value: Entry)] {
        entries.sorted { $0.value.number < $1.value.number }
    }

    /// False for a receipt that is held already.
    package mutating func take(_ task: DeliveredTask) -> Bool {
        guard entries[task.receipt] == nil else { return false }
        arrivals += 1
        entries[task.receipt] = Entry(id: task.id, number: arrivals, standing: .waiting(task))
        return true
    }

    package mutating func started(_ receipt: Receipt, in slot: Int) {
        precondition(slots[slot] == nil, "a slot was given a second task")
        entries[receipt]?.standing = .running(slot: slot)
        slots[slot] = receipt
    }

    /// The answer to an attempt that has ended; nil where its delivery means nothing any more.
    package mutating func finished(slot: Int, _ attempt: FinishedAttempt) -> Request? {
        guard let receipt = slots.removeValue(forKey: slot), let entry = entries[receipt] else { return nil }
        let answer = Self.answer(to: receipt, entry.id, attempt)
        entries[receipt]?.standing = .answered(answer)
        return answer
    }

    /// Gives back what has not begun.
    package mutating func releaseWaiting() -> [Request] {
        var releases: [Request] = []
        for (receipt, entry) in ordered {
            guard case .waiting = entry.standing else { continue }
            let release = Request.release(receipt: receipt, id: entry.id)
            entries[receipt]?.standing = .answered(release)
            releases.append(release)
        }
        return releases
    }

    /// The broker's word on a receipt.
    ///
    /// The slot returned is to be abandoned: its delivery is stale.
    package mutating func settled(_ receipt: Receipt, _ outcome: SettleOutcome) -> Int? {
        guard let entry = entries[receipt] else { return nil }
        switch (entry.standing, outcome) {
        case (.answered, _), (.waiting, .stale):
            entries[receipt] = nil
            return nil
        case (.running(let slot), .stale):
            entries[receipt] = nil
            slots[slot] = nil
            return slot
        case (.waiting, .taken), (.running, .taken):
            // Said of an answer that this run has not given: nothing to act on, the lease goes on.
            return nil
        }
    }

    private static func answer(to receipt: Receipt, _ id: TaskID, _ attempt: FinishedAttempt) -> Request {
        func failure(_ outcome: AttemptOutcome, _ reason: String, _ retryAfter: UInt64? = nil) -> Failure {
            Failure(
                outcome: outcome, durationMilliseconds: attempt.durationMilliseconds,
                retryAfterMilliseconds: retryAfter,
                reason: reason.cutToUTF8(bytes: AttemptRecord.reasonBytesMax),
                stderrTail: attempt.stderrTail)
        }
        switch attempt.verdict {
        case .acked(let result, let resultError):
            return .ack(receipt: receipt, id: id, result: result, resultError: resultError)
        case .failed(let outcome, let reason, let retryAfter):
            return .nack(receipt: receipt, id: id, failure: failure(outcome, reason, retryAfter))
        case .dead(let reason):
            return .reject(receipt: receipt, id: id, failure: failure(.rejected, reason))
        case .released:
            return .release(receipt: receipt, id: id)
        }
    }
}
