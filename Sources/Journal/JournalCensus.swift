package import TaskModel

/// Counts what a journal holds, for people who look at one that no broker has open.
///
/// Unlike the state machine it takes any journal: what does not fit is counted among ``contradictions``.
package struct JournalCensus: JournalRecoverySink, Sendable {
    package struct Queue: Hashable, Sendable {
        package var name = ""
        package var counters = QueueCounters()
        package var pending: UInt64 = 0
        package var leased: UInt64 = 0
        package var parked: UInt64 = 0
        package var dead: UInt64 = 0
        /// Bytes of the records that carry the payloads of live tasks.
        package var payloadBytes: UInt64 = 0
        package var isDeleted = false

        package var live: UInt64 { pending + leased + parked + dead }
        /// Guarantee K.
        package var sumsHold: Bool {
            counters.accepted == live + counters.completed + counters.cancelled + counters.purged
        }
    }

    private enum Standing {
        case pending
        case leased
        case parked
        case dead
    }

    private struct Entry {
        let queue: QueueNumber
        var standing: Standing
        var payloadBytes: UInt32
    }

    package private(set) var queues: [QueueNumber: Queue] = [:]
    /// Finished tasks that are still known.
    package private(set) var finished: UInt64 = 0
    package private(set) var deduplicationKeys: UInt64 = 0
    /// Records about tasks that are not there, or not in the state in which they could be.
    package private(set) var contradictions: UInt64 = 0
    private var tasks: [TaskID: Entry] = [:]
    private var told: [TaskID: Standing] = [:]

    package init() {}

    package var isWhole: Bool { contradictions == 0 && queues.values.allSatisfy(\.sumsHold) }

    package mutating func restore(_ record: SnapshotRecord) {
        switch record {
        case .totals, .acceptanceEpoch: break
        case .queue(let snapshot):
            queues[snapshot.declaration.number] = Queue(
                name: snapshot.declaration.name, counters: snapshot.counters, isDeleted: snapshot.isDeleted)
        case .task(let task): told[task.id] = Self.standing(task.standing)
        case .finished: finished += 1
        case .deduplication: deduplicationKeys += 1
        }
    }

    private static func standing(_ standing: TaskSnapshot.Standing) -> Standing {
        switch standing {
        case .pending, .backingOff: .pending
        case .leased: .leased
        case .parked: .parked
        case .dead: .dead
        }
    }

    package mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) {
        insert(task, told.removeValue(forKey: task.id) ?? .pending, bytes: span.length)
    }

    package mutating func finishRestore() {
        contradictions += UInt64(told.count)
        told = [:]
    }

    private mutating func insert(_ task: AcceptedTask, _ standing: Standing, bytes: UInt32) {
        let entry = Entry(queue: task.queue, standing: standing, payloadBytes: bytes)
        if let old = tasks.updateValue(entry, forKey: task.id) {
            contradictions += 1
            count(old, by: -1)
        }
        count(entry, by: 1)
    }

    private mutating func count(_ task: Entry, by sign: Int64) {
        func add(_ value: inout UInt64, _ amount: UInt64) {
            value = sign > 0 ? value &+ amount : value &- amount
        }
        add(&queues[task.queue, default: Queue()].payloadBytes, UInt64(task.payloadBytes))
        switch task.standing {
        case .pending: add(&queues[task.queue, default: Queue()].pending, 1)
        case .leased: add(&queues[task.queue, default: Queue()].leased, 1)
        case .parked: add(&queues[task.queue, default: Queue()].parked, 1)
        case .dead: add(&queues[task.queue, default: Queue()].dead, 1)
        }
    }

    package mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
        switch record {
        case .queueDeclared(let declaration):
            queues[declaration.number, default: Queue()].name = declaration.name
            queues[declaration.number, default: Queue()].isDeleted = false
        case .queueDeleted(let queue): queues[queue, default: Queue()].isDeleted = true
        case .queuePauseChanged: break
        case .accepted(let task):
            insert(task, .pending, bytes: position.span.length)
            queues[task.queue, default: Queue()].counters.accepted += 1
            if task.deduplication != nil { deduplicationKeys += 1 }
        case .delivered(let delivery): turn(delivery.id, .leased, from: [.pending])
        case .released(let release): turn(release.id, .pending, from: [.leased])
        case .attemptFailed(let failure): turn(failure.id, .pending, from: [.leased])
        case .parked(let parking): turn(parking.id, .parked, from: [.leased])
        case .unparked(let id): turn(id, .pending, from: [.parked])
        case .deadLettered(let death): turn(death.id, .dead, from: [.pending, .leased, .parked])
        case .redriven(let redrive):
            turn(redrive.id, .pending, from: [.dead])
            if redrive.edited != nil { resize(redrive.id, position.span.length) }
        case .completed(let completion):
            if let queue = remove(completion.id, from: [.leased]) {
                queues[queue, default: Queue()].counters.completed += 1
                finished += 1
            }
        case .cancelled(let cancellation):
            if let queue = remove(cancellation.id, from: [.pending, .parked]) {
                queues[queue, default: Queue()].counters.cancelled += 1
                finished += 1
            }
        case .purged(let id):
            if let queue = remove(id, from: [.dead]) { queues[queue, default: Queue()].counters.purged += 1 }
        case .historyForgotten(let forgotten): finished -= min(finished, UInt64(forgotten.count))
        case .moved(let moved): if moved.role == .payload { resize(moved.id, position.span.length) }
        }
    }

    private mutating func turn(_ id: TaskID, _ standing: Standing, from allowed: [Standing]) {
        guard var task = tasks[id], allowed.contains(task.standing) else { return contradictions += 1 }
        count(task, by: -1)
        task.standing = standing
        tasks[id] = task
        count(task, by: 1)
    }

    private mutating func remove(_ id: TaskID, from allowed: [Standing]) -> QueueNumber? {
        guard let task = tasks[id], allowed.contains(task.standing) else {
            contradictions += 1
            return nil
        }
        tasks[id] = nil
        count(task, by: -1)
        return task.queue
    }

    /// The payload lies somewhere else from now on.
    private mutating func resize(_ id: TaskID, _ bytes: UInt32) {
        guard var task = tasks[id] else { return contradictions += 1 }
        count(task, by: -1)
        task.payloadBytes = bytes
        tasks[id] = task
        count(task, by: 1)
    }
}
