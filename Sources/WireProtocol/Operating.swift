import BinaryCoding
package import TaskModel

/// What an operator may do to tasks by their ids, many at once.
package enum TaskAct: UInt8, Hashable, Sendable, CaseIterable {
    /// A dead task goes to the tail of its group with a fresh count.
    case redrive = 1
    /// A dead task goes for good.
    case purge = 2
    /// A parked task gets a fresh count, and its group goes on with it.
    case retry = 3
    /// A parked task goes to the dead-letter queue, and its group goes on without it.
    case deadLetter = 4
    /// A waiting or parked task goes.
    case cancel = 5
}

/// What became of one task of an ``TaskAct``.
package enum ActOutcome: UInt8, Hashable, Sendable, CaseIterable {
    case done = 0
    /// The task is known and is not as the act needs it: somebody was faster.
    case notInState = 1
    /// Never accepted, or finished and forgotten.
    case unknown = 2
    /// The queue holds `max_depth` tasks.
    case queueFull = 3
    case diskFull = 4
}

/// One task of a dead-letter queue, as a list shows it; the rest is a lookup away.
package struct DeadTask: Hashable, Sendable {
    package var id: TaskID
    package var sequence: TaskSequence
    /// The group's name, empty for the queue's own.
    package var group: String
    package var reason: DeadLetterReason
    package var receives: UInt32

    package init(
        id: TaskID, sequence: TaskSequence, group: String, reason: DeadLetterReason, receives: UInt32
    ) {
        self.id = id
        self.sequence = sequence
        self.group = group
        self.reason = reason
        self.receives = receives
    }
}

/// A page of a dead-letter queue, oldest death first.
package struct DeadTaskPage: Hashable, Sendable {
    package var tasks: [DeadTask]
    /// Whether there are more behind the last one.
    package var hasMore: Bool

    package init(tasks: [DeadTask], hasMore: Bool) {
        self.tasks = tasks
        self.hasMore = hasMore
    }
}

/// Asks for a page of a dead-letter queue.
package struct DeadTaskQuery: Hashable, Sendable {
    package var queue: String
    /// Begins behind this task, which has to be dead; nil: with the oldest.
    package var after: TaskID?
    /// At most ``Limits/batchTasksMax``.
    package var limit: UInt16

    package init(queue: String, after: TaskID? = nil, limit: UInt16) {
        self.queue = queue
        self.after = after
        self.limit = limit
    }
}

extension ByteWriter {
    mutating func write(_ query: DeadTaskQuery) {
        writePrefixed(query.queue)
        write(query.after != nil)
        if let after = query.after { write(after) }
        write(query.limit)
    }

    mutating func write(_ ids: [TaskID]) {
        writeVariable(UInt64(ids.count))
        for id in ids { write(id) }
    }

    mutating func write(_ page: DeadTaskPage) {
        write(page.hasMore)
        writeVariable(UInt64(page.tasks.count))
        for task in page.tasks {
            write(task.id)
            write(task.sequence.rawValue)
            writePrefixed(task.group)
            write(task.reason.rawValue)
            writeVariable(UInt64(task.receives))
        }
    }

    mutating func write(_ outcomes: [ActOutcome]) {
        writeVariable(UInt64(outcomes.count))
        for outcome in outcomes { write(outcome.rawValue) }
    }
}

extension ByteReader {
    mutating func readDeadTaskQuery() throws(DecodingFailure) -> DeadTaskQuery {
        let queue = try readText(maximum: Limits.queueNameBytesMax)
        let after = try readFlag() ? try readTaskID() : nil
        return DeadTaskQuery(queue: queue, after: after, limit: try read())
    }

    /// The count in front of a list whose elements take at least so many bytes each.
    mutating func readCount(elementBytes: Int) throws(DecodingFailure) -> Int {
        let count = try readVariable()
        guard count <= UInt64(Limits.batchTasksMax) else {
            throw .malformed("a list of \(count), at most \(Limits.batchTasksMax)")
        }
        guard Int(count) * elementBytes <= remaining else { throw .truncated }
        return Int(count)
    }

    mutating func readTaskIDs() throws(DecodingFailure) -> [TaskID] {
        let count = try readCount(elementBytes: 16)
        var ids: [TaskID] = []
        ids.reserveCapacity(count)
        for _ in 0..<count { ids.append(try readTaskID()) }
        return ids
    }

    mutating func readDeadTaskPage() throws(DecodingFailure) -> DeadTaskPage {
        let hasMore = try readFlag()
        let count = try readCount(elementBytes: 27)
        var page = DeadTaskPage(tasks: [], hasMore: hasMore)
        page.tasks.reserveCapacity(count)
        for _ in 0..<count {
            page.tasks.append(
                DeadTask(
                    id: try readTaskID(), sequence: TaskSequence(rawValue: try read()),
                    group: try readText(maximum: Limits.groupNameBytesMax), reason: try readChoice(),
                    receives: try readNarrow()))
        }
        return page
    }

    mutating func readOutcomes() throws(DecodingFailure) -> [ActOutcome] {
        let count = try readCount(elementBytes: 1)
        var outcomes: [ActOutcome] = []
        outcomes.reserveCapacity(count)
        for _ in 0..<count { outcomes.append(try readChoice()) }
        return outcomes
    }
}
