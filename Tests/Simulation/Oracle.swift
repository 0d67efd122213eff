import TaskModel
import WireProtocol

/// What the outside world knows and may hold the broker to.
///
/// Believes nothing that only the broker says.
struct Oracle {
    struct Accepted {
        let sequence: UInt64
        let queue: String
        let group: String
    }

    private(set) var accepted: [TaskID: Accepted] = [:]
    /// Posts without an answer: they may be there or not.
    var unanswered: Set<TaskID> = []
    /// Acks that the broker has confirmed.
    private(set) var confirmedAcks: Set<TaskID> = []
    /// Acks that were sent: the task may be finished.
    var sentAcks: Set<TaskID> = []
    private var firstDelivered: [String: UInt64] = [:]
    private var receipts: Set<Receipt> = []
    private(set) var keys: [String: (id: TaskID, content: String)] = [:]
    private(set) var violations: [String] = []
    private(set) var deliveries = 0

    mutating func complain(_ text: String) { violations.append(text) }

    mutating func posted(_ id: TaskID, queue: String, group: String, sequence: TaskSequence) {
        unanswered.remove(id)
        if accepted.values.contains(where: { $0.sequence == sequence.rawValue }) {
            complain("C: sequence \(sequence.rawValue) was given twice")
        }
        accepted[id] = Accepted(sequence: sequence.rawValue, queue: queue, group: group)
    }

    mutating func keyed(_ key: String, content: String, answeredWith id: TaskID) {
        if let known = keys[key], known.id != id { complain("D: key \(key) stands for two tasks") }
        keys[key] = (id, content)
    }

    mutating func delivered(_ task: DeliveredTask, queue: String) {
        let group = task.group
        deliveries += 1
        if confirmedAcks.contains(task.id) {
            complain("B: task \(task.id) was delivered after its ack was confirmed")
        }
        if !receipts.insert(task.receipt).inserted {
            complain("F: receipt \(task.receipt) named two deliveries")
        }
        let line = "\(queue)/\(group)"
        let last = firstDelivered[line] ?? 0
        if task.sequence.rawValue > last { firstDelivered[line] = task.sequence.rawValue }
        // Whatever was accepted before it in its group has to be over, or at least may be over.
        for (id, earlier) in accepted
        where earlier.queue == queue && earlier.group == group && earlier.sequence < task.sequence.rawValue {
            if !sentAcks.contains(id), !mayBeDead.contains(id) { passedOver[id] = task.id }
        }
    }

    /// Tasks that a later one of their group overtook without an ack: they have to be dead.
    ///
    /// Deliveries may count that nobody outside has seen, so the broker is asked, at the end of its life, how
    /// they died.
    private(set) var passedOver: [TaskID: TaskID] = [:]
    /// Tasks that have failed or been given up often enough to be in the dead-letter queue.
    var mayBeDead: Set<TaskID> = []

    mutating func confirmed(_ id: TaskID) { confirmedAcks.insert(id) }
}
