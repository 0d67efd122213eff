import Journal
import QueueStateMachine
import TaskModel
import TestSupport

/// A journal and the real state machine, taken through a random life in which every kind of record that a
/// broker writes occurs, checkpoints and compaction included.
struct RandomLife: ~Copyable {
    private struct Group: Hashable {
        let queue: UInt16
        let name: String
    }

    private struct Known {
        let group: Group
        var sequence: UInt64
        var receives: UInt32 = 0
        var receipt = LogSequenceNumber(rawValue: 0)
        var history: ArraySlice<UInt8> = []
    }

    var journal: Journal
    private(set) var state: QueueStateMachine
    private var random: SeededGenerator
    /// Every id there ever was.
    private(set) var ids: [TaskID] = []
    private var known: [TaskID: Known] = [:]
    private var lines: [Group: [TaskID]] = [:]
    private var leased: [TaskID] = []
    private var parked: [TaskID] = []
    private var dead: [TaskID] = []
    private var finished = 0
    private var nextSequence: UInt64 = 1
    private var time: UInt64 = 1
    private let payloadBytesMax: Int

    init(_ storage: any JournalStorage, options: JournalOptions, seed: UInt64, payloadBytesMax: Int = 900)
        throws(JournalError)
    {
        var recovered = StateSink()
        journal = try Journal.open(storage: storage, options: options, clocks: clocks(0), sink: &recovered)
        state = recovered.state
        random = SeededGenerator(seed: seed)
        self.payloadBytesMax = payloadBytesMax
    }

    /// What comes first in any life.
    mutating func begin() throws(JournalError) {
        for number in 1...4 as ClosedRange<UInt16> { try declare(number) }
        try commit()
    }

    consuming func close() { journal.close() }

    private mutating func declare(_ number: UInt16) throws(JournalError) {
        let declaration = QueueDeclaration(
            number: QueueNumber(rawValue: number), name: "queue-\(number)", settings: random.settings())
        try write(.queueDeclared(declaration))
    }

    @discardableResult
    private mutating func stage(_ record: JournalRecord) throws(JournalError) -> LogSequenceNumber {
        try journal.ensureRoom(for: [record])
        let position = try journal.stage(record)
        state.apply(record, at: position)
        return position.lsn
    }

    private mutating func write(_ record: JournalRecord) throws(JournalError) { try stage(record) }

    private mutating func commit() throws(JournalError) {
        try journal.commit()
        let changes = state.takeSpanChanges()
        journal.retain(changes.retained)
        journal.release(changes.released)
    }

    /// One turn of a few records, and the work that other threads would do.
    mutating func turn() throws(JournalError) {
        time += random.next() % 50
        journal.beginBatch(clocks: clocks(time))
        for _ in 0...random.next() % 6 { try step() }
        try commit()
        if random.oneIn(6) { try journal.seal() }
        if let job = journal.preparationNeeded(clocks: clocks(time)) { try journal.adopt(job.run()) }
        if journal.checkpointIsDue || random.oneIn(80) { try checkpoint() }
        if let segment = journal.compactionCandidate() { try compact(segment) }
    }

    mutating func checkpoint() throws(JournalError) {
        var places: [RecordSpan] = []
        var records: [SnapshotRecord] = []
        state.forEachPayload { places.append($0) }
        state.forEachSnapshotRecord { records.append($0) }
        try journal.finishCheckpoint(journal.beginCheckpoint().write(livePayloads: places, records: records))
    }

    private mutating func compact(_ segment: UInt32) throws(JournalError) {
        var scan = try journal.scan(segment: segment)
        while let items = try scan.next(bytes: 4_000) {
            journal.beginBatch(clocks: clocks(time))
            for item in items where state.isLive(item.moved.id, role: item.moved.role, at: item.span) {
                try write(.moved(item.moved))
            }
            try commit()
        }
    }

    private mutating func step() throws(JournalError) {
        switch random.next() % 20 {
        case 0..<6: try accept()
        case 6..<11: try deliver()
        case 11..<16: try settle()
        case 16: try operate()
        case 17: try cancel()
        case 18: try forget()
        case _: try change()
        }
    }

    private mutating func pick(_ list: [TaskID]) -> TaskID? {
        list.isEmpty ? nil : list[Int(random.next() % UInt64(list.count))]
    }

    private mutating func accept() throws(JournalError) {
        let id = TaskID(
            unixMilliseconds: 1_700_000_000_000 + time, random: (random.next(), UInt64(ids.count)))
        let group = Group(
            queue: UInt16(1 + random.next() % 3), name: ["", "a", "b", "münchen"][Int(random.next() % 4)])
        var task = AcceptedTask(
            queue: QueueNumber(rawValue: group.queue), id: id, sequence: TaskSequence(rawValue: nextSequence),
            group: group.name, deduplication: nil, traceparent: [],
            payload: random.slice(upTo: payloadBytesMax))
        if random.oneIn(3) { task.deduplication = random.deduplication() }
        if random.oneIn(4) { task.traceparent = random.slice(upTo: 60) }
        try write(.accepted(task))
        ids.append(id)
        known[id] = Known(group: group, sequence: nextSequence)
        lines[group, default: []].append(id)
        nextSequence += 1
    }

    private mutating func deliver() throws(JournalError) {
        let heads = lines.values.compactMap(\.first)
            .filter { !leased.contains($0) && !parked.contains($0) }.sorted()
        guard let id = pick(heads) else { return }
        let receipt = try stage(
            .delivered(
                Delivery(
                    id: id, worker: random.text(), session: SessionID(rawValue: random.next()),
                    deliveredAt: WallTime(rawValue: time))))
        known[id]?.receipt = receipt
        known[id]?.receives += 1
        leased.append(id)
    }

    private mutating func settle() throws(JournalError) {
        guard let id = pick(leased), var task = known[id] else { return }
        leased.removeAll { $0 == id }
        switch random.next() % 10 {
        case 0..<5:
            let summary = summary(of: task)
            try write(
                .completed(
                    Completion(
                        id: id, receipt: task.receipt, summary: summary, result: random.slice(upTo: 200),
                        resultError: random.text())))
            end(id)
            finished += 1
        case 5:
            task.receives -= 1
            try write(.released(Release(id: id, receipt: task.receipt, counted: false)))
        case 6: try write(.released(Release(id: id, receipt: task.receipt, counted: true)))
        case 7:
            task.history = random.slice(upTo: 400)
            try write(.parked(Parking(id: id, haltsQueue: random.oneIn(4), history: task.history)))
            parked.append(id)
        case 8:
            task.history = random.slice(upTo: 400)
            try kill(id, task, random.reason())
        case _:
            task.history = random.slice(upTo: 400)
            try write(
                .attemptFailed(
                    AttemptFailure(
                        id: id, receipt: task.receipt, retryMilliseconds: random.number(),
                        history: task.history)))
        }
        if known[id] != nil { known[id] = task }
    }

    private mutating func kill(_ id: TaskID, _ task: Known, _ reason: DeadLetterReason) throws(JournalError) {
        try write(.deadLettered(DeadLetter(id: id, reason: reason, summary: summary(of: task))))
        lines[task.group]?.removeAll { $0 == id }
        dead.append(id)
    }

    private func summary(of task: Known) -> FinishedSummary {
        FinishedSummary(
            queue: QueueNumber(rawValue: task.group.queue), sequence: TaskSequence(rawValue: task.sequence),
            group: task.group.name, finishedAt: WallTime(rawValue: time), receives: task.receives,
            history: task.history)
    }

    private mutating func end(_ id: TaskID) {
        if let group = known.removeValue(forKey: id)?.group { lines[group]?.removeAll { $0 == id } }
    }

    /// What an operator does to parked and dead tasks.
    private mutating func operate() throws(JournalError) {
        if let id = pick(parked), let task = known[id] {
            parked.removeAll { $0 == id }
            if random.oneIn(2) { return try kill(id, task, .operatorAct) }
            try write(.unparked(id))
            known[id]?.receives = 0
        } else if let id = pick(dead), let task = known[id] {
            dead.removeAll { $0 == id }
            if random.oneIn(3) {
                try write(.purged(id))
                known[id] = nil
                return
            }
            let sequence = TaskSequence(rawValue: nextSequence)
            let edited = AcceptedTask(
                queue: QueueNumber(rawValue: task.group.queue), id: id, sequence: sequence,
                group: task.group.name, deduplication: nil, traceparent: [],
                payload: random.slice(upTo: payloadBytesMax))
            try write(.redriven(Redrive(id: id, sequence: sequence, edited: random.flag() ? edited : nil)))
            known[id]?.sequence = nextSequence
            known[id]?.receives = 0
            lines[task.group, default: []].append(id)
            nextSequence += 1
        }
    }

    private mutating func cancel() throws(JournalError) {
        let waiting = lines.values.flatMap { $0 }.filter { !leased.contains($0) }.sorted()
        guard let id = pick(waiting), let task = known[id] else { return }
        parked.removeAll { $0 == id }
        try write(.cancelled(Cancellation(id: id, actor: random.text(), summary: summary(of: task))))
        end(id)
        finished += 1
    }

    private mutating func forget() throws(JournalError) {
        guard finished > 40 else { return }
        let count = finished - 20
        finished = 20
        try write(.historyForgotten(HistoryForgotten(count: UInt32(count), newestForgotten: time)))
    }

    private mutating func change() throws(JournalError) {
        if random.oneIn(4) { return try write(.queueDeleted(QueueNumber(rawValue: 4))) }
        if random.oneIn(2) { return try declare(UInt16(1 + random.next() % 4)) }
        try write(
            .queuePauseChanged(
                QueuePauseChange(
                    queue: QueueNumber(rawValue: UInt16(1 + random.next() % 3)),
                    pauses: QueuePauses(rawValue: UInt8(random.next() % 8)), actor: random.text(),
                    reason: random.text())))
    }
}

extension RandomLife {
    /// Appends a batch that this version would not write: a task with a field that may be passed over.
    ///
    /// The last batch must be a seal, and nothing may be written afterwards.
    mutating func appendOneOfALaterVersion(to disk: SimulatedDisk) throws(JournalError) {
        journal.beginBatch(clocks: clocks(time + 1))
        let task = AcceptedTask(
            queue: QueueNumber(rawValue: 1),
            id: TaskID(unixMilliseconds: 1_700_000_000_000 + time, random: (7, UInt64(ids.count))),
            sequence: TaskSequence(rawValue: nextSequence), group: "", deduplication: nil, traceparent: [],
            payload: [123, 125])
        // Room is made for it in the normal way; what is written there is then replaced.
        try journal.ensureRoom(bytes: 300)
        let position = try journal.stage(.accepted(task))
        try journal.commit()
        disk.addField(tag: 2, value: Array("key-1".utf8), toRecordAt: position.span)
    }
}

/// Feeds the real state machine.
struct StateSink: JournalRecoverySink {
    var state = QueueStateMachine()

    mutating func restore(_ record: SnapshotRecord) { state.restore(record) }
    mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) {
        state.restorePayload(task, span: span)
    }
    mutating func finishRestore() { state.finishRestore() }
    mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
        state.apply(record, at: position)
    }
}
