import Glibc
import TaskModel
import WireProtocol

/// What the outside world wants of a task when it is delivered.
enum Role: Sendable {
    case ack
    /// Kept leased over the end of the life.
    case hold
    /// Waits in its group behind one that is held.
    case behind
    /// Refused for good.
    case reject
    /// Given back once, then acknowledged.
    case release
    /// Fails every time.
    case fail
    /// Cancelled while it waits.
    case cancel
}

/// A task that was posted, and everything that the outside world was told of it.
struct Post: Sendable {
    /// One delivery and the answer to it.
    struct Delivery: Sendable {
        enum Verdict: Sendable { case ack, nack, reject, release }

        let receipt: Receipt
        let attempt: UInt32
        /// The run of the worker that it went to.
        let session: SessionID
        var verdict: Verdict?
        /// The broker said that the verdict is on disk.
        var isTaken = false
        /// Named in a hello: the lease goes on.
        var isClaimed = false
    }

    let id: TaskID
    let queue: String
    let group: String
    let role: Role
    let payload: ArraySlice<UInt8>
    let key: Enqueue.KeyDigests?
    /// Nil while there is no answer.
    var outcome: EnqueueOutcome?
    var deliveries: [Delivery] = []
    /// The broker died before it answered: the task may be there or not.
    var isLost = false
    var isCancelSent = false
    var isCancelled = false

    /// What it is ordered in.
    var place: String { "\(queue) \(group)" }

    static let maxAttempts: [String: UInt32] = ["tasks": 5, "fragile": 2]

    var sequence: TaskSequence? {
        if case .accepted(let sequence) = outcome { sequence } else { nil }
    }
    var isRefused: Bool {
        switch outcome {
        case nil, .accepted, .replayed: false
        case .keyConflict, .unknownQueue, .queueFull, .deduplicationFull, .paused, .diskFull, .idInUse: true
        }
    }
    /// Something was sent after which it may be gone.
    var mayBeOver: Bool { isCancelSent || deliveries.contains { isFinal($0) } }
    /// The broker confirmed that it is gone.
    var isOver: Bool { isCancelled || deliveries.contains { isFinal($0) && $0.isTaken } }
    var isAcknowledged: Bool { deliveries.contains { $0.verdict == .ack && $0.isTaken } }
    /// Deliveries that count, as far as is known here.
    var countedDeliveries: Int { deliveries.count { $0.verdict != .release } }

    private func isFinal(_ delivery: Delivery) -> Bool {
        switch delivery.verdict {
        case .ack, .reject: true
        case .nack: delivery.attempt >= Self.maxAttempts[queue] ?? 5
        case .release, nil: false
        }
    }

    func enqueue(correlation: UInt64, id: TaskID? = nil) -> Enqueue {
        Enqueue(
            correlation: correlation, queue: queue, group: group, id: id ?? self.id, key: key,
            traceparent: [], payload: payload)
    }

    /// Bytes that are different at every place, so that a piece of another payload is never taken for this.
    private static let noise: [UInt8] = {
        var generator = UInt64(0x9E37_79B9)
        return (0..<2_000_000).map { _ in
            generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: generator >> 56)
        }
    }()

    static func payload(number: Int, bytes: Int) -> ArraySlice<UInt8> {
        noise[(number % 5_000 * 131)..<(number % 5_000 * 131 + bytes)]
    }

    func hasPayload(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count == payload.count else { return false }
        return bytes.withUnsafeBytes { left in
            payload.withUnsafeBytes { right in
                guard let one = left.baseAddress, let other = right.baseAddress else { return left.isEmpty }
                return memcmp(one, other, left.count) == 0
            }
        }
    }
}
