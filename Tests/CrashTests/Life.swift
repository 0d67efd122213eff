import TaskModel
import TestSupport
import WireProtocol

/// What the outside world does during a life of the broker.
enum Life: String, CaseIterable, Sendable {
    /// An empty directory; everything that a journal does.
    case first
    /// After a clean stop: recovery with checkpoints, leases that go on.
    case second
    /// After a torn write, with files that were not finished.
    case torn

    func play(_ talk: Conversation) throws {
        switch self {
        case .first: try Self.playFirst(talk)
        case .second, .torn: try Self.playAgain(talk)
        }
    }

    private static let bigBytes = 340_000

    private static func playFirst(_ talk: Conversation) throws {
        try talk.greet([.client, .admin])
        talk.say(
            [
                talk.ledger.post("a", .ack, isKeyed: true), talk.ledger.post("a", .ack),
                talk.ledger.post("b", .ack), talk.ledger.post("default", .ack),
                talk.ledger.post("keep", .hold), talk.ledger.post("keep", .behind),
                talk.ledger.post("c", .cancel), talk.ledger.post("r", .reject),
                talk.ledger.post("l", .release), talk.ledger.post("x", .fail, queue: "fragile"),
            ], as: .client)
        try untilAnswered(talk)
        try cancelAll(talk)
        try repeatKeyed(talk)
        try talk.greet([.worker, .fragileWorker])
        try untilQuiet(talk)
        for _ in 0..<9 { try runBig(talk, bytes: bigBytes) }
        // Larger than a segment: it gets one of its own, made while the turn waits.
        try runBig(talk, bytes: 1_200_000)
        try runBig(talk, bytes: bigBytes)
    }

    private static func playAgain(_ talk: Conversation) throws {
        talk.ledger.isDraining = true
        try talk.greet([.client, .admin, .worker, .fragileWorker])
        // What was held is done now, so that its group goes on.
        let held = talk.ledger.answerHeld()
        for (peer, requests) in held { talk.say(requests, as: peer) }
        try untilQuiet(talk)
        try repeatKeyed(talk)
        for _ in 0..<5 { try runBig(talk, bytes: bigBytes) }
        talk.say(
            [talk.ledger.post("late", .ack, isKeyed: true), talk.ledger.post("z", .fail, queue: "fragile")],
            as: .client)
        try untilAnswered(talk)
        try untilQuiet(talk)
    }

    private static func runBig(_ talk: Conversation, bytes: Int) throws {
        talk.say([talk.ledger.post("big", .ack, bytes: bytes)], as: .client)
        try untilAnswered(talk)
        try untilQuiet(talk)
    }

    static func untilAnswered(_ talk: Conversation) throws {
        try talk.until("an answer to every post") { ledger in ledger.isAnswered }
    }

    /// Nothing is left to do but what waits for a task that is held.
    static func untilQuiet(_ talk: Conversation) throws {
        try talk.until("every task's end") { ledger in ledger.isFinished }
    }

    private static func cancelAll(_ talk: Conversation) throws {
        let ids = talk.ledger.posts.values.filter { $0.role == .cancel && $0.sequence != nil }.map(\.id)
        let first = talk.ledger.cancellations.count
        talk.say(ids.map { talk.ledger.cancel($0) }, as: .client)
        try talk.until("an answer to the cancel") { $0.cancellations.count == first + ids.count }
    }

    /// Posts with a key are posted again: the same content is the same task, another is refused.
    static func repeatKeyed(_ talk: Conversation) throws {
        for id in talk.ledger.order {
            guard let post = talk.ledger.posts[id], let key = post.key, let sequence = post.sequence else {
                continue
            }
            let again = talk.ledger.nextCorrelation()
            let other = talk.ledger.nextCorrelation()
            var enqueue = post.enqueue(correlation: again, id: TaskID(high: id.high, low: id.low ^ 1))
            var conflict = enqueue
            conflict.correlation = other
            conflict.key?.content = Digest(high: key.content.high, low: key.content.low ^ 1)
            enqueue.correlation = again
            talk.say([.enqueue(enqueue), .enqueue(conflict)], as: .client)
            try talk.until("an answer to a repeated key") {
                $0.outcomes[again] != nil && $0.outcomes[other] != nil
            }
            if talk.ledger.outcomes[again] != .replayed(id, sequence) {
                talk.ledger.note("a repeated key gave \(talk.ledger.outcomes[again].debugDescription)")
            }
            if talk.ledger.outcomes[other] != .keyConflict {
                talk.ledger.note("another content gave \(talk.ledger.outcomes[other].debugDescription)")
            }
        }
    }
}

extension Ledger {
    /// Every post has its answer; the last ones are looked at first, since theirs come last.
    var isAnswered: Bool {
        !order.reversed().contains { posts[$0]?.outcome == nil && posts[$0]?.isLost == false }
    }

    /// No accepted task has its end still to come in this life.
    var isFinished: Bool {
        !order.reversed().contains { id in
            guard let post = posts[id], post.sequence != nil, !post.isOver else { return false }
            switch post.role {
            case .ack, .reject, .release, .fail, .cancel: return true
            case .hold: return isDraining || post.deliveries.isEmpty
            case .behind: return isDraining
            }
        }
    }

    /// Answers every delivery that was kept.
    mutating func answerHeld() -> [(Peer, [Request])] {
        var answers: [(Peer, [Request])] = []
        for id in order {
            guard let post = posts[id] else { continue }
            for delivery in post.deliveries where delivery.verdict == nil && delivery.session == session {
                setVerdict(.ack, on: delivery.receipt, of: id)
                let peer = Peer.allCases.first { $0.queue == post.queue } ?? .worker
                answers.append((peer, [Self.request(.ack, delivery.receipt, id)]))
            }
        }
        return answers
    }
}
