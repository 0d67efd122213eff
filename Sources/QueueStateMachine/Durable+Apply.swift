import TaskModel

/// `apply` is the only function that changes durable state.
///
/// Live turns and recovery both come through here.
///
/// Records were decided on the state they are applied to, so a record that does not fit it is a defect of
/// this program or a journal that is not one: it traps with a sentence rather than go on from a wrong state.
extension Durable {
    mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
        switch record {
        case .queueDeclared(let declaration): declare(declaration)
        case .queueDeleted(let queue): delete(queue)
        case .queuePauseChanged(let change): changePauses(change)
        case .accepted(let task): accept(task, at: position)
        case .delivered(let delivery): deliver(delivery, receipt: position.lsn)
        case .released(let release): applyRelease(release)
        case .attemptFailed(let failure): failAttempt(failure, span: position.span)
        case .completed(let completion):
            finish(completion.id, state: .completed, receipt: completion.receipt, at: position)
        case .cancelled(let cancellation):
            finish(cancellation.id, state: .cancelled, receipt: LogSequenceNumber(rawValue: 0), at: position)
        case .deadLettered(let death): deadLetter(death, at: position)
        case .parked(let parking): park(parking, span: position.span)
        case .unparked(let id): unpark(id)
        case .redriven(let redrive): applyRedrive(redrive, at: position)
        case .purged(let id): purge(id)
        case .historyForgotten(let forgotten): forget(forgotten)
        case .moved(let moved): move(moved, to: position.span)
        }
    }

    private func slot(of id: TaskID, _ what: String) -> Slot<TaskEntry> {
        guard let slot = tasks.find(id) else {
            preconditionFailure("\(what) of task \(id), which is not live")
        }
        return slot
    }

    private mutating func declare(_ declaration: QueueDeclaration) {
        if contains(declaration.number) {
            self[declaration.number].declaration = declaration
            self[declaration.number].isDeleted = false
        } else {
            precondition(Int(declaration.number.rawValue) == queues.count + 1, "queue numbers have a gap")
            queues.append(QueueEntry(declaration: declaration))
        }
        queueByName[declaration.name] = declaration.number
    }

    private mutating func delete(_ queue: QueueNumber) {
        precondition(self[queue].depth == 0 && self[queue].dead == 0, "deleted queue holds tasks")
        self[queue].isDeleted = true
        // A queue of that name that is declared later begins without them.
        self[queue].pauses = []
        self[queue].pauseActor = ""
        self[queue].pauseReason = ""
    }

    private mutating func changePauses(_ change: QueuePauseChange) {
        self[change.queue].pauses = change.pauses
        self[change.queue].pauseActor = change.actor
        self[change.queue].pauseReason = change.reason
    }

    private mutating func accept(_ task: AcceptedTask, at position: RecordPosition) {
        precondition(tasks.find(task.id) == nil, "task \(task.id) accepted twice")
        precondition(
            contains(task.queue), "task \(task.id) accepted on queue \(task.queue), which was never declared")
        noteEpoch(task.sequence, at: position.time)
        insertPending(task, span: position.span)
        self[task.queue].counters.accepted += 1
        nextSequence = TaskSequence(rawValue: task.sequence.rawValue + 1)
        if let entry = task.deduplication {
            remember(entry, queue: task.queue, task: task.id, sequence: task.sequence)
        }
    }

    /// A waiting task at the tail of its group.
    mutating func insertPending(_ task: AcceptedTask, span: RecordSpan) {
        let group = group(task.group, of: task.queue)
        let slot = tasks.insert(TaskEntry(id: task.id, sequence: task.sequence, payload: span, group: group))
        retain(span, of: task.queue)
        appendToGroup(slot)
        self[task.queue].pending += 1
        refreshReadiness(of: group)
    }

    mutating func remember(
        _ entry: DeduplicationEntry, queue: QueueNumber, task: TaskID, sequence: TaskSequence
    ) {
        let key = DeduplicationKeyEntry.Key(queue: queue, digest: entry.key)
        // A key is accepted again only after it has expired; its old entry is still there until it is swept.
        if let old = keys.find(key) { forgetKey(old) }
        appendKey(keys.insert(keyEntry(key, entry, task, sequence)))
    }

    private func keyEntry(
        _ key: DeduplicationKeyEntry.Key, _ entry: DeduplicationEntry, _ task: TaskID,
        _ sequence: TaskSequence
    ) -> DeduplicationKeyEntry {
        DeduplicationKeyEntry(
            key: key, content: entry.content, expires: entry.expires, task: task, sequence: sequence)
    }

    private mutating func noteEpoch(_ sequence: TaskSequence, at time: JournalTime) {
        if let last = epochs.last, time < last.time.advanced(by: Self.epochMilliseconds) { return }
        epochs.append(AcceptanceEpoch(firstSequence: sequence, time: time))
    }

    private mutating func deliver(_ delivery: Delivery, receipt: LogSequenceNumber) {
        let task = slot(of: delivery.id, "delivery")
        precondition(tasks[task].standing == .pending, "task \(delivery.id) delivered while it does not wait")
        let group = tasks[task].group
        precondition(groups[group].head == task, "task \(delivery.id) delivered before the head of its group")
        let queue = groups[group].key.queue
        tasks[task].standing = .leased
        setBackoff(0, of: task)
        withDetail(of: task) { detail in
            detail.receives += 1
            detail.lease = TaskSnapshot.Lease(
                receipt: receipt, worker: delivery.worker, session: delivery.session,
                deliveredAt: delivery.deliveredAt)
        }
        self[queue].pending -= 1
        self[queue].leased += 1
        refreshReadiness(of: group)
    }

    /// Ends a lease; the task waits again at the head, where it never left.
    private mutating func endLease(of task: Slot<TaskEntry>, _ change: (inout TaskDetail) -> Void) {
        let queue = queue(of: task)
        precondition(tasks[task].standing == .leased, "task \(tasks[task].id) is not leased")
        tasks[task].standing = .pending
        withDetail(of: task) { detail in
            detail.lease = nil
            change(&detail)
        }
        self[queue].leased -= 1
        self[queue].pending += 1
    }

    private mutating func applyRelease(_ release: Release) {
        let task = slot(of: release.id, "release")
        endLease(of: task) { detail in
            if !release.counted { detail.receives -= 1 }
            detail.uncountedReleases = min(detail.uncountedReleases + 1, Limits.uncountedReleasesMax)
        }
        refreshReadiness(of: tasks[task].group)
    }

    private mutating func failAttempt(_ failure: AttemptFailure, span: RecordSpan) {
        let task = slot(of: failure.id, "failed attempt")
        endLease(of: task) { detail in
            detail.uncountedReleases = 0
        }
        setBackoff(failure.retryMilliseconds, of: task)
        setHistory(span, of: task)
        refreshReadiness(of: tasks[task].group)
    }

    private mutating func finish(
        _ id: TaskID, state: FinishedState, receipt: LogSequenceNumber, at position: RecordPosition
    ) {
        let task = slot(of: id, "end")
        let queue = queue(of: task)
        leaveLine(task)
        let entry = FinishedEntry(
            id: id, span: position.span, state: state, queue: queue, finishedAt: position.time,
            receipt: receipt)
        finishedOrder.append(finished.insert(entry))
        retain(position.span, of: queue)
        switch state {
        case .completed: self[queue].counters.completed += 1
        case .cancelled: self[queue].counters.cancelled += 1
        }
        removeAndRelease(task)
    }

    /// Takes a waiting, leased or parked task out of its group's line and its queue's gauges.
    private mutating func leaveLine(_ task: Slot<TaskEntry>) {
        let queue = queue(of: task)
        switch tasks[task].standing {
        case .pending: self[queue].pending -= 1
        case .leased: self[queue].leased -= 1
        case .parked: self[queue].parked -= 1
        case .dead: preconditionFailure("task \(tasks[task].id) is dead and in no group's line")
        }
        unlinkFromGroup(task)
    }

    private mutating func removeAndRelease(_ task: Slot<TaskEntry>) {
        let group = tasks[task].group
        dropTask(task)
        // A group that was served was not in the line, so it joins at the back.
        refreshReadiness(of: group)
        dropGroupIfUnused(group)
    }

    private mutating func deadLetter(_ death: DeadLetter, at position: RecordPosition) {
        let task = slot(of: death.id, "death")
        let group = tasks[task].group
        leaveLine(task)
        tasks[task].standing = .dead
        setBackoff(0, of: task)
        appendDead(task, queue: groups[group].key.queue)
        let order = nextDeadOrder
        nextDeadOrder += 1
        withDetail(of: task) { detail in
            detail.lease = nil
            detail.deadReason = death.reason
            detail.deadOrder = order
            detail.diedAt = position.time
            detail.receives = death.summary.receives
        }
        setHistory(position.span, of: task)
        refreshReadiness(of: group)
    }

    private mutating func park(_ parking: Parking, span: RecordSpan) {
        let task = slot(of: parking.id, "parking")
        let queue = queue(of: task)
        endLease(of: task) { detail in detail.uncountedReleases = 0 }
        tasks[task].standing = .parked
        self[queue].pending -= 1
        self[queue].parked += 1
        if parking.haltsQueue { self[queue].pauses.insert(.halted) }
        setHistory(span, of: task)
        refreshReadiness(of: tasks[task].group)
    }

    private mutating func unpark(_ id: TaskID) {
        let task = slot(of: id, "unparking")
        precondition(tasks[task].standing == .parked, "task \(id) is not parked")
        let queue = queue(of: task)
        tasks[task].standing = .pending
        self[queue].parked -= 1
        self[queue].pending += 1
        withDetail(of: task) { detail in
            detail.receives = 0
            detail.uncountedReleases = 0
        }
        refreshReadiness(of: tasks[task].group)
    }

    private mutating func applyRedrive(_ redrive: Redrive, at position: RecordPosition) {
        let task = slot(of: redrive.id, "redrive")
        precondition(tasks[task].standing == .dead, "task \(redrive.id) is not dead")
        let group = tasks[task].group
        let queue = groups[group].key.queue
        unlinkDead(task, queue: queue)
        noteEpoch(redrive.sequence, at: position.time)
        tasks[task].standing = .pending
        tasks[task].sequence = redrive.sequence
        nextSequence = TaskSequence(rawValue: redrive.sequence.rawValue + 1)
        if redrive.edited != nil {
            release(tasks[task].payload, of: queue)
            retain(position.span, of: queue)
            tasks[task].payload = position.span
        }
        withDetail(of: task) { detail in
            detail.receives = 0
            detail.uncountedReleases = 0
            detail.deadReason = nil
            detail.deadOrder = 0
            detail.diedAt = nil
        }
        appendToGroup(task)
        self[queue].pending += 1
        refreshReadiness(of: group)
    }

    private mutating func purge(_ id: TaskID) {
        let task = slot(of: id, "purge")
        precondition(tasks[task].standing == .dead, "task \(id) is not dead")
        let queue = queue(of: task)
        let group = tasks[task].group
        unlinkDead(task, queue: queue)
        self[queue].counters.purged += 1
        dropTask(task)
        dropGroupIfUnused(group)
    }

    private mutating func forget(_ forgotten: HistoryForgotten) {
        for _ in 0..<forgotten.count {
            guard let slot = finishedOrder.popFirst() else { break }
            release(finished[slot].span, of: finished[slot].queue)
            finished.remove(slot)
        }
        newestForgotten = max(newestForgotten, forgotten.newestForgotten)
    }

    private mutating func move(_ moved: MovedRecord, to span: RecordSpan) {
        switch moved.role {
        case .payload:
            let task = slot(of: moved.id, "move")
            let queue = queue(of: task)
            release(tasks[task].payload, of: queue)
            retain(span, of: queue)
            tasks[task].payload = span
        case .history:
            if let entry = finished.find(moved.id) {
                let queue = finished[entry].queue
                release(finished[entry].span, of: queue)
                retain(span, of: queue)
                finished[entry] = finished[entry].with(span: span)
            } else {
                setHistory(span, of: slot(of: moved.id, "move"))
            }
        }
    }
}
