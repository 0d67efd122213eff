package import Journal
package import QueueStateMachine
package import TaskModel
import WireProtocol

/// The broker: one thread, one turn after the other.
///
/// A turn takes what has arrived, decides and applies each command, appends the records to the journal, syncs
/// it, and only then lets replies and deliveries go. What arrives meanwhile waits for the next turn: that is
/// the group commit. The network, the disk, the clocks and the background thread come from outside, so the
/// simulation runs this very code.
package struct Broker<Endpoint: BrokerEndpoint, Background: BackgroundWork>: ~Copyable {
    /// A peer that has said hello.
    struct Peer {
        let role: PeerRole
        let name: String
        let session: SessionID
        /// The queue a worker serves; empty for the others.
        let queue: String
    }

    /// Network events that one turn takes.
    package static var eventsPerTurnMax: Int { 256 }
    /// Timers and records of upkeep that one turn takes.
    static var upkeepPerTurnMax: Int { 500 }
    static var deliveriesPerTurnMax: Int { 1_000 }

    private(set) var options: BrokerOptions
    package var endpoint: Endpoint
    package var background: Background
    var journal: Journal
    package internal(set) var state: QueueStateMachine
    var clock: ClockReading
    var rawClocks: RawClocks

    var peers: [ConnectionID: Peer] = [:]
    var outbox = Outbox()
    var waiters = WaiterTable()
    /// Commands that wait for a record to be read from the disk, by the record's place.
    var postponed: [RecordSpan: [Command]] = [:]
    /// Records that the background thread has read, for the commands that asked; emptied at the end of the
    /// turn.
    var loaded: [RecordSpan: StoredRecord] = [:]
    /// Commands whose records found no room on a full disk, oldest first.
    var starved: [Command] = []
    /// A full disk let finished tasks be forgotten in this turn, and perhaps wants more.
    var isMakingRoom = false
    /// Commands for this turn that did not come from the network.
    var internalCommands: [Command] = []
    /// A turn ended with credit and ready groups left.
    var hasDeliveriesLeft = false
    /// What the manifests of plugins say of their queues, as the keeper told it last.
    var pluginDefaults: [String: QueueDefaults] = [:]
    /// A queue was declared or changed in this turn.
    var queuesChanged = false
    /// Tasks whose final state was decided in this turn, and for which somebody waits.
    var finals: [TaskID] = []
    var compaction = Compaction()
    var backup: Backup?
    var upkeep = Upkeep()
    package var counters = BrokerCounters()
    /// What happened since the shell last took it.
    ///
    /// Task events only while ``wantsTaskEvents``.
    package var events: [BrokerEvent] = []
    package var wantsTaskEvents = true
    /// After SIGTERM: posts are refused, nothing is delivered.
    package var isStopping = false

    /// Recovers the journal in `storage` and declares the configured queues.
    ///
    /// Nothing is served yet.
    package static func recovering(
        _ storage: any JournalStorage, options: BrokerOptions, endpoint: Endpoint, background: Background,
        clocks: TurnClocks, now: MonotonicTime, progress: ((RecoveryProgress) -> Void)? = nil
    ) throws(JournalError) -> Self {
        var recovery = Recovery(state: QueueStateMachine(bounds: options.bounds))
        let journal = try Journal.open(
            storage: storage, options: options.journal, clocks: clocks.raw, sink: &recovery,
            progress: progress)
        var broker = Self(
            options: options, endpoint: endpoint, background: background, journal: journal,
            state: recovery.state,
            clocks: clocks, now: now)
        broker.settleSpans()
        let sameBoot = broker.journal.isSameBoot
        broker.internalCommands = broker.state.resume(now: now, sameBoot: sameBoot).map { .takeBack($0) }
        broker.internalCommands += options.declaredQueues.map {
            .declare(name: $0.name, settings: $0.settings)
        }
        try broker.turn(clocks, now: now)
        return broker
    }

    private init(
        options: BrokerOptions, endpoint: Endpoint, background: Background, journal: consuming Journal,
        state: QueueStateMachine, clocks: TurnClocks, now: MonotonicTime
    ) {
        let time = journal.time
        self.options = options
        self.endpoint = endpoint
        self.background = background
        self.journal = journal
        self.state = state
        rawClocks = clocks.raw
        clock = ClockReading(
            monotonic: now, journal: time, wall: WallTime(rawValue: clocks.raw.wallMilliseconds))
    }

    package var recovery: RecoveryReport { journal.recovery }
    package var instance: JournalInstance { journal.instance }
    package var durableLSN: LogSequenceNumber { journal.durableLSN }
    package var isSealed: Bool { journal.isSealed }

    /// One turn.
    ///
    /// Throws when the journal is lost: the process must end, and nobody may learn of the turn.
    ///
    /// - Parameter now: the patient monotonic clock.
    package mutating func turn(_ clocks: TurnClocks, now: MonotonicTime) throws(JournalError) {
        rawClocks = clocks.raw
        clock = ClockReading(
            monotonic: now, journal: journal.beginBatch(clocks: clocks.raw),
            wall: WallTime(rawValue: clocks.raw.wallMilliseconds))
        try takeBackgroundResults()
        try feedStarved()
        try runInternalCommands()
        for event in endpoint.receive(limit: Self.eventsPerTurnMax) { try handle(event) }
        for takeBack in state.takeDue(now, limit: Self.upkeepPerTurnMax) { try perform(.takeBack(takeBack)) }
        try keepHouse()
        if !isStopping { try deliver() }
        try answerWaiters()
        publishQueues()
        try journal.commit()
        // From here on the turn is on disk, and may be known.
        if journal.durableLSN != counters.lastLSN {
            counters.syncs += 1
            counters.lastLSN = journal.durableLSN
            upkeep.expectAging()
        }
        settleSpans()
        loaded.removeAll(keepingCapacity: true)
        sendOutbox()
        try beginBackgroundWork()
    }

    /// True if there is something to do without waiting for anything.
    package var hasWork: Bool {
        hasDeliveriesLeft || !internalCommands.isEmpty || compaction.hasItems
            || isMakingRoom || (state.isSweeping && starved.isEmpty)
    }

    /// When the next turn has something to do if nothing arrives.
    package var nextDeadline: MonotonicTime? {
        let aging = starved.isEmpty ? upkeep.nextAging : nil
        return [state.nextDeadline, waiters.earliest, nextFeeding, backup?.deadline, aging].compactMap { $0 }
            .min()
    }

    /// Takes over other options while it runs: settings hold for decisions from the next turn on.
    ///
    /// `changed` are queues that exist, with their settings from now on.
    package mutating func reconfigure(
        _ options: BrokerOptions, changed: [(name: String, settings: QueueSettings)]
    ) {
        self.options.queues = options.queues
        self.options.defaults = options.defaults
        self.options.pluginSettings = options.pluginSettings
        self.options.pluginBounds = options.pluginBounds
        self.options.bounds.queues = options.bounds.queues
        state.bounds.everyQueue = options.bounds.everyQueue
        state.bounds.queues = options.bounds.queues
        for (queue, defaults) in pluginDefaults {
            state.bounds.queues[queue] = options.pluginBounds(queue, defaults)
        }
        upkeep.expectAging()
        let known = Set(changed.map(\.name))
        let declared = options.declaredQueues.filter { queue in
            !known.contains(queue.name) && state.queue(named: queue.name) == nil
        }
        internalCommands += (changed + declared).map { queue in
            let settings = pluginDefaults[queue.name].map { options.pluginSettings(queue.name, $0) }
            return .declare(name: queue.name, settings: settings ?? queue.settings)
        }
    }

    /// Writes an empty batch which shows that the last one was durable.
    package mutating func seal() throws(JournalError) { try journal.seal() }

    /// Stages a decided record and applies it: the only way from a decision to the state.
    mutating func record(_ record: JournalRecord) throws(JournalError) -> RecordPosition {
        try journal.ensureRoom(bytes: Journal.encodedBytesMax(record))
        let position = try journal.stage(record)
        state.advance(record, at: position, now: clock.monotonic)
        return position
    }

    /// Tells the journal what became live and what ceased to be.
    mutating func settleSpans() {
        guard state.hasSpanChanges else { return }
        let changes = state.takeSpanChanges()
        journal.retain(changes.retained)
        journal.release(changes.released)
    }

    private mutating func sendOutbox() {
        guard !outbox.isEmpty else { return }
        for parcel in outbox.take() where endpoint.send(parcel.frame, to: parcel.connection) == .notSent {
            counters.framesNotSent += 1
            // What never left was never tried: it goes back uncounted.
            for delivery in parcel.deliveries {
                internalCommands.append(
                    .takeBack(TakeBack(id: delivery.id, receipt: delivery.receipt, cause: .neverArrived)))
            }
        }
    }

    private mutating func runInternalCommands() throws(JournalError) {
        let commands = internalCommands
        internalCommands = []
        for command in commands { try perform(command) }
    }
}

/// Numbers about the broker itself.
package struct BrokerCounters: Hashable, Sendable {
    /// Turns that made something durable.
    package var syncs: UInt64 = 0
    package var framesNotSent: UInt64 = 0
    package var badFrames: UInt64 = 0
    package var badMessages: UInt64 = 0
    var lastLSN = LogSequenceNumber(rawValue: 0)
}

/// Feeds the state machine from the journal.
private struct Recovery: JournalRecoverySink {
    var state: QueueStateMachine

    mutating func restore(_ record: SnapshotRecord) { state.restore(record) }
    mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) {
        state.restorePayload(task, span: span)
    }
    mutating func finishRestore() { state.finishRestore() }
    mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
        state.apply(record, at: position)
    }
}
