import BrokerDaemon
import TaskModel
import WireProtocol

/// One group of one queue: its tasks in their order.
final class Line {
    /// Tasks with a known sequence that are not known to be over, ascending.
    var waiting: [KnownTask] = []
    /// Redriven tasks whose new place is not known yet.
    var unplaced: [KnownTask] = []
    /// The highest sequence delivered.
    var reached: UInt64 = 0
    /// The last delivery.
    var lease: Lease?

    func insert(_ task: KnownTask) {
        let sequence = task.sequence ?? 0
        var place = waiting.count
        while place > 0, (waiting[place - 1].sequence ?? 0) > sequence { place -= 1 }
        waiting.insert(task, at: place)
    }
}

/// One delivery, and what may have ended it.
final class Lease {
    let receipt: UInt64
    let task: KnownTask
    let attempt: UInt32
    let worker: String
    let session: SessionID
    /// Of its task's counts, the one that it belongs to.
    let countsBegun: Int
    var connection: ConnectionID?
    /// By the broker's patient clock, nanoseconds.
    private(set) var armedAt: UInt64
    /// Milliseconds that it lasts at least.
    private var shortest: UInt64
    /// When its worker was last seen to be away.
    var detachedAt: UInt64?
    /// Something happened that may have ended it.
    var mayBeOver = false
    var answered: AnswerKind?
    /// It was certainly valid when its answer came.
    var mustTake = false
    var isTaken = false
    /// A renewal came on another connection than its holder's: for that one it is stale.
    var wasNamedElsewhere = false
    /// The broker died after its answer had come: it may have been taken all the same.
    var wasCutOff = false
    /// A hello or a renewal may have named it after its answer was taken; that is answered stale.
    var wasNamedLate = false

    init(
        _ receipt: UInt64, _ task: KnownTask, attempt: UInt32, hello: Hello, on connection: ConnectionID,
        at now: UInt64
    ) {
        self.receipt = receipt
        self.task = task
        self.attempt = attempt
        worker = hello.name
        session = hello.session
        countsBegun = task.countsBegun
        self.connection = connection
        armedAt = now
        shortest = task.terms.leaseNow
    }

    /// What a queue's settings say counts from here on; before, it was what they said then.
    func arm(at now: UInt64) {
        armedAt = now
        shortest = task.terms.leaseNow
    }

    static let reattach = Limits.reattachMilliseconds * 1_000_000

    /// - Parameter slack: milliseconds that it may have been armed before it was seen.
    func mayHaveEnded(at now: UInt64, slack: UInt64) -> Bool {
        if mayBeOver || answered != nil { return true }
        if let detachedAt { return now >= detachedAt + Self.reattach }
        return now >= armedAt + (max(shortest, slack) - slack) * 1_000_000
    }

    /// When the broker has to take it back at the latest.
    func latestEnd(longest: UInt64) -> UInt64 {
        detachedAt.map { $0 + Self.reattach } ?? (armedAt + longest * 1_000_000)
    }
}
