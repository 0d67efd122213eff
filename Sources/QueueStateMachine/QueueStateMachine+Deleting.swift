package import TaskModel

/// What has to be done next on the way to a queue's deletion.
package enum DeletionStep: Hashable, Sendable {
    case refused(reason: String)
    /// The pauses that keep the queue from filling again, or at last the deletion itself.
    case record(JournalRecord)
    /// A waiting or parked task has to be cancelled first.
    case cancel(TaskID)
    /// A dead task has to be purged first.
    case purge(TaskID)
    /// Nothing is left but tasks that somebody works on; they come back or end.
    case waitForLeases
}

extension QueueStateMachine {
    /// The next step of deleting a queue; whoever deletes asks again until the deletion itself is recorded.
    ///
    /// The counters of a deleted queue stay, and so does its number, for a queue of that name later on.
    ///
    /// - Parameter purges: whether tasks that are waiting, parked or dead go with the queue.
    package func deletionStep(of name: String, purges: Bool, actor: String) -> DeletionStep {
        guard let queue = queue(named: name)?.number else {
            return .refused(reason: "there is no queue named \"\(name)\"")
        }
        let entry = durable[queue]
        if volatile.plugins[queue] != nil {
            return .refused(
                reason: "the plugin of \(name) is there and would declare it again: remove the plugin first")
        }
        if let peer = volatile.workersOfQueue[queue]?.first, let worker = volatile.workers[peer] {
            return .refused(reason: "\(worker.name) serves \(name): stop it first")
        }
        if entry.depth == 0, entry.dead == 0 { return .record(.queueDeleted(queue)) }
        guard purges else {
            return .refused(
                reason: "\(name) holds \(entry.pending) waiting, \(entry.leased) leased, "
                    + "\(entry.parked) parked and \(entry.dead) dead tasks: "
                    + "drain and redrive it, or let them go with --purge")
        }
        let closed: QueuePauses = [.deliveries, .ingest]
        guard entry.pauses.isSuperset(of: closed) else {
            return .record(
                .queuePauseChanged(
                    QueuePauseChange(
                        queue: queue, pauses: entry.pauses.union(closed), actor: actor,
                        reason: "being deleted")))
        }
        for line in [entry.ready, entry.backingOff, entry.parkedGroups] where !line.first.isNone {
            return .cancel(durable.tasks[durable.groups[line.first].head].id)
        }
        return entry.firstDead.isNone ? .waitForLeases : .purge(durable.tasks[entry.firstDead].id)
    }
}
