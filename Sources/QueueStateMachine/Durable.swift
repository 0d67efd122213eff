package import TaskModel

/// What the journal can rebuild: every task, group, queue, key and finished task.
///
/// A value whose pages are shared on copy, so that a checkpoint walks an immutable copy on another thread.
struct Durable: Sendable {
    var queues: ContiguousArray<QueueEntry> = []
    var queueByName: [String: QueueNumber] = [:]
    var tasks = KeyedSlab<TaskEntry>()
    var groups = KeyedSlab<GroupEntry>()
    var details = KeyedSlab<TaskDetail>()
    var finished = KeyedSlab<FinishedEntry>()
    /// Finished tasks, oldest first.
    var finishedOrder = PagedQueue<Slot<FinishedEntry>>()
    var keys = KeyedSlab<DeduplicationKeyEntry>()
    /// Ages: the first sequence accepted at or after a time, one entry a minute at most.
    var epochs: ContiguousArray<AcceptanceEpoch> = []
    var nextSequence = TaskSequence(rawValue: 1)
    var nextDeadOrder: UInt64 = 1
    var newestForgotten: UInt64 = 0
    /// Spans that began and ceased to be live since the shell last took them, for the journal's accounting.
    var spans = SpanChanges()

    /// Milliseconds between two entries of `epochs`: how exactly a task's age is known.
    static let epochMilliseconds: UInt64 = 60_000

    subscript(queue: QueueNumber) -> QueueEntry {
        _read { yield queues[Int(queue.rawValue) - 1] }
        _modify { yield &queues[Int(queue.rawValue) - 1] }
    }

    /// Queues that were declared once and do not exist now.
    var deletedQueues: Int { queues.count { $0.isDeleted } }

    func contains(_ queue: QueueNumber) -> Bool {
        queue.rawValue >= 1 && Int(queue.rawValue) <= queues.count
    }

    func detail(of task: Slot<TaskEntry>) -> TaskDetail? {
        details.find(task.rawValue).map { details[$0] }
    }

    /// The task's detail, made if there is none yet.
    mutating func withDetail<Result>(of task: Slot<TaskEntry>, _ body: (inout TaskDetail) -> Result) -> Result
    {
        let slot = details.find(task.rawValue) ?? details.insert(TaskDetail(task: task))
        return body(&details[slot])
    }

    mutating func dropDetail(of task: Slot<TaskEntry>) {
        guard let slot = details.find(task.rawValue) else { return }
        if let history = details[slot].history { release(history, of: queue(of: task)) }
        details.remove(slot)
    }

    /// Begins a back-off, or with 0 ends it; ``refreshReadiness(of:)`` has to follow.
    mutating func setBackoff(_ milliseconds: UInt64, of task: Slot<TaskEntry>) {
        withDetail(of: task) { $0.backoffMilliseconds = milliseconds }
    }

    /// Replaces the record with the history of attempts.
    mutating func setHistory(_ span: RecordSpan, of task: Slot<TaskEntry>) {
        let queue = queue(of: task)
        retain(span, of: queue)
        let old = withDetail(of: task) { detail in
            defer { detail.history = span }
            return detail.history
        }
        if let old { release(old, of: queue) }
    }

    /// A record of the queue's came into use.
    mutating func retain(_ span: RecordSpan, of queue: QueueNumber) {
        spans.retained.append(span)
        self[queue].storedBytes += UInt64(span.length)
    }

    /// A record of the queue's is needed no more.
    mutating func release(_ span: RecordSpan, of queue: QueueNumber) {
        spans.released.append(span)
        self[queue].storedBytes -= UInt64(span.length)
    }

    /// Removes a live task that is in no line any more.
    mutating func dropTask(_ task: Slot<TaskEntry>) {
        dropDetail(of: task)
        release(tasks[task].payload, of: queue(of: task))
        tasks.remove(task)
    }
}

/// Places in the journal that came into or went out of use; told to the journal so that it knows what is live
/// where.
package struct SpanChanges: Sendable {
    package var retained: [RecordSpan] = []
    package var released: [RecordSpan] = []
}
