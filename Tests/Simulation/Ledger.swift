import Journal
import TaskModel

/// What the journal's files say of every task and every queue, by the plainest reading there is.
///
/// Fed by the same walk over the files as the broker, it shares nothing with the broker's state machine:
/// no lines, no groups, no bounds.
struct Ledger: JournalRecoverySink, Equatable {
    enum Standing: Equatable {
        case waiting, leased, parked, dead, completed, cancelled
    }

    struct Entry: Equatable {
        var queue: QueueNumber
        var sequence: UInt64
        var standing: Standing
        var receives: UInt32
    }

    private(set) var tasks: [TaskID: Entry] = [:]
    private(set) var names: [QueueNumber: String] = [:]
    private(set) var counters: [QueueNumber: QueueCounters] = [:]
    private var finished: [TaskID] = []
    /// What a checkpoint says of tasks whose payload record comes later.
    private var snapshots: [TaskID: TaskSnapshot] = [:]
    private(set) var problems: [String] = []

    mutating func restore(_ record: SnapshotRecord) {
        switch record {
        case .totals, .acceptanceEpoch, .deduplication: break
        case .queue(let queue):
            names[queue.declaration.number] = queue.declaration.name
            counters[queue.declaration.number] = queue.counters
        case .task(let task): snapshots[task.id] = task
        case .finished(let task):
            let standing: Standing = task.state == .completed ? .completed : .cancelled
            tasks[task.id] = Entry(queue: task.queue, sequence: 0, standing: standing, receives: 0)
            finished.append(task.id)
        }
    }

    mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) {
        var entry = Entry(
            queue: task.queue, sequence: task.sequence.rawValue, standing: .waiting, receives: 0)
        if let snapshot = snapshots.removeValue(forKey: task.id) {
            entry.receives = snapshot.receives
            entry.sequence = snapshot.sequence.rawValue
            entry.standing =
                switch snapshot.standing {
                case .pending, .backingOff: .waiting
                case .leased: .leased
                case .parked: .parked
                case .dead: .dead
                }
        }
        if tasks.updateValue(entry, forKey: task.id) != nil { problems.append("\(task.id) is there twice") }
    }

    mutating func finishRestore() {
        if !snapshots.isEmpty {
            problems.append("\(snapshots.count) tasks of the checkpoint have no payload")
        }
        snapshots = [:]
    }

    mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
        switch record {
        case .queueDeclared(let queue):
            names[queue.number] = queue.name
            counters[queue.number] = counters[queue.number] ?? QueueCounters()
        case .queueDeleted, .queuePauseChanged, .moved: break
        case .accepted(let task):
            counters[task.queue, default: QueueCounters()].accepted += 1
            let entry = Entry(
                queue: task.queue, sequence: task.sequence.rawValue, standing: .waiting, receives: 0)
            if tasks.updateValue(entry, forKey: task.id) != nil {
                problems.append("\(task.id) accepted twice")
            }
        case .delivered(let delivery): change(delivery.id, from: [.waiting], to: .leased) { $0 + 1 }
        case .released(let release):
            change(release.id, from: [.leased], to: .waiting) { release.counted ? $0 : $0 - 1 }
        case .attemptFailed(let failure): change(failure.id, from: [.leased], to: .waiting) { $0 }
        case .completed(let completion): finish(completion.id, from: [.leased], .completed)
        case .deadLettered(let death): change(death.id, from: [.waiting, .leased, .parked], to: .dead) { $0 }
        case .parked(let parking): change(parking.id, from: [.leased], to: .parked) { $0 }
        case .unparked(let id): change(id, from: [.parked], to: .waiting) { _ in 0 }
        case .redriven(let redrive):
            change(redrive.id, from: [.dead], to: .waiting) { _ in 0 }
            tasks[redrive.id]?.sequence = redrive.sequence.rawValue
        case .cancelled(let cancellation): finish(cancellation.id, from: [.waiting, .parked], .cancelled)
        case .purged(let id):
            if let entry = tasks.removeValue(forKey: id) { counters[entry.queue]?.purged += 1 }
        case .historyForgotten(let forgotten):
            for id in finished.prefix(Int(forgotten.count)) { tasks[id] = nil }
            finished.removeFirst(min(finished.count, Int(forgotten.count)))
        }
    }

    private mutating func change(
        _ id: TaskID, from: [Standing], to standing: Standing, _ receives: (UInt32) -> UInt32
    ) {
        guard let entry = tasks[id], from.contains(entry.standing) else {
            return problems.append("\(id) goes from \(tasks[id]?.standing as Any) to \(standing)")
        }
        tasks[id]?.standing = standing
        tasks[id]?.receives = receives(entry.receives)
    }

    private mutating func finish(_ id: TaskID, from: [Standing], _ standing: Standing) {
        change(id, from: from, to: standing) { $0 }
        guard let entry = tasks[id], entry.standing == standing else { return }
        // All that a checkpoint says of it.
        tasks[id] = Entry(queue: entry.queue, sequence: 0, standing: standing, receives: 0)
        finished.append(id)
        switch standing {
        case .completed: counters[entry.queue]?.completed += 1
        case .cancelled: counters[entry.queue]?.cancelled += 1
        case .waiting, .leased, .parked, .dead: break
        }
    }

    /// Guarantee K, from the files alone: what is missing in the sum of a queue.
    var unbalanced: [String] {
        counters.keys.sorted().compactMap { queue in
            let sum = counters[queue] ?? QueueCounters()
            let live = UInt64(
                tasks.values.count {
                    $0.queue == queue && $0.standing != .completed && $0.standing != .cancelled
                })
            guard sum.accepted != live + sum.completed + sum.cancelled + sum.purged else { return nil }
            return "\(names[queue] ?? "?"): accepted \(sum.accepted), live and dead \(live), \(sum)"
        }
    }
}
