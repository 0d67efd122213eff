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

    /// What a checkpoint holds, and how much of the log it covers.
    struct Checkpoint {
        var records: [SnapshotRecord] = []
        var payloads: [RecordSpan] = []
        var covered = 0
    }

    func checkpoint() -> Checkpoint {
        var checkpoint = Checkpoint(covered: log.count)
        machine.forEachSnapshotRecord { checkpoint.records.append($0) }
        machine.forEachPayload { checkpoint.payloads.append($0) }
        return checkpoint
    }

    /// Ends the process: what only memory knew is gone, the checkpoint is read and the log after it replayed.
    /// - Returns: what became of the leases that were over with it.
    @discardableResult
    mutating func restart(from checkpoint: Checkpoint, sameBoot: Bool = true) -> [JournalRecord] {
        var fresh = QueueStateMachine(bounds: bounds)
        for record in checkpoint.records { fresh.restore(record) }
        for span in checkpoint.payloads {
            if let task = payloads[span] { fresh.restorePayload(task, span: span) }
        }
        fresh.finishRestore()
        for entry in log.dropFirst(checkpoint.covered) { fresh.apply(entry.record, at: entry.position) }
        machine = fresh
        liveSpans = []
        settleSpans()
        return perform(machine.resume(now: clock.monotonic, sameBoot: sameBoot))
    }

    mutating func restartByReplay() { restart(from: Checkpoint()) }

    /// As ``restartByReplay()``, from a checkpoint of this very moment, its payloads in an order of the
    /// test's choosing.
    mutating func restartFromCheckpoint(shuffle: (inout [RecordSpan]) -> Void = { _ in }) {
        var checkpoint = checkpoint()
        shuffle(&checkpoint.payloads)
        restart(from: checkpoint)
    }

    /// Compaction copies a live record forward.
    mutating func move(_ id: TaskID, _ role: RecordRole, from old: RecordSpan) {
        let span = stage(.moved(MovedRecord(id: id, role: role, original: []))).span
        payloads[span] = payloads[old]
        histories[span] = histories[old]
    }

    func payload(at span: RecordSpan) -> AcceptedTask? { payloads[span] }

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
        while let next = deliverOne() { deliveries.append(next) }
        return deliveries
    }

    mutating func deliverOne() -> (delivery: PlannedDelivery, receipt: LogSequenceNumber)? {
        guard let delivery = machine.nextDelivery(at: clock) else { return nil }
        let position = stage(.delivered(delivery.record))
        machine.deliveryBegan(delivery, now: clock.monotonic)
        return (delivery, position.lsn)
    }

    static func id(_ number: Int) -> TaskID {
        TaskID(unixMilliseconds: UInt64(number), random: (0, UInt64(number)))
    }

    static func number(_ id: TaskID) -> Int { Int(id.unixMilliseconds) }
}
