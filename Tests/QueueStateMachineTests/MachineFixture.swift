import QueueStateMachine
import TaskModel

/// A state machine with a journal that is only a counter: stages, positions and applies what is decided.
struct MachineFixture {
    var machine: QueueStateMachine
    /// Everything journaled so far, for a restart by replay.
    private(set) var log: [(record: JournalRecord, position: RecordPosition)] = []
    /// Histories by the place of the record that carries them.
    private var histories: [RecordSpan: ArraySlice<UInt8>] = [:]
    private var payloads: [RecordSpan: AcceptedTask] = [:]
    private(set) var liveSpans: Set<RecordSpan> = []
    var seconds: Double = 0
    var bounds: QueueStateMachine.Bounds

    init(bounds: QueueStateMachine.Bounds = QueueStateMachine.Bounds()) {
        self.bounds = bounds
        machine = QueueStateMachine(bounds: bounds)
    }

    var clock: ClockReading {
        ClockReading(
            monotonic: MonotonicTime(rawValue: UInt64(1_000_000_000 + seconds * 1_000_000_000)),
            journal: JournalTime(rawValue: UInt64(seconds * 1_000)),
            wall: WallTime(rawValue: UInt64(seconds * 1_000)))
    }

    @discardableResult
    mutating func stage(_ record: JournalRecord) -> RecordPosition {
        let number = UInt64(log.count + 1)
        let position = RecordPosition(
            lsn: LogSequenceNumber(rawValue: number),
            span: RecordSpan(segment: 1, offset: UInt32(number), length: 10), time: clock.journal)
        machine.advance(record, at: position, now: clock.monotonic)
        remember(record, position)
        return position
    }

    private mutating func remember(_ record: JournalRecord, _ position: RecordPosition) {
        log.append((record, position))
        switch record {
        case .accepted(let task): payloads[position.span] = task
        case .redriven(let redrive): payloads[position.span] = redrive.edited
        case .attemptFailed(let failure): histories[position.span] = failure.history
        case .parked(let parking): histories[position.span] = parking.history
        case .completed(let completion): histories[position.span] = completion.summary.history
        case .deadLettered(let death): histories[position.span] = death.summary.history
        case .cancelled(let cancellation): histories[position.span] = cancellation.summary.history
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .delivered, .released, .unparked, .purged,
            .historyForgotten, .moved:
            break
        }
        settleSpans()
    }

    private mutating func settleSpans() {
        let changes = machine.takeSpanChanges()
        for span in changes.retained { liveSpans.insert(span) }
        for span in changes.released { liveSpans.remove(span) }
    }

    func history(of id: TaskID) -> ArraySlice<UInt8> {
        machine.earlierHistory(of: id).flatMap { histories[$0] } ?? []
    }

    func attempts(at span: RecordSpan) throws -> [AttemptRecord] {
        try AttemptRecord.decodeHistory(histories[span] ?? [])
    }

    /// Ends the process: what only memory knew is gone, the log is replayed.
    mutating func restartByReplay() {
        var fresh = QueueStateMachine(bounds: bounds)
        fresh.finishRestore()
        for entry in log { fresh.apply(entry.record, at: entry.position) }
        machine = fresh
        liveSpans = []
        settleSpans()
        perform(machine.resume(now: clock.monotonic, sameBoot: true))
    }

    /// As ``restartByReplay()``, from a checkpoint of this very moment, its payloads in an order of the
    /// test's choosing.
    mutating func restartFromCheckpoint(shuffle: (inout [RecordSpan]) -> Void = { _ in }) {
        var spans: [RecordSpan] = []
        machine.forEachPayload { spans.append($0) }
        shuffle(&spans)
        var fresh = QueueStateMachine(bounds: bounds)
        machine.forEachSnapshotRecord { fresh.restore($0) }
        for span in spans { if let task = payloads[span] { fresh.restorePayload(task, span: span) } }
        fresh.finishRestore()
        machine = fresh
        liveSpans = []
        settleSpans()
        perform(machine.resume(now: clock.monotonic, sameBoot: true))
    }

    @discardableResult
    mutating func perform(_ takeBacks: [TakeBack]) -> [JournalRecord] {
        takeBacks.compactMap { takeBack in
            let answer = takeBack.answer(
                now: clock.wall, deliveredAt: machine.deliveredAt(takeBack.id) ?? clock.wall)
            return settle(answer, receipt: takeBack.receipt, id: takeBack.id).record
        }
    }

    mutating func settle(
        _ answer: Answer, receipt: LogSequenceNumber, id: TaskID
    ) -> (record: JournalRecord?, word: String) {
        switch machine.settlement(of: answer, receipt: receipt, id: id, earlier: history(of: id), at: clock) {
        case .record(let record):
            stage(record)
            return (record, "taken")
        case .alreadyTaken: return (nil, "taken before")
        case .stale: return (nil, "stale")
        }
    }

    mutating func declare(_ name: String, _ settings: QueueSettings = QueueSettings()) {
        if case .record(let record) = machine.declaration(of: name, settings: settings) { stage(record) }
    }

    mutating func post(
        _ number: Int, queue: String = "tasks", group: String = "", key: (key: Digest, content: Digest)? = nil
    ) -> Acceptance {
        let task = NewTask(
            id: Self.id(number), queue: queue, group: group, key: key, traceparent: [],
            payload: Array("payload \(number)".utf8)[...])
        let acceptance = machine.acceptance(of: task, at: clock)
        if case .accept(let accepted) = acceptance { stage(.accepted(accepted)) }
        return acceptance
    }

    /// Every delivery that is possible now.
    mutating func deliver() -> [(delivery: PlannedDelivery, receipt: LogSequenceNumber)] {
        var deliveries: [(PlannedDelivery, LogSequenceNumber)] = []
        while let delivery = machine.nextDelivery(at: clock) {
            let position = stage(.delivered(delivery.record))
            machine.deliveryBegan(delivery, now: clock.monotonic)
            deliveries.append((delivery, position.lsn))
        }
        return deliveries
    }

    static func id(_ number: Int) -> TaskID {
        TaskID(unixMilliseconds: UInt64(number), random: (0, UInt64(number)))
    }

    static func number(_ id: TaskID) -> Int { Int(id.unixMilliseconds) }
}
