package import TaskModel

/// A group that delivers nothing because of its head.
package struct BlockedGroup: Hashable, Sendable {
    /// Empty for the queue's own group.
    package let name: String
    package let head: TaskID
    /// True where the head waits for an operator, false where it waits for its retry.
    package let isParked: Bool
    /// Tasks that wait in the group, the head included.
    package let waiting: UInt32
    /// Counted deliveries of the head.
    package let receives: UInt32
    package let maxAttempts: UInt32
    /// Milliseconds until the retry; nil where the head is parked.
    package let retryMilliseconds: UInt64?
    /// In the words that HTTP, the CLI and the console share.
    package let waitingBecause: String
}

/// A part of a queue's blocked groups.
package struct BlockedGroupPage: Hashable, Sendable {
    package let groups: [BlockedGroup]
    package let hasMore: Bool
}

/// The groups of a queue whose head waits for a retry or for an operator.
extension QueueStateMachine {
    /// The parked groups and then those that wait for a retry, each longest blocked first: at most `limit`
    /// behind `after`.
    ///
    /// Nil if there is no such queue, or `after` is not blocked (any more) in it.
    package func blockedGroups(
        of name: String, after: String?, limit: Int, now: MonotonicTime
    ) -> BlockedGroupPage? {
        guard let queue = queue(named: name)?.number else { return nil }
        var next = durable[queue].parkedGroups.first
        if next.isNone { next = durable[queue].backingOff.first }
        if let after {
            guard let group = blocked(after, of: queue) else { return nil }
            next = successor(of: group)
        }
        var groups: [BlockedGroup] = []
        while !next.isNone, groups.count < limit {
            groups.append(view(ofBlocked: next, now: now))
            next = successor(of: next)
        }
        return BlockedGroupPage(groups: groups, hasMore: !next.isNone)
    }

    /// One group; nil if it is not blocked, or is not there.
    package func blockedGroup(_ group: String, of name: String, now: MonotonicTime) -> BlockedGroup? {
        guard let queue = queue(named: name)?.number, let slot = blocked(group, of: queue) else { return nil }
        return view(ofBlocked: slot, now: now)
    }

    /// A parked head for which ending the halt of its queue means a fresh count.
    ///
    /// Whoever ends a halt asks until there is none, and ends the pause then.
    package func headHeldByHalt(of name: String) -> TaskID? {
        guard let queue = queue(named: name)?.number, durable[queue].pauses.contains(.halted) else {
            return nil
        }
        let group = durable[queue].parkedGroups.first
        return group.isNone ? nil : durable.tasks[durable.groups[group].head].id
    }

    private func blocked(_ name: String, of queue: QueueNumber) -> Slot<GroupEntry>? {
        let isOwn = name == durable[queue].declaration.name
        guard let slot = durable.groups.find(GroupEntry.Key(queue: queue, name: isOwn ? "" : name)) else {
            return nil
        }
        switch durable.groups[slot].line {
        case .backingOff, .parked: return slot
        case .none, .ready: return nil
        }
    }

    private func successor(of group: Slot<GroupEntry>) -> Slot<GroupEntry> {
        let entry = durable.groups[group]
        guard entry.nextInLine.isNone, entry.line == .parked else { return entry.nextInLine }
        return durable[entry.key.queue].backingOff.first
    }

    private func view(ofBlocked group: Slot<GroupEntry>, now: MonotonicTime) -> BlockedGroup {
        let entry = durable.groups[group]
        let detail = durable.detail(of: entry.head)
        let isParked = entry.line == .parked
        return BlockedGroup(
            name: entry.key.name, head: durable.tasks[entry.head].id, isParked: isParked,
            waiting: entry.count, receives: detail?.receives ?? 0,
            maxAttempts: durable[entry.key.queue].settings.maxAttempts,
            retryMilliseconds: isParked ? nil : detail?.backoffEnd.milliseconds(since: now) ?? 0,
            waitingBecause: reason(entry.head, now: now))
    }
}
