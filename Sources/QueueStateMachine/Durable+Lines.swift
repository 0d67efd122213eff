import TaskModel

/// The lines: of tasks in a group, of ready groups in a queue, of dead tasks in a queue.
extension Durable {
    /// The group's slot; made if there is no such group.
    mutating func group(_ name: String, of queue: QueueNumber) -> Slot<GroupEntry> {
        let key = GroupEntry.Key(queue: queue, name: name)
        if let slot = groups.find(key) { return slot }
        self[queue].groups += 1
        return groups.insert(GroupEntry(key: key))
    }

    mutating func appendToGroup(_ task: Slot<TaskEntry>) {
        let group = tasks[task].group
        let tail = groups[group].tail
        tasks[task].previous = tail
        tasks[task].next = .none
        if tail.isNone { groups[group].head = task } else { tasks[tail].next = task }
        groups[group].tail = task
        groups[group].count += 1
    }

    mutating func unlinkFromGroup(_ task: Slot<TaskEntry>) {
        let (group, next, previous) = (tasks[task].group, tasks[task].next, tasks[task].previous)
        if previous.isNone { groups[group].head = next } else { tasks[previous].next = next }
        if next.isNone { groups[group].tail = previous } else { tasks[next].previous = previous }
        tasks[task].next = .none
        tasks[task].previous = .none
        groups[group].count -= 1
    }

    /// Puts the group into or takes it out of its queue's line of ready groups, as its head says now.
    ///
    /// A group that becomes ready goes to the back of the line.
    mutating func refreshReadiness(of group: Slot<GroupEntry>) {
        let head = groups[group].head
        let ready = !head.isNone && tasks[head].standing == .pending && !isBackingOff(head)
        guard ready != groups[group].isReady else { return }
        if ready { appendReady(group) } else { removeReady(group) }
    }

    private func isBackingOff(_ task: Slot<TaskEntry>) -> Bool {
        details.find(task.rawValue).map { details[$0].backoffMilliseconds > 0 } ?? false
    }

    private mutating func appendReady(_ group: Slot<GroupEntry>) {
        let queue = groups[group].key.queue
        let last = self[queue].lastReady
        groups[group].isReady = true
        groups[group].previousReady = last
        groups[group].nextReady = .none
        if last.isNone { self[queue].firstReady = group } else { groups[last].nextReady = group }
        self[queue].lastReady = group
        self[queue].readyGroups += 1
    }

    private mutating func removeReady(_ group: Slot<GroupEntry>) {
        let queue = groups[group].key.queue
        let (next, previous) = (groups[group].nextReady, groups[group].previousReady)
        if previous.isNone { self[queue].firstReady = next } else { groups[previous].nextReady = next }
        if next.isNone { self[queue].lastReady = previous } else { groups[next].previousReady = previous }
        groups[group].isReady = false
        groups[group].nextReady = .none
        groups[group].previousReady = .none
        self[queue].readyGroups -= 1
    }

    /// Forgets a group to which no live and no dead task belongs.
    mutating func dropGroupIfUnused(_ group: Slot<GroupEntry>) {
        guard groups[group].count == 0, groups[group].deadCount == 0 else { return }
        self[groups[group].key.queue].groups -= 1
        groups.remove(group)
    }

    mutating func appendDead(_ task: Slot<TaskEntry>, queue: QueueNumber) {
        let last = self[queue].lastDead
        tasks[task].previous = last
        tasks[task].next = .none
        if last.isNone { self[queue].firstDead = task } else { tasks[last].next = task }
        self[queue].lastDead = task
        self[queue].dead += 1
        groups[tasks[task].group].deadCount += 1
    }

    mutating func unlinkDead(_ task: Slot<TaskEntry>, queue: QueueNumber) {
        let (next, previous) = (tasks[task].next, tasks[task].previous)
        if previous.isNone { self[queue].firstDead = next } else { tasks[previous].next = next }
        if next.isNone { self[queue].lastDead = previous } else { tasks[next].previous = previous }
        self[queue].dead -= 1
        groups[tasks[task].group].deadCount -= 1
    }

    mutating func appendKey(_ slot: Slot<DeduplicationKeyEntry>) {
        let queue = keys[slot].key.queue
        let last = self[queue].lastKey
        keys[slot].previous = last
        if last.isNone { self[queue].firstKey = slot } else { keys[last].next = slot }
        self[queue].lastKey = slot
    }

    mutating func forgetKey(_ slot: Slot<DeduplicationKeyEntry>) {
        let (queue, next, previous) = (keys[slot].key.queue, keys[slot].next, keys[slot].previous)
        if previous.isNone { self[queue].firstKey = next } else { keys[previous].next = next }
        if next.isNone { self[queue].lastKey = previous } else { keys[next].previous = previous }
        keys.remove(slot)
    }

    func queue(of task: Slot<TaskEntry>) -> QueueNumber { groups[tasks[task].group].key.queue }
}
