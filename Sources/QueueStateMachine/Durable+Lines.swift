import TaskModel

/// The lines: of tasks in a group, of ready and of blocked groups in a queue, of dead tasks in a queue.
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

    /// Puts the group into the line of its queue that its head asks for now.
    ///
    /// A group that changes lines goes to the back of the new one.
    mutating func refreshReadiness(of group: Slot<GroupEntry>) {
        let line = line(for: groups[group].head)
        guard line != groups[group].line else { return }
        leaveGroupLine(group)
        joinGroupLine(line, group)
    }

    private func line(for head: Slot<TaskEntry>) -> GroupEntry.Line {
        guard !head.isNone else { return .none }
        switch tasks[head].standing {
        case .pending: return isBackingOff(head) ? .backingOff : .ready
        case .parked: return .parked
        case .leased, .dead: return .none
        }
    }

    private func isBackingOff(_ task: Slot<TaskEntry>) -> Bool {
        details.find(task.rawValue).map { details[$0].backoffMilliseconds > 0 } ?? false
    }

    private mutating func joinGroupLine(_ line: GroupEntry.Line, _ group: Slot<GroupEntry>) {
        guard line != .none else { return }
        let queue = groups[group].key.queue
        let last = self[queue][line].last
        groups[group].line = line
        groups[group].previousInLine = last
        groups[group].nextInLine = .none
        if last.isNone { self[queue][line].first = group } else { groups[last].nextInLine = group }
        self[queue][line].last = group
        self[queue][line].count += 1
    }

    private mutating func leaveGroupLine(_ group: Slot<GroupEntry>) {
        let line = groups[group].line
        guard line != .none else { return }
        let queue = groups[group].key.queue
        let (next, previous) = (groups[group].nextInLine, groups[group].previousInLine)
        if previous.isNone { self[queue][line].first = next } else { groups[previous].nextInLine = next }
        if next.isNone { self[queue][line].last = previous } else { groups[next].previousInLine = previous }
        groups[group].line = .none
        groups[group].nextInLine = .none
        groups[group].previousInLine = .none
        self[queue][line].count -= 1
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
