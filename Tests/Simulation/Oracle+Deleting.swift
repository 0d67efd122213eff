import BrokerDaemon
import TaskModel
import WireProtocol

/// A queue that comes and goes: deleted with what is in it, or only when it is empty, and declared again.
extension Oracle {
    /// One request for a deletion.
    struct Deletion {
        let queue: String
        let purges: Bool
        let number: Int
        /// A repeated frame asks again.
        var count = 1
    }

    func receivedDeletion(of queue: String, purges: Bool, _ ask: Ask) {
        tell?("deletion of \(queue)\(purges ? " with its tasks" : "") arrives on \(ask.connection.rawValue)")
        guard let number = terms[queue]?.presence.askedToDelete() else { return }
        let count = (deletions[ask]?.count ?? 0) + 1
        deletions[ask] = Deletion(queue: queue, purges: purges, number: number, count: count)
        guard purges else { return }
        for task in order where task.queue == queue && (task.mayBeHeld || task.offers > 1) {
            task.mayGo(inTurn: turn)
        }
    }

    func sentDeletion(_ outcome: DeletionOutcome, _ ask: Ask) {
        guard var asked = deletions[ask] else { return }
        asked.count -= 1
        deletions[ask] = asked.count > 0 ? asked : nil
        tell?("the deletion of \(asked.queue) is answered \(outcome)")
        terms[asked.queue]?.presence.deletionAnswered(
            asked.number, isDeleted: outcome == .deleted, inTurn: turn)
        guard outcome == .deleted else { return }
        tally.count(.deletions)
        for task in order where task.queue == asked.queue { checkGone(task, asked) }
    }

    /// Nothing that was in the queue before this turn is left in it, and nothing goes unless that was asked.
    private func checkGone(_ task: KnownTask, _ asked: Deletion) {
        guard let promised = task.promisedInTurn, promised < turn, !task.isRefused else { return }
        guard task.mayBeHeld else { return }
        if !mayBeOver(task) {
            complain("B: \(asked.queue) was deleted, and \(task.id) waited in it")
        }
        // It died of its age and was purged, or was cancelled before that.
        if couldBeDead(task) || task.offers > 1 { return }
        if task.cancelWasAsked { finish(task, .cancelled) }
    }

    /// A post to a queue that is not there.
    func checkUnknown(_ task: KnownTask) {
        let presence = task.terms.presence
        if task.queue != Conditions.passingQueue || !presence.mayBeGone && presence.learnedInTurn < turn {
            complain("A: queue \(task.queue) was called unknown")
        }
        tally.count(.refused)
        if task.offers == 1 { task.isRefused = true }
    }

    /// A post that was taken.
    func checkPresence(of task: KnownTask) {
        let presence = task.terms.presence
        guard task.queue == Conditions.passingQueue, !presence.mayBeThere, presence.learnedInTurn < turn
        else { return }
        complain("B: \(task.id) was accepted into \(task.queue), which was deleted")
    }
}
