import BinaryCoding
import Journal
import QueueStateMachine
import TaskModel
import WireProtocol

/// Deliveries out, answers in.
extension Broker {
    /// Starts what ready groups and credit allow, in this very batch: an ack and the delivery of the next
    /// task share a sync.
    mutating func deliver() throws(JournalError) {
        hasDeliveriesLeft = false
        for _ in 0..<Self.deliveriesPerTurnMax {
            guard mayDeliver, let delivery = state.nextDelivery(at: clock) else { return }
            let position: RecordPosition
            do throws(JournalError) {
                position = try record(.delivered(delivery.record))
            } catch {
                guard case .full = error else { throw error }
                return
            }
            state.deliveryBegan(delivery, now: clock.monotonic)
            if wantsTaskEvents {
                events.append(
                    .leased(
                        delivery.record.id, queue: delivery.queue, attempt: delivery.attempt,
                        worker: delivery.record.worker))
            }
            try sendDelivery(delivery, receipt: position.lsn)
        }
        // Credit and ready groups are left: the next turn goes on.
        hasDeliveriesLeft = true
    }

    mutating func sendDelivery(_ delivery: PlannedDelivery, receipt: LogSequenceNumber) throws(JournalError) {
        // While its payload was read compaction may have moved it, and its lease may have ended: what is sent
        // then is worked on by somebody who does not hold it, perhaps after later tasks of its group.
        guard state.isLeased(delivery.record.id, by: receipt) else { return }
        // The connection may have gone meanwhile, or been replaced; whatever the new one says it holds,
        // this is not among it.
        guard state.holder(of: delivery.record.id) == delivery.peer else {
            internalCommands.append(
                .takeBack(TakeBack(id: delivery.record.id, receipt: receipt, cause: .neverArrived)))
            return
        }
        guard let span = state.payload(of: delivery.record.id) else { return }
        guard let stored = try load(span, for: .sendDelivery(delivery, receipt)) else { return }
        guard let task = stored.task else { throw .damagedRecord(span) }
        outbox.append(
            DeliveredTask(
                receipt: Receipt(instance: journal.instance, lsn: receipt), id: delivery.record.id,
                sequence: delivery.sequence, group: delivery.group, attempt: delivery.attempt,
                maxAttempts: delivery.maxAttempts, traceparent: task.traceparent, payload: task.payload),
            to: ConnectionID(rawValue: delivery.peer.rawValue))
    }

    mutating func settle(
        _ answer: Answer, _ receipt: Receipt, _ id: TaskID, _ request: Request, from connection: ConnectionID
    ) throws(JournalError) {
        guard receipt.instance == journal.instance else {
            return outbox.append(.settled(receipt: receipt, .stale), to: connection)
        }
        guard let earlier = try history(of: id, for: .request(connection, request)) else { return }
        let answer = journal.isFull ? answer.withoutExtras : answer
        switch state.settlement(of: answer, receipt: receipt.lsn, id: id, earlier: earlier, at: clock) {
        case .record(let settled):
            _ = try record(settled)
            noteFinal(settled)
            outbox.append(.settled(receipt: receipt, .taken), to: connection)
        case .alreadyTaken: outbox.append(.settled(receipt: receipt, .taken), to: connection)
        case .stale: outbox.append(.settled(receipt: receipt, .stale), to: connection)
        }
    }

    mutating func performTakeBack(_ takeBack: TakeBack) throws(JournalError) {
        guard let earlier = try history(of: takeBack.id, for: .takeBack(takeBack)) else { return }
        let deliveredAt = state.deliveredAt(takeBack.id) ?? clock.wall
        let answer = takeBack.answer(now: clock.wall, deliveredAt: deliveredAt)
        let settlement = state.settlement(
            of: answer, receipt: takeBack.receipt, id: takeBack.id, earlier: earlier, at: clock)
        guard case .record(let settled) = settlement else { return }
        _ = try record(settled)
        noteFinal(settled)
    }

    mutating func expire(_ id: TaskID) throws(JournalError) {
        guard let earlier = try history(of: id, for: .expire(id)) else { return }
        guard let expired = state.expiry(of: id, earlier: earlier, at: clock) else { return }
        _ = try record(expired)
        noteFinal(expired)
    }

    /// The history of a task's attempts, empty if it has none; nil if the command was postponed until it has
    /// been read.
    mutating func history(of id: TaskID, for command: Command) throws(JournalError) -> ArraySlice<UInt8>? {
        guard let span = state.earlierHistory(of: id) else { return [] }
        guard let stored = try load(span, for: command) else { return nil }
        guard let history = stored.history else { throw .damagedRecord(span) }
        return history
    }

    /// A record from the cache or the page cache; nil if the command was postponed until the disk has given
    /// it.
    ///
    /// Commands that need one record keep their order: none overtakes those that wait for it.
    mutating func load(_ span: RecordSpan, for command: Command) throws(JournalError) -> StoredRecord? {
        if let stored = loaded[span] { return stored }
        if postponed[span] == nil {
            if let stored = try journal.tryRead(span) { return stored }
            background.submit(.read(span, from: journal.reader))
        }
        postponed[span, default: []].append(command)
        return nil
    }

    /// Remembers what waiters and readers of the log want to know of a record just applied.
    mutating func noteFinal(_ record: JournalRecord) {
        if let id = record.finalTask, waiters.hasWaiters(for: id) { finals.append(id) }
        guard let event = BrokerEvent(record) else { return }
        switch event {
        case .completed, .cancelled: if wantsTaskEvents { events.append(event) }
        case .deadLettered, .parked, .attemptFailed: events.append(event)
        case .accepted, .leased, .operated, .workerConnected, .workerGone, .queueDeclared, .queueDeleted,
            .pauseChanged, .stalled, .badFrame, .diskFull, .segmentsDeleted, .checkpointFailed, .backupBegan,
            .backupEnded:
            break
        }
    }
}

extension JournalRecord {
    /// The task that this record brings to a state for which lookups wait.
    fileprivate var finalTask: TaskID? {
        switch self {
        case .completed(let completion): completion.id
        case .deadLettered(let death): death.id
        case .parked(let parking): parking.id
        case .cancelled(let cancellation): cancellation.id
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .released,
            .attemptFailed,
            .unparked, .redriven, .purged, .historyForgotten, .moved:
            nil
        }
    }
}

extension BrokerEvent {
    fileprivate init?(_ record: JournalRecord) {
        switch record {
        case .completed(let completion):
            self = .completed(
                completion.id, queue: completion.summary.queue, attempt: completion.summary.receives)
        case .deadLettered(let death):
            self = .deadLettered(
                death.id, queue: death.summary.queue, death.reason, attempts: death.summary.receives)
        case .parked(let parking): self = .parked(parking.id)
        case .cancelled(let cancellation):
            self = .cancelled(cancellation.id, queue: cancellation.summary.queue, actor: cancellation.actor)
        case .attemptFailed(let failure):
            self = .attemptFailed(
                failure.id, Self.lastAttempt(failure.history), retryMilliseconds: failure.retryMilliseconds)
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .released, .unparked,
            .redriven, .purged, .historyForgotten, .moved:
            return nil
        }
    }

    private static func lastAttempt(_ history: ArraySlice<UInt8>) -> AttemptRecord? {
        // ignoring: the history was encoded by this process a moment ago, and the event is for people only.
        (try? AttemptRecord.decodeHistory(history))?.last  // ignoring: as above
    }
}
