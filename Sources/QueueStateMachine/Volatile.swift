import TaskModel

/// Names one connection of a worker, as the shell numbers them.
package struct PeerID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Who is connected, with what credit, and when something is due.
///
/// Nothing here is in the journal.
struct Volatile: Sendable {
    struct Worker: Sendable {
        let peer: PeerID
        let name: String
        let session: SessionID
        let queue: QueueNumber
        /// Tasks it is willing to hold at once.
        var credit: UInt16 = 0
        var held: Int = 0

        var spare: Int { Int(credit) - held }
    }

    /// The volatile side of a lease: who holds it now, and until when.
    struct Holder: Sendable {
        /// Nil while the worker is away.
        var peer: PeerID?
        var deadline: MonotonicTime
    }

    var workers: [PeerID: Worker] = [:]
    /// Connected workers of a queue, in the order of arrival.
    var workersOfQueue: [QueueNumber: [PeerID]] = [:]
    var holders: [Slot<TaskEntry>: Holder] = [:]
    var leases: [LogSequenceNumber: Slot<TaskEntry>] = [:]
    var timers = TimerHeap()
    /// Queues that may have both a ready group and a worker with spare credit, in the order in which they
    /// were marked.
    private(set) var deliverable = PagedQueue<QueueNumber>()
    private var isDeliverable: Set<QueueNumber> = []
    /// Why a queue's worker cannot start its processor.
    var stalls: [QueueNumber: String] = [:]
    /// Queues that have a plugin, with the reason why it does not serve them, or an empty one.
    var plugins: [QueueNumber: String] = [:]
    /// Whether expired keys were left over when a portion of them was forgotten.
    var hasExpiredKeys = false
    /// Where the retention sweep stands.
    var sweep = RetentionSweep()

    mutating func markDeliverable(_ queue: QueueNumber) {
        if isDeliverable.insert(queue).inserted { deliverable.append(queue) }
    }

    mutating func unmarkFirstDeliverable() {
        if let queue = deliverable.popFirst() { isDeliverable.remove(queue) }
    }
}
