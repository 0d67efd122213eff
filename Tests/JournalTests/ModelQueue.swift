import Journal
import TaskModel

/// The smallest state that a journal can carry: which tasks wait, which are finished, and where their records
/// are.
struct ModelQueue: JournalRecoverySink {
    var waiting: [TaskID: RecordSpan] = [:]
    var finished: [TaskID: RecordSpan] = [:]
    var accepted: UInt64 = 0
    var isRestored = false

    /// What must be the same after a recovery, wherever the records lie.
    struct Meaning: Hashable {
        let waiting: Set<TaskID>
        let finished: Set<TaskID>
        let accepted: UInt64
    }

    var meaning: Meaning {
        Meaning(waiting: Set(waiting.keys), finished: Set(finished.keys), accepted: accepted)
    }

    mutating func restore(_ record: SnapshotRecord) {
        switch record {
        case .totals(let totals): accepted = totals.nextSequence.rawValue
        case .finished(let snapshot): finished[snapshot.id] = snapshot.span
        case .queue, .acceptanceEpoch, .task, .deduplication: break
        }
    }

    mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) { waiting[task.id] = span }
    mutating func finishRestore() { isRestored = true }

    mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
        switch record {
        case .accepted(let task):
            waiting[task.id] = position.span
            accepted += 1
        case .completed(let completion):
            waiting[completion.id] = nil
            finished[completion.id] = position.span
        case .historyForgotten:
            finished = [:]
        case .moved(let moved):
            if moved.role == .payload {
                waiting[moved.id] = position.span
            } else {
                finished[moved.id] = position.span
            }
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .delivered, .released, .attemptFailed,
            .deadLettered,
            .parked, .unparked, .redriven, .cancelled, .purged:
            break
        }
    }

    var snapshot: [SnapshotRecord] {
        let totals = SnapshotTotals(
            nextSequence: TaskSequence(rawValue: accepted), nextQueue: QueueNumber(rawValue: 1),
            newestForgotten: 0)
        return [.totals(totals)]
            + finished.map { id, span in
                .finished(
                    FinishedSnapshot(
                        id: id, state: .completed, finishedAt: JournalTime(rawValue: 0),
                        queue: QueueNumber(rawValue: 1), receipt: nil, span: span))
            }
    }

    var spans: [RecordSpan] { Array(waiting.values) + Array(finished.values) }
}

/// A journal and the state that it carries, as the broker holds them.
struct ModelBroker: ~Copyable {
    var journal: Journal
    var queue = ModelQueue()
    /// What the last commit that returned made durable.
    var committed = ModelQueue.Meaning(waiting: [], finished: [], accepted: 0)
    var time: UInt64 = 0

    init(_ storage: any JournalStorage, options: JournalOptions = Journal.small) throws(JournalError) {
        journal = try Journal.open(storage: storage, options: options, clocks: clocks(0), sink: &queue)
        for span in queue.spans { journal.retain(span) }
        committed = queue.meaning
    }

    /// Stages and applies one output.
    mutating func stage(_ records: [JournalRecord]) throws(JournalError) {
        try journal.ensureRoom(for: records)
        // A full segment may have made what was staged before durable in the middle of the turn.
        if journal.stagedRecords == 0 { committed = queue.meaning }
        for record in records {
            let position = try journal.stage(record)
            switch record {
            case .accepted: journal.retain(position.span)
            case .completed(let completion):
                if let span = queue.waiting[completion.id] { journal.release(span) }
                journal.retain(position.span)
            case .historyForgotten: for span in queue.finished.values { journal.release(span) }
            case .moved(let moved):
                let old = moved.role == .payload ? queue.waiting[moved.id] : queue.finished[moved.id]
                if let old { journal.release(old) }
                journal.retain(position.span)
            case .queueDeclared, .queueDeleted, .queuePauseChanged, .delivered, .released, .attemptFailed,
                .deadLettered, .parked, .unparked, .redriven, .cancelled, .purged:
                break
            }
            queue.apply(record, at: position)
        }
    }

    mutating func turn(_ outputs: [[JournalRecord]]) throws(JournalError) {
        time += 1
        journal.beginBatch(clocks: clocks(time))
        for output in outputs { try stage(output) }
        try journal.commit()
        committed = queue.meaning
    }

    /// The work that other threads do in a broker, done at once.
    mutating func background() throws(JournalError) {
        if let job = journal.preparationNeeded(clocks: clocks(time)) { try journal.adopt(job.run()) }
        if journal.checkpointIsDue { try checkpoint() }
        if let segment = journal.compactionCandidate() { try compact(segment) }
    }

    @discardableResult
    mutating func checkpoint() throws(JournalError) -> [UInt32] {
        let job = try journal.beginCheckpoint()
        let result = job.write(livePayloads: queue.waiting.values, records: queue.snapshot)
        return try journal.finishCheckpoint(result)
    }

    mutating func compact(_ segment: UInt32) throws(JournalError) {
        var scan = try journal.scan(segment: segment)
        while let items = try scan.next(bytes: 2_000) {
            var outputs: [[JournalRecord]] = []
            for item in items {
                let place =
                    item.moved.role == .payload ? queue.waiting[item.moved.id] : queue.finished[item.moved.id]
                if place == item.span { outputs.append([.moved(item.moved)]) }
            }
            try turn(outputs)
        }
    }

    consuming func close() { journal.close() }
}
