import TaskModel

/// State on its way back from a checkpoint: payload records come in the order of the disk, lines are made at
/// the end.
struct Restoration: Sendable {
    var snapshots: [TaskID: TaskSnapshot] = [:]
    var slots: ContiguousArray<Slot<TaskEntry>> = []
    var lastGroup: Slot<GroupEntry>?

    func snapshot(of id: TaskID) -> TaskSnapshot? { snapshots.isEmpty ? nil : snapshots[id] }
}

extension Durable {
    mutating func restore(_ record: SnapshotRecord, into restoration: inout Restoration) {
        switch record {
        case .totals(let totals):
            nextSequence = totals.nextSequence
            newestForgotten = totals.newestForgotten
        case .queue(let queue): restore(queue)
        case .acceptanceEpoch(let epoch): epochs.append(epoch)
        case .task(let task):
            restoration.snapshots[task.id] = task
            // Its queue is known with its payload: the bytes are counted there.
            if let history = task.history { spans.retained.append(history) }
        case .finished(let entry):
            retain(entry.span, of: entry.queue)
            finishedOrder.append(
                finished.insert(
                    FinishedEntry(
                        id: entry.id, span: entry.span, state: entry.state, queue: entry.queue,
                        finishedAt: entry.finishedAt, receipt: entry.receipt ?? LogSequenceNumber(rawValue: 0)
                    )))
        case .deduplication(let key):
            remember(key.entry, queue: key.queue, task: key.task, sequence: key.sequence)
        }
    }

    private mutating func restore(_ queue: QueueSnapshot) {
        precondition(
            Int(queue.declaration.number.rawValue) == queues.count + 1,
            "checkpoint lists its queues out of order")
        var entry = QueueEntry(declaration: queue.declaration)
        entry.counters = queue.counters
        entry.pauses = queue.pauses
        entry.pauseActor = queue.pauseActor
        entry.pauseReason = queue.pauseReason
        entry.isDeleted = queue.isDeleted
        queues.append(entry)
        queueByName[queue.declaration.name] = queue.declaration.number
    }

    /// Takes in one live payload record; its task joins its line in ``finishRestore(_:)``.
    mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan, into restoration: inout Restoration)
    {
        let group = restoredGroup(of: task, &restoration)
        // Stands for "not in line yet", so that a group is not dropped meanwhile.
        groups[group].count += 1
        let sequence = restoration.snapshot(of: task.id)?.sequence ?? task.sequence
        let entry = TaskEntry(id: task.id, sequence: sequence, payload: span, group: group)
        restoration.slots.append(tasks.insertUnindexed(entry))
        retain(span, of: task.queue)
    }

    /// Neighbours on the disk are mostly of one group.
    private mutating func restoredGroup(
        of task: AcceptedTask, _ restoration: inout Restoration
    ) -> Slot<GroupEntry> {
        let key = GroupEntry.Key(queue: task.queue, name: task.group)
        if let last = restoration.lastGroup, groups[last].key == key { return last }
        let group = group(task.group, of: task.queue)
        restoration.lastGroup = group
        return group
    }

    /// Puts every restored task in its line: by sequence in the groups, by order of death in the dead-letter
    /// queues.
    mutating func finishRestore(_ restoration: consuming Restoration) {
        precondition(tasks.indexAll(restoration.slots), "a checkpoint names two payloads of one task")
        sortBySequence(&restoration.slots)
        var dead: [(order: UInt64, task: Slot<TaskEntry>)] = []
        for task in restoration.slots {
            groups[tasks[task].group].count -= 1
            if let snapshot = restoration.snapshot(of: tasks[task].id) {
                restoreStanding(snapshot, of: task, dead: &dead)
            } else {
                appendToGroup(task)
                self[queue(of: task)].pending += 1
            }
        }
        dead.sort { $0.order < $1.order }
        for (_, task) in dead { appendDead(task, queue: queue(of: task)) }
        for task in restoration.slots where tasks[task].previous.isNone && tasks[task].standing != .dead {
            refreshReadiness(of: tasks[task].group)
        }
    }

    /// Almost always in order already: only compaction and redrive put a later sequence before an earlier
    /// one.
    private func sortBySequence(_ slots: inout ContiguousArray<Slot<TaskEntry>>) {
        var isSorted = true
        for index in slots.indices.dropFirst()
        where tasks[slots[index]].sequence < tasks[slots[index - 1]].sequence {
            isSorted = false
            break
        }
        guard !isSorted else { return }
        slots.sort { tasks[$0].sequence < tasks[$1].sequence }
    }

    private mutating func restoreStanding(
        _ snapshot: TaskSnapshot, of task: Slot<TaskEntry>,
        dead: inout [(order: UInt64, task: Slot<TaskEntry>)]
    ) {
        let queue = queue(of: task)
        var detail = TaskDetail(task: task)
        detail.receives = snapshot.receives
        detail.uncountedReleases = snapshot.uncountedReleases
        detail.history = snapshot.history
        self[queue].storedBytes += UInt64(snapshot.history?.length ?? 0)
        switch snapshot.standing {
        case .pending:
            self[queue].pending += 1
        case .backingOff(let milliseconds):
            detail.backoffMilliseconds = milliseconds
            self[queue].pending += 1
        case .leased(let lease):
            detail.lease = lease
            tasks[task].standing = .leased
            self[queue].leased += 1
        case .parked:
            tasks[task].standing = .parked
            self[queue].parked += 1
        case .dead(let reason, let order):
            detail.deadReason = reason
            detail.deadOrder = order
            detail.diedAt = snapshot.diedAt
            tasks[task].standing = .dead
            nextDeadOrder = max(nextDeadOrder, order + 1)
        }
        _ = details.insert(detail)
        if tasks[task].standing == .dead {
            dead.append((detail.deadOrder, task))
        } else {
            appendToGroup(task)
        }
    }
}
