import BinaryCoding
import Journal
import QueueStateMachine
import TaskModel
import WireProtocol

extension Broker {
    mutating func perform(_ command: Command) throws(JournalError) {
        do throws(JournalError) {
            try performNow(command)
        } catch {
            guard case .full = error else { throw error }
            starve(command)
        }
    }

    private mutating func performNow(_ command: Command) throws(JournalError) {
        switch command {
        case .request(let connection, let request): try perform(request, from: connection)
        case .takeBack(let takeBack): try performTakeBack(takeBack)
        case .sendDelivery(let delivery, let receipt): try sendDelivery(delivery, receipt: receipt)
        case .answerLookup(let connection, let correlation, let id):
            try answerLookup(id, correlation: correlation, to: connection)
        case .expire(let id): try expire(id)
        case .declare(let name, let settings): _ = try declare(name, settings)
        }
    }

    private mutating func perform(_ request: Request, from connection: ConnectionID) throws(JournalError) {
        switch request {
        case .hello: break
        case .enqueue(let enqueue): try performEnqueue(enqueue, from: connection)
        case .lookup(let correlation, let id, let wait):
            try performLookup(id, correlation: correlation, waitMilliseconds: wait, from: connection)
        case .cancel(let correlation, let id, let actor):
            try performCancel(id, correlation: correlation, actor: actor, from: connection)
        case .credit(let tasks): state.setCredit(tasks, of: connection.peer)
        case .ack(let receipt, let id, let result, let resultError):
            try settle(.ack(result: result, resultError: resultError), receipt, id, request, from: connection)
        case .nack(let receipt, let id, let failure):
            try settle(.nack(failure), receipt, id, request, from: connection)
        case .reject(let receipt, let id, let failure):
            try settle(.reject(failure), receipt, id, request, from: connection)
        case .release(let receipt, let id): try settle(.release, receipt, id, request, from: connection)
        case .renew(let receipts): renew(receipts, from: connection)
        case .stalled(let reason):
            state.setStall(reason, of: connection.peer)
            if !reason.isEmpty {
                events.append(.stalled(queue: peers[connection]?.queue ?? "", reason: reason))
            }
        case .status(let correlation):
            outbox.append(.status(correlation: correlation, status()), to: connection)
        case .declareQueue(let correlation, let name, let settings, let hasPlugin):
            let problem = try declare(name, settings)
            if problem == nil, let queue = state.queue(named: name) {
                state.setPlugin(hasPlugin, of: queue.number)
            }
            outbox.append(.done(correlation: correlation, problem: problem), to: connection)
        case .declarePlugin(let correlation, let declaration):
            let problem = try declarePlugin(declaration)
            outbox.append(.done(correlation: correlation, problem: problem), to: connection)
        case .plugins(let correlation, let presences):
            state.setPlugins(
                Dictionary(presences.map { ($0.queue, $0.problem) }, uniquingKeysWith: { first, _ in first }))
            outbox.append(.done(correlation: correlation, problem: nil), to: connection)
        case .pause(_, _, _, let clear, _, _): try performPause(request, clear: clear, from: connection)
        case .listDead(let correlation, let query):
            listDead(query, correlation: correlation, for: connection)
        case .act(let correlation, let act, let ids, let actor):
            try performAct(act, ids, correlation: correlation, actor: actor, from: connection)
        case .redriveEdited(let correlation, let id, let payload, let actor):
            let outcome = try redrive(id, edited: payload, actor: actor)
            outbox.append(.acted(correlation: correlation, [outcome]), to: connection)
        case .payload(let correlation, let id):
            try answerPayload(id, request, correlation: correlation, to: connection)
        case .deleteQueue(let correlation, let deletion):
            try performDeletion(deletion, request, correlation: correlation, from: connection)
        case .listBlocked(let correlation, let query):
            listBlocked(query, correlation: correlation, for: connection)
        case .beginBackup(let correlation): try beginBackup(correlation: correlation, for: connection)
        case .keepBackup(let correlation):
            keepBackup(correlation: correlation, ends: false, for: connection)
        case .endBackup(let correlation): keepBackup(correlation: correlation, ends: true, for: connection)
        }
    }

    private mutating func performEnqueue(_ enqueue: Enqueue, from connection: ConnectionID)
        throws(JournalError)
    {
        let outcome = try enqueueOutcome(enqueue)
        outbox.append(.enqueued(correlation: enqueue.correlation, outcome: outcome), to: connection)
    }

    private mutating func enqueueOutcome(_ enqueue: Enqueue) throws(JournalError) -> EnqueueOutcome {
        let task = NewTask(
            id: enqueue.id, queue: enqueue.queue, group: enqueue.group,
            key: enqueue.key.map { ($0.key, $0.content) }, traceparent: enqueue.traceparent,
            payload: enqueue.payload)
        switch state.acceptance(of: task, at: clock) {
        case .replay(let id, let sequence): return .replayed(id, sequence)
        case .refuse(let refusal): return refusal.outcome
        case .accept(let accepted):
            if isStopping { return .paused }
            let bytes = Journal.encodedBytesMax(.accepted(accepted))
            guard try journal.acceptsPosts(ofBytes: bytes) else {
                events.append(.diskFull)
                return .diskFull
            }
            do {
                _ = try record(.accepted(accepted))
            } catch .full, .tooLarge {
                events.append(.diskFull)
                return .diskFull
            }
            if wantsTaskEvents {
                events.append(
                    .accepted(
                        accepted.id, queue: accepted.queue, group: accepted.group, sequence: accepted.sequence
                    ))
            }
            return .accepted(accepted.sequence)
        }
    }

    private mutating func performCancel(
        _ id: TaskID, correlation: Correlation, actor: String, from connection: ConnectionID
    ) throws(JournalError) {
        let command = Command.request(connection, .cancel(correlation: correlation, id: id, actor: actor))
        guard let earlier = try history(of: id, for: command) else { return }
        let outcome: CancelOutcome
        switch state.cancellation(of: id, actor: actor, earlier: earlier, at: clock) {
        case .record(let cancellation):
            _ = try record(cancellation)
            noteFinal(cancellation)
            outcome = .cancelled
        case .alreadyCancelled: outcome = .cancelled
        case .notCancellable: outcome = .notCancellable
        case .unknown: outcome = .unknown
        case .forgotten: outcome = .forgotten
        }
        outbox.append(.cancelled(correlation: correlation, outcome: outcome), to: connection)
    }

    private mutating func renew(_ receipts: [Receipt], from connection: ConnectionID) {
        let ours = receipts.filter { $0.instance == journal.instance }
        let foreign = receipts.filter { $0.instance != journal.instance }
        let stale = state.renew(ours.map(\.lsn), by: connection.peer, now: clock.monotonic)
        for receipt in foreign + stale.map({ Receipt(instance: journal.instance, lsn: $0) }) {
            outbox.append(.settled(receipt: receipt, .stale), to: connection)
        }
    }
}

extension Acceptance.Refusal {
    fileprivate var outcome: EnqueueOutcome {
        switch self {
        case .unknownQueue: .unknownQueue
        case .keyConflict: .keyConflict
        case .queueFull: .queueFull
        case .keysFull: .deduplicationFull
        case .ingestPaused: .paused
        case .idInUse: .idInUse
        }
    }
}
