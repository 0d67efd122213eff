import BrokerDaemon
import TaskModel
import WireProtocol

/// What is known of one task: what was asked, what was promised, and what is in doubt.
final class KnownTask {
    let id: TaskID
    let queue: String
    /// As deliveries name it.
    let group: String
    let key: String?
    /// What its key was used for.
    let content: String
    let size: Int
    unowned let line: Line
    let terms: QueueTermsKnown
    let offeredAt: JournalClock.Reading

    /// Times its post reached the broker.
    var offers = 1
    /// The broker has said that it has it.
    var isPromised: Bool { promisedInTurn != nil }
    private(set) var promisedInTurn: Int?
    /// Journal time of the turn that accepted it with its key.
    var promisedAt: JournalClock.Reading?
    /// The broker has said that it did not take it, and was asked once.
    var isRefused = false
    var sequence: UInt64?

    /// A promise of how it ended.
    private(set) var final: Final?
    private var endedInTurn = 0
    /// Receipts of acks and rejections that reached the broker and may have ended it.
    var endsInDoubt: Set<UInt64> = []
    var cancelsInDoubt = 0
    var cancelWasAsked = false
    var ackWasSent = false
    var rejectWasSent = false
    /// A later task of its group was delivered: it has to be over.
    private(set) var isPassedOver = false

    /// Of the last delivery seen.
    var lastReceipt: UInt64 = 0
    var lastAttempt: UInt32 = 0
    var deliveries = 0
    private var receiptTurn = 0
    private var receiptBefore: UInt64 = 0
    var crashesAtLastSight = 0
    /// Counted attempts never go below.
    var leastAttempt: UInt32 = 1
    /// Words of failed attempts whose record was promised, and when that was.
    var failures: [(words: String, turn: Int)] = []
    /// Milliseconds that its retry has to wait, by the processor's own word.
    private var backoffMilliseconds: UInt64 = 0
    private(set) var backoffEnd: UInt64 = 0

    enum Final: Equatable {
        case completed
        case cancelled
        case rejected
    }

    init(
        _ post: Post, group: String, line: Line, terms: QueueTermsKnown, at time: JournalClock.Reading,
        crashes: Int
    ) {
        id = post.id
        queue = post.queue
        self.group = group
        key = post.key.map { "\(post.queue)/\($0)" }
        content = "\(post.group)/\(post.content)"
        size = post.size
        self.line = line
        self.terms = terms
        offeredAt = time
        crashesAtLastSight = crashes
    }

    func end(_ final: Final, inTurn turn: Int) {
        self.final = final
        endedInTurn = turn
    }

    func passOver(inTurn turn: Int) {
        isPassedOver = true
        endedInTurn = turn
    }

    /// Whether it was over when the turn began: answers of one turn leave in any order.
    func wasOver(beforeTurn turn: Int) -> Bool { (final != nil || isPassedOver) && endedInTurn < turn }

    func promise(inTurn turn: Int) { promisedInTurn = promisedInTurn ?? turn }

    /// Takes a new receipt; two of one turn leave in any order.
    func take(receipt: UInt64, inTurn turn: Int) {
        if receiptTurn != turn { receiptBefore = lastReceipt }
        receiptTurn = turn
        lastReceipt = receipt
    }

    /// Whether the receipt was the newest when the turn began.
    func wasNewest(_ receipt: UInt64, inTurn turn: Int) -> Bool {
        receipt == (receiptTurn == turn ? receiptBefore : lastReceipt)
    }

    /// The same id begins anew: what was known was finished, forgotten and posted again.
    func beginAnew() {
        promisedInTurn = nil
        promisedAt = nil
        isRefused = false
        sequence = nil
        final = nil
        endsInDoubt = []
        cancelsInDoubt = 0
        isPassedOver = false
        lastAttempt = 0
        leastAttempt = 1
        failures = []
        endBackoff()
        line.waiting.removeAll { $0 === self }
    }

    func waits(milliseconds: UInt64, from now: UInt64) {
        backoffMilliseconds = milliseconds
        beginBackoff(now)
    }

    func beginBackoff(_ now: UInt64) {
        if backoffMilliseconds > 0 { backoffEnd = now + backoffMilliseconds * 1_000_000 }
    }

    func endBackoff() {
        backoffMilliseconds = 0
        backoffEnd = 0
    }
}

/// One group of one queue: its tasks in their order.
final class Line {
    /// Tasks with a known sequence that are not known to be over, ascending.
    var waiting: [KnownTask] = []
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
    var connection: ConnectionID?
    /// By the broker's patient clock, nanoseconds.
    var armedAt: UInt64
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
        self.connection = connection
        armedAt = now
    }

    static let reattach = Limits.reattachMilliseconds * 1_000_000

    func mayHaveEnded(at now: UInt64, shortest: UInt64) -> Bool {
        if mayBeOver || answered != nil { return true }
        if let detachedAt { return now >= detachedAt + Self.reattach }
        return now >= armedAt + shortest * 1_000_000
    }

    /// When the broker has to take it back at the latest.
    func latestEnd(longest: UInt64) -> UInt64 {
        detachedAt.map { $0 + Self.reattach } ?? (armedAt + longest * 1_000_000)
    }
}

/// What may hold of a queue's settings, and its pauses.
final class QueueTermsKnown {
    struct Pause {
        /// The broker has said so.
        var isCertain: Bool
        /// The turn whose replies said it.
        let at: Int
    }

    private(set) var leaseLeast: UInt64
    private(set) var leaseMost: UInt64
    private(set) var attemptsLeast: UInt32
    private(set) var attemptsMost: UInt32
    private(set) var windowLeast: UInt64
    private(set) var windowMost: UInt64
    let retention: UInt64
    let history: UInt64
    let depthMost: UInt64
    let parks: Bool
    let ownGroups: Bool
    var pausedAt: [QueuePauses: Pause] = [:]

    init(_ settings: QueueSettings) {
        (leaseLeast, leaseMost) = (settings.leaseMilliseconds, settings.leaseMilliseconds)
        (attemptsLeast, attemptsMost) = (settings.maxAttempts, settings.maxAttempts)
        (windowLeast, windowMost) = (settings.dedupWindowMilliseconds, settings.dedupWindowMilliseconds)
        retention = settings.retentionMilliseconds
        history = settings.historyMilliseconds
        depthMost = settings.maxDepth
        parks = settings.onExhausted == .parkGroup
        ownGroups = settings.defaultGroup == .task
    }

    func widen(_ settings: QueueSettings) {
        leaseLeast = min(leaseLeast, settings.leaseMilliseconds)
        leaseMost = max(leaseMost, settings.leaseMilliseconds)
        attemptsLeast = min(attemptsLeast, settings.maxAttempts)
        attemptsMost = max(attemptsMost, settings.maxAttempts)
        windowLeast = min(windowLeast, settings.dedupWindowMilliseconds)
        windowMost = max(windowMost, settings.dedupWindowMilliseconds)
    }
}

/// Journal time as far as the outside can tell: exact within a boot of which something is on disk, else a
/// range.
struct JournalClock {
    struct Reading: Equatable {
        let least: UInt64
        let most: UInt64
        let era: Int
    }

    private var base: (least: UInt64, most: UInt64) = (0, 0)
    private var boot: UInt64 = 0
    /// Counts the times at which it was no longer certain how much had passed.
    private var era = 0
    /// A batch of this boot is on disk: time goes on from it whatever happens.
    private var isAnchored = false
    private var boottimeAtBase: UInt64 = 0
    private var boottime: UInt64 = 0

    private static let dayMilliseconds: UInt64 = 24 * 3_600_000

    mutating func read(boottimeMilliseconds: UInt64, bootID: UInt64, isStart: Bool = false) {
        if bootID != boot || isStart && !isAnchored {
            // What was the last batch, and so where time stood, is the broker's secret.
            base = (0, boot == 0 ? 0 : reading.most + Self.dayMilliseconds)
            boot = bootID
            era += 1
            isAnchored = false
            boottimeAtBase = boottimeMilliseconds
        }
        boottime = boottimeMilliseconds
    }

    /// Something was promised that is in a batch of this boot.
    mutating func anchor() { isAnchored = true }

    var reading: Reading {
        let passed = boottime - boottimeAtBase
        return Reading(least: base.least + passed, most: base.most + passed, era: era)
    }

    /// Milliseconds of journal time that have passed since.
    func passed(since earlier: Reading) -> (least: UInt64, most: UInt64) {
        let now = reading
        if now.era == earlier.era { return (now.least - earlier.least, now.least - earlier.least) }
        let least = now.least > earlier.most ? now.least - earlier.most : 0
        return (least, now.most - earlier.least)
    }
}
