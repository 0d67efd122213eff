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
    let posted: PayloadBytes
    unowned let line: Line
    let terms: QueueTermsKnown
    let offeredAt: JournalClock.Reading
    /// Its age counts from no earlier than this.
    var ageFrom: JournalClock.Reading
    let offeredInTurn: Int

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
    private(set) var endedInTurn = 0
    /// Receipts of acks and rejections that reached the broker and may have ended it.
    var endsInDoubt: Set<UInt64> = []
    var cancelsInDoubt = 0
    var cancelWasAsked = false
    var ackWasSent = false
    /// Its queue may have been deleted with it.
    private(set) var mayHaveGone = false
    private var goneTurn = 0
    var rejectWasSent = false
    /// A later task of its group was delivered: it has to be over.
    private(set) var isPassedOver = false

    // What operators did to it, or may have done.
    var redrives = Doubt()
    var purges = Doubt()
    var retries = Doubt()
    /// Asked for of a parked task.
    var operatorDeaths = Doubt()
    /// What it may hold now; more than one while it is in doubt whether it was edited.
    var contents: [PayloadBytes]
    /// Payloads that a redrive in doubt may have given it.
    var edits: [PayloadBytes] = []
    /// Counts its places: one for the post, one for each redrive.
    private(set) var stint = 0
    private(set) var stintTurn = 0
    /// The place that it has now is behind this one.
    private(set) var placeFloor: UInt64 = 0
    /// Counts its fresh starts, in a new place or in the old.
    private(set) var countsBegun = 0
    /// Times that its count may have begun anew.
    var resetsMost = 0

    /// Of the last delivery seen.
    var lastReceipt: UInt64 = 0
    var lastAttempt: UInt32 = 0
    var deliveries = 0
    private var receiptTurn = 0
    private var receiptBefore: UInt64 = 0
    var crashesAtLastSight = 0
    /// The turn in which its count last began.
    private(set) var countTurn = 0
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
        /// In the dead-letter queue, until an operator decides.
        case dead
        case purged
    }

    init(
        _ post: Post, group: String, line: Line, terms: QueueTermsKnown, at time: JournalClock.Reading,
        turn: Int, crashes: Int
    ) {
        id = post.id
        queue = post.queue
        self.group = group
        key = post.key.map { "\(post.queue)/\($0)" }
        content = "\(post.group)/\(post.content)"
        posted = PayloadBytes(pattern: post.id, size: post.size)
        contents = [posted]
        self.line = line
        self.terms = terms
        offeredAt = time
        ageFrom = time
        offeredInTurn = turn
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

    /// Whether its queue may have it, waiting, leased or dead.
    var mayBeHeld: Bool { final == nil || final == .dead }

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

    /// Its queue was asked to go with all that is in it.
    func mayGo(inTurn turn: Int) {
        mayHaveGone = true
        goneTurn = turn
        cancelsInDoubt += 1
        cancelWasAsked = true
        purges.begin()
    }

    /// Whether it was given to a worker in this turn.
    func wasTaken(inTurn turn: Int) -> Bool { receiptTurn == turn && lastReceipt > 0 }

    /// Which of the payloads that it may have this is, or nil.
    func content(is bytes: ArraySlice<UInt8>) -> PayloadBytes? {
        (contents + edits + (offers > 1 ? [posted] : [])).first { $0.isSame(as: bytes) }
    }

    /// It was redriven: a new place, a fresh count.
    ///
    /// - Parameter place: its new place, if that was seen.
    func beginStint(inTurn turn: Int, above floor: UInt64, crashes: Int, place: UInt64? = nil) {
        leavePlace(floor)
        stint += 1
        stintTurn = turn
        final = nil
        endsInDoubt = []
        isPassedOver = false
        ackWasSent = false
        rejectWasSent = false
        beginCount(inTurn: turn, crashes: crashes)
        if let place {
            sequence = place
            line.insert(self)
        }
    }

    func leavePlace(_ floor: UInt64) {
        line.waiting.removeAll { $0 === self }
        sequence = nil
        placeFloor = floor
    }

    /// Its attempts count from the first again.
    func beginCount(inTurn turn: Int, crashes: Int) {
        countsBegun += 1
        countTurn = turn
        lastAttempt = 0
        leastAttempt = 1
        crashesAtLastSight = crashes
        endBackoff()
    }

    /// It was parked until this turn, and was retried without a word.
    func noteRetry(inTurn turn: Int) { countTurn = turn }

    /// The count began anew before the last delivery.
    func noteFreshCount(mayPostpone: Bool) {
        leastAttempt = mayPostpone ? 1 : lastAttempt
    }

    /// The same id begins anew: what was known was finished, forgotten and posted again.
    ///
    /// A deletion of the same turn may have come after that.
    func beginAnew(inTurn turn: Int) {
        mayHaveGone = goneTurn == turn
        promisedInTurn = nil
        promisedAt = nil
        isRefused = false
        sequence = nil
        final = nil
        endsInDoubt = []
        cancelsInDoubt = mayHaveGone ? 1 : 0
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
