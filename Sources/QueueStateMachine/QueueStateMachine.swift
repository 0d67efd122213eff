package import TaskModel

/// What happens to a task: deciding and applying, without clock, disk, socket or log.
///
/// A turn asks what an input means (`acceptance`, `settlement`, `nextDelivery`, …), which changes nothing
/// durable, puts the resulting records into the journal's batch, and passes each to ``advance(_:at:now:)``.
/// No reply may leave the process before the batch is on disk. Recovery passes the same records to
/// ``apply(_:at:)``.
package struct QueueStateMachine: Sendable {
    /// Bounds over all queues.
    package struct Bounds: Sendable {
        /// Finished tasks that stay known; the oldest go first.
        package var finishedMax = 200_000
        /// `Idempotency-Key`s known at once; at the bound, keyed posts are refused.
        package var keysMax = 1_000_000
        /// Of every queue that ``queues`` does not name.
        package var everyQueue = QueueBounds()
        package var queues: [String: QueueBounds] = [:]

        package init() {}

        func ofQueue(_ name: String) -> QueueBounds { queues[name] ?? everyQueue }
    }

    /// Bounds of one queue that no record depends on, so that they are in no record.
    package struct QueueBounds: Hashable, Sendable {
        /// Bytes of the records that the queue's live and finished tasks need, together; beyond it posts are
        /// refused.
        package var storedBytesMax = UInt64.max
        /// How long a dead task is kept, milliseconds of journal time; the largest number for ever.
        package var deadRetentionMilliseconds = UInt64.max
        /// Workers that may serve it at once.
        package var workersMax = Int.max

        package init() {}
    }

    /// May change at any time, for decisions from then on.
    package var bounds: Bounds
    /// Rebuilt from the journal after a crash.
    var durable = Durable()
    /// Lost in a crash, by design: who is connected, and with what credit.
    var volatile = Volatile()
    private var restoration = Restoration()

    package init(bounds: Bounds = Bounds()) {
        self.bounds = bounds
    }

    /// The only way in which durable state changes.
    package mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
        durable.apply(record, at: position)
    }

    /// Applies a record of the live turn, and does what it means for timers, leases and credit.
    package mutating func advance(_ record: JournalRecord, at position: RecordPosition, now: MonotonicTime) {
        prepareVolatile(for: record)
        durable.apply(record, at: position)
        reactVolatile(to: record, receipt: position.lsn, now: now)
    }

    /// Hands over what became live or dead in the journal since the last call.
    package mutating func takeSpanChanges() -> SpanChanges {
        defer { durable.spans = SpanChanges() }
        return durable.spans
    }

    package var hasSpanChanges: Bool { !durable.spans.retained.isEmpty || !durable.spans.released.isEmpty }
}

/// Recovery, in this order: every snapshot record, every live payload, ``finishRestore()``, then `apply` for
/// the rest.
extension QueueStateMachine {
    package mutating func restore(_ record: SnapshotRecord) {
        durable.restore(record, into: &restoration)
    }

    package mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) {
        durable.restorePayload(task, span: span, into: &restoration)
    }

    package mutating func finishRestore() {
        let finished = restoration
        restoration = Restoration()
        durable.finishRestore(finished)
    }
}

/// What a checkpoint reads, from a copy of the machine, on any thread.
extension QueueStateMachine {
    package func forEachPayload(_ body: (RecordSpan) -> Void) { durable.forEachPayload(body) }
    package func forEachSnapshotRecord(_ body: (SnapshotRecord) -> Void) { durable.snapshot(body) }

    /// Where the record with a live task's payload lies.
    package func payload(of id: TaskID) -> RecordSpan? {
        durable.tasks.find(id).map { durable.tasks[$0].payload }
    }

    /// True if the task's place in that role is this very span, so that compaction has to carry it on.
    package func isLive(_ id: TaskID, role: RecordRole, at span: RecordSpan) -> Bool {
        switch role {
        case .payload: return durable.tasks.find(id).map { durable.tasks[$0].payload == span } ?? false
        case .history:
            if let entry = durable.finished.find(id) { return durable.finished[entry].span == span }
            return durable.tasks.find(id).flatMap { durable.detail(of: $0)?.history } == span
        }
    }
}
