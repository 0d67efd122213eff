import BrokerDaemon
import Journal
import TaskModel
import WireProtocol

/// What the outside world knows and may hold the broker to.
///
/// It sees what crosses the broker's boundary, at that moment, and believes nothing that only the broker
/// says: a reply is a promise, and promises are kept count of. Where a crash leaves a doubt, both are
/// allowed.
final class Oracle {
    private(set) var violations: [String] = []
    let conditions: Conditions
    var tasks: [TaskID: KnownTask] = [:]
    /// Tasks in the order in which their posts reached the broker.
    var order: [KnownTask] = []
    var lines: [String: Line] = [:]
    var leases: [UInt64: Lease] = [:]
    /// Leases that have not certainly ended.
    var openLeases: [Lease] = []
    /// Tasks that wait for their retry, and some that do no more.
    var backingOff: [KnownTask] = []
    var keys: [String: [KnownTask]] = [:]
    var terms: [String: QueueTermsKnown] = [:]
    var instance: JournalInstance?
    var answeredSequence: UInt64 = 0
    /// In the turns before this one; those of one turn leave in any order.
    var answeredSequenceBefore: UInt64 = 0

    // Of this life of the broker.

    /// The patient clock, as the oracle works it out by itself, nanoseconds.
    var now: UInt64 = 0
    /// Turns so far, over all lives.
    private(set) var turn = 0
    var posts: [Ask: KnownTask] = [:]
    var lookups: [Ask: (id: TaskID, due: UInt64?)] = [:]
    var cancels: [Ask: TaskID] = [:]
    var pauses: [Ask: (queue: String, set: QueuePauses, clear: QueuePauses)] = [:]
    var declarations: [Ask: (queue: String, settings: QueueSettings, number: Int)] = [:]
    var deletions: [Ask: Deletion] = [:]
    var acts: [Ask: Act] = [:]
    var pages: [Ask: DeadTaskQuery] = [:]
    var payloads: [Ask: TaskID] = [:]
    var hellos: [ConnectionID: Hello] = [:]
    var credits: [ConnectionID: Int] = [:]
    var queueOf: [ConnectionID: String] = [:]

    var journalTime = JournalClock()
    /// Deaths of the broker so far: each may have hidden one delivery of a task.
    var crashes = 0
    var tally = Tally()
    var tell: ((String) -> Void)?

    struct Ask: Hashable {
        let connection: ConnectionID
        let correlation: Correlation
    }

    init(_ conditions: Conditions) {
        self.conditions = conditions
        for queue in conditions.queues { terms[queue.name] = QueueTermsKnown(queue.settings) }
        if let passing = conditions.passing { terms[Conditions.passingQueue] = QueueTermsKnown(passing) }
    }

    func complain(_ text: String) {
        if violations.count < 50 { violations.append(text) }
        tell?("VIOLATION \(text)")
    }

    /// Whether a command may wait for a record to be read, and so come late.
    var mayPostpone: Bool { conditions.know(.uncachedRead) }

    func readJournalTime(_ clocks: TurnClocks, isStart: Bool = false) {
        journalTime.read(
            boottimeMilliseconds: clocks.raw.boottimeMilliseconds, bootID: clocks.raw.bootID,
            isStart: isStart)
    }

    // Lives of the broker

    /// A life of the broker begins, by its clock at this time.
    func began(at now: UInt64, rebooted: Bool) {
        turnBegins(at: now)
        for term in terms.values { term.began(isCertain: !conditions.know(.fullDisk)) }
        for lease in openLeases {
            lease.detachedAt = now
            if rebooted, !lease.mayBeOver, lease.answered == nil {
                lease.mayBeOver = true
                lease.task.leastAttempt = max(lease.task.leastAttempt, lease.attempt + 1)
            }
        }
        for task in order { task.beginBackoff(now) }
    }

    func brokerDied() {
        crashes += 1
        posts = [:]
        lookups = [:]
        cancels = [:]
        pauses = [:]
        declarations = [:]
        deletions = [:]
        acts = [:]
        pages = [:]
        payloads = [:]
        hellos = [:]
        credits = [:]
        queueOf = [:]
        for lease in openLeases {
            if mayHaveEnded(lease) { lease.mayBeOver = true }
            lease.connection = nil
            if lease.answered != nil {
                lease.mustTake = false
                lease.wasCutOff = true
            }
        }
        // A back-off that was over may have led to a delivery that nobody saw.
        for task in order {
            if task.backoffEnd <= now { task.endBackoff() }
            guard conditions.operates else { continue }
            task.redrives.brokerDied()
            task.purges.brokerDied()
            task.retries.brokerDied()
            task.operatorDeaths.brokerDied()
        }
        for term in terms.values { term.presence.brokerDied() }
        for term in terms.values { term.pausedAt = term.pausedAt.filter { $0.value.isCertain } }
    }

    func turnBegins(at time: UInt64) {
        now = time
        turn += 1
        answeredSequenceBefore = answeredSequence
    }

    /// Asks about the promises that had to be kept in this turn, after it.
    func turnEnded() {
        for lease in openLeases
        where lease.latestEnd(longest: lease.task.terms.leaseMost) <= now {
            lease.mayBeOver = true
        }
        backingOff.removeAll { $0.backoffEnd <= now }
        guard !mayPostpone else { return }
        for (ask, lookup) in lookups where lookup.due.map({ $0 <= now }) ?? false {
            complain("B: a lookup of \(lookup.id) that waited was not answered in time")
            lookups[ask] = nil
        }
    }

    /// When the broker has to do something by itself, by its own clock: it must not sleep longer.
    var nextDue: UInt64? {
        var due: UInt64?
        func note(_ time: UInt64?) { if let time { due = min(due ?? .max, time) } }
        for lease in openLeases where !mayHaveEnded(lease) {
            note(lease.latestEnd(longest: lease.task.terms.leaseMost))
        }
        for lookup in lookups.values { note(lookup.due) }
        for task in backingOff
        where task.backoffEnd > now && task.lastAttempt < task.terms.attemptsLeast && !mayBeOver(task) {
            note(task.backoffEnd)
        }
        return due
    }

    // Events of the network

    func received(_ note: Note, on connection: ConnectionID) {
        switch note {
        case .hello(let hello): receivedHello(hello, on: connection)
        case .enqueue(let correlation, let post):
            receivedPost(post, Ask(connection: connection, correlation: correlation))
        case .lookup(let correlation, let id, let wait):
            lookups[Ask(connection: connection, correlation: correlation)] =
                (id, wait > 0 ? now + wait * 1_000_000 : nil)
        case .cancel(let correlation, let id):
            cancels[Ask(connection: connection, correlation: correlation)] = id
            tasks[id]?.cancelsInDoubt += 1
            tasks[id]?.cancelWasAsked = true
        case .credit(let credit): credits[connection] = credit
        case .answer(let receipt, let id, let kind): receivedAnswer(kind, receipt, id)
        case .renew(let receipts): receivedRenewal(receipts, on: connection)
        case .pause(let correlation, let queue, let set, let clear):
            pauses[Ask(connection: connection, correlation: correlation)] = (queue, set, clear)
            for flag in Self.flags where clear.contains(flag) { terms[queue]?.pausedAt[flag] = nil }
            if !clear.isEmpty { terms[queue]?.resumedInTurn = turn }
            if clear.contains(.halted) { receivedEndOfHalt(of: queue) }
        case .declare(let correlation, let queue, let settings):
            tell?("settings of \(queue): \(settings)")
            let number = terms[queue]?.presence.askedToDeclare() ?? 0
            declarations[Ask(connection: connection, correlation: correlation)] = (queue, settings, number)
            terms[queue]?.asked(for: settings)
        case .delete(let correlation, let queue, let purges):
            receivedDeletion(of: queue, purges: purges, Ask(connection: connection, correlation: correlation))
        case .act(let correlation, let act, let ids):
            receivedAct(act, ids, Ask(connection: connection, correlation: correlation))
        case .redriveEdited(let correlation, let id, let edit):
            receivedAct(.redrive, [id], edit: edit, Ask(connection: connection, correlation: correlation))
        case .listDead(let correlation, let query):
            pages[Ask(connection: connection, correlation: correlation)] = query
        case .payload(let correlation, let id):
            payloads[Ask(connection: connection, correlation: correlation)] = id
        }
    }

    /// - Parameter leaves: false if the frame was refused by the transport, so that nobody will learn of it.
    func sent(_ reply: Reply, to connection: ConnectionID, leaves: Bool) {
        switch reply {
        case .welcome(let welcome):
            checkInstance(welcome.instance)
            sentWelcome(on: connection)
        case .enqueued(let correlation, let outcome):
            sentOutcome(outcome, Ask(connection: connection, correlation: correlation))
        case .task(let correlation, let answer):
            let ask = Ask(connection: connection, correlation: correlation)
            if let lookup = lookups.removeValue(forKey: ask) { sentView(answer, of: lookup.id) }
        case .cancelled(let correlation, let outcome):
            let ask = Ask(connection: connection, correlation: correlation)
            if let id = cancels.removeValue(forKey: ask) { sentCancel(outcome, of: id) }
        case .delivery(let task): sentDelivery(task, to: connection, leaves: leaves)
        case .settled(let receipt, let outcome): sentSettled(receipt, outcome)
        case .done(let correlation, let problem):
            let ask = Ask(connection: connection, correlation: correlation)
            if let pause = pauses.removeValue(forKey: ask), problem == nil {
                paused(pause.queue, pause.set, pause.clear)
            }
            if let declaration = declarations.removeValue(forKey: ask), problem == nil {
                terms[declaration.queue]?.declared(declaration.settings)
                terms[declaration.queue]?.presence.declared(declaration.number, inTurn: turn)
            }
        case .status(_, let status): sentStatus(status)
        case .dead(let correlation, let page):
            let ask = Ask(connection: connection, correlation: correlation)
            if let query = pages.removeValue(forKey: ask) { sentPage(page, query) }
        case .acted(let correlation, let outcomes):
            sentActed(outcomes, Ask(connection: connection, correlation: correlation))
        case .payload(let correlation, let bytes):
            let ask = Ask(connection: connection, correlation: correlation)
            if let id = payloads.removeValue(forKey: ask) { sentPayload(bytes, of: id) }
        case .deletion(let correlation, let outcome):
            sentDeletion(outcome, Ask(connection: connection, correlation: correlation))
        case .helloRequired, .helloRefused, .rejected, .queues, .blocked, .backup: break
        }
    }

    private func checkInstance(_ found: JournalInstance) {
        if let instance, instance != found { complain("F: the journal has another instance than before") }
        instance = found
    }

    private static let flags: [QueuePauses] = [.deliveries, .ingest, .halted]

    private func paused(_ queue: String, _ set: QueuePauses, _ clear: QueuePauses) {
        for flag in Self.flags {
            if set.contains(flag) {
                terms[queue]?.pausedAt[flag] = QueueTermsKnown.Pause(isCertain: true, at: turn)
            }
            if clear.contains(flag) { terms[queue]?.pausedAt[flag] = nil }
        }
    }

    func forgetAsks(of connection: ConnectionID) {
        for ask in lookups.keys where ask.connection == connection { lookups[ask] = nil }
    }
}
