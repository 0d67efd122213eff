import TaskModel
import TestSupport
import WireProtocol

/// After whatever happened: the broker is started again without a fault, and everything that it ever said
/// must be true.
enum Aftermath {
    /// - Parameter isNewSession: the workers died too; else they come back with what they hold.
    static func play(_ talk: Conversation) throws {
        talk.ledger.isDraining = true
        try talk.greet([.client, .admin])
        try compareViews(talk, isDrained: false)
        try Life.repeatKeyed(talk)
        try talk.greet([.worker, .fragileWorker])
        for (peer, requests) in talk.ledger.answerHeld() { talk.say(requests, as: peer) }
        talk.say([talk.ledger.post("after", .ack)], as: .client)
        try Life.untilAnswered(talk)
        if let last = talk.ledger.order.last, talk.ledger.posts[last]?.sequence == nil {
            talk.ledger.note("a post after the restart was refused")
        }
        try drain(talk)
        let finals = try compareViews(talk, isDrained: true)
        try compareSums(talk, finals: finals)
    }

    private static func status(_ talk: Conversation) throws -> BrokerStatus? {
        let correlation = talk.ledger.nextCorrelation()
        talk.say([.status(correlation: correlation)], as: .admin)
        try talk.until("a status") { $0.statuses[correlation] != nil }
        return talk.ledger.statuses[correlation]
    }

    /// Until nothing waits and nothing is leased.
    private static func drain(_ talk: Conversation) throws {
        let deadline = MonotonicDeadline.after(Conversation.patience)
        while let status = try status(talk) {
            let left = status.queues.reduce(0) { $0 + $1.pending + $1.leased + $1.parked }
            if left == 0 { return }
            guard MonotonicDeadline.now() < deadline else {
                return talk.ledger.note("\(left) tasks are never delivered")
            }
        }
    }

    /// Asks for every task; gives the final states of those that exist, by queue.
    @discardableResult
    private static func compareViews(
        _ talk: Conversation, isDrained: Bool
    ) throws -> [String: [TaskView.State: Int]] {
        var asked: [(Correlation, TaskID)] = []
        for id in talk.ledger.order {
            let correlation = talk.ledger.nextCorrelation()
            asked.append((correlation, id))
            talk.say([.lookup(correlation: correlation, id: id, waitMilliseconds: 0)], as: .admin)
        }
        let correlations = asked.map(\.0)
        try talk.until("an answer to every lookup") { ledger in
            correlations.allSatisfy { ledger.lookups[$0] != nil }
        }
        var finals: [String: [TaskView.State: Int]] = [:]
        for (correlation, id) in asked {
            guard let post = talk.ledger.posts[id], let answer = talk.ledger.lookups[correlation] else {
                continue
            }
            if answer == .forgotten, talk.ledger.mayForget, post.isAcknowledged {
                finals[post.queue, default: [:]][.completed, default: 0] += 1
                continue
            }
            if case .found(let view) = answer {
                talk.ledger.learn(id, view.sequence)
                finals[view.queue, default: [:]][view.state, default: 0] += 1
                if isDrained, !view.state.isFinal { talk.ledger.note("\(id) is \(view.state) in the end") }
            }
            if let mistake = mistake(in: answer, post) { talk.ledger.note("\(id) \(mistake)") }
        }
        return finals
    }

    /// What an answer says that cannot be.
    private static func mistake(in answer: LookupAnswer, _ post: Post) -> String? {
        switch answer {
        case .found(let view):
            if post.isRefused { return "was refused and is there" }
            if let sequence = post.sequence, view.sequence != sequence { return "changed its place" }
            if view.group != post.group || view.queue != post.queue { return "changed its group" }
            switch view.state {
            case .completed:
                return post.deliveries.contains { $0.verdict == .ack } ? nil : "is completed without an ack"
            case .cancelled: return post.isCancelSent ? nil : "is cancelled, and nobody asked for it"
            case .deadLettered:
                if post.isAcknowledged { return "is dead and was acknowledged" }
                return post.role == .fail || post.role == .reject ? nil : "is dead without a reason"
            case .pending, .leased, .parked: return post.isOver ? "is back after its end was confirmed" : nil
            }
        case .unknown, .forgotten:
            return post.outcome == nil || post.isRefused ? nil : "was accepted and is lost"
        case .tooManyWaiters: return "could not be asked for"
        }
    }

    /// Guarantee K, against what every single task says of itself.
    private static func compareSums(_ talk: Conversation, finals: [String: [TaskView.State: Int]]) throws {
        guard let status = try status(talk) else { return }
        for queue in status.queues {
            let counters = queue.counters
            let over = counters.completed + queue.dead + counters.cancelled + counters.purged
            if counters.accepted != over + queue.pending + queue.leased + queue.parked {
                talk.ledger.note("the sums of \(queue.name) do not agree: \(queue)")
            }
            let states = finals[queue.name] ?? [:]
            let told = [TaskView.State.completed: counters.completed, .deadLettered: queue.dead]
                .merging([.cancelled: counters.cancelled]) { $1 }
            for (state, count) in told where Int(count) != states[state] ?? 0 {
                talk.ledger.note("\(queue.name) counts \(count) \(state), its tasks \(states[state] ?? 0)")
            }
        }
    }
}
