import Journal
import QueueStateMachine
import TaskModel
import WireProtocol

/// A full disk ends nothing: posts are refused, deliveries stop before the reserve is used up, and what has
/// no room even there is kept until there is some.
///
/// Answers free space by checkpoints and compaction, so that a queue drains on a full disk.
extension Broker {
    /// Until it is sure that the disk stays full, deliveries leave the room that forgetting needs.
    var mayDeliver: Bool {
        guard starved.isEmpty else { return false }
        guard journal.isFull else { return true }
        return journal.availableBytes
            >= (journal.isStillFull ? options.journal.answerBytes : roomForForgetting)
    }

    /// Bytes of the reserve below which history is given up for the drain.
    private var roomForForgetting: Int {
        max(options.journal.reserveBytes / 2, 2 * options.journal.answerBytes)
    }

    /// Keeps a command whose record found no room, unanswered.
    ///
    /// As many as there are leases, and what else the broker itself asks for; a client's request is dropped,
    /// and its outcome is unknown to the client.
    mutating func starve(_ command: Command) {
        if starved.isEmpty { events.append(.diskFull) }
        switch command {
        case .request(_, .ack), .request(_, .nack), .request(_, .reject), .request(_, .release), .takeBack,
            .expire, .declare:
            if starved.count < Self.starvedMax { starved.append(command) }
        case .request, .sendDelivery, .answerLookup: break
        }
    }

    /// Beyond this many, answers are dropped unanswered: their workers keep them and give them again.
    private static var starvedMax: Int { 100_000 }

    /// Performs what was kept, oldest first, as far as there is room.
    mutating func feedStarved() throws(JournalError) {
        guard !starved.isEmpty else { return }
        let commands = starved
        starved = []
        for (index, command) in commands.enumerated() {
            try perform(command)
            guard starved.isEmpty else {
                starved += commands[(index + 1)...]
                return
            }
        }
    }

    /// Forgets finished tasks before their time, a portion a turn, once the reserve is half used up on a disk
    /// that stays full: their records would keep the segments that the drain needs.
    mutating func makeRoom() throws(JournalError) {
        isMakingRoom = false
        guard journal.isStillFull, journal.availableBytes < roomForForgetting,
            let forgotten = state.oldestFinished(limit: Self.upkeepPerTurnMax)
        else { return }
        isMakingRoom = try recordIfRoom(.historyForgotten(forgotten))
    }

    /// When a full disk is looked at again though nothing arrives.
    var nextFeeding: MonotonicTime? {
        starved.isEmpty && !journal.isFull ? nil : clock.monotonic.advanced(byMilliseconds: 1_000)
    }
}

extension Answer {
    /// What goes into the reserve of a full disk: the attempt without the processor's words, unless they take
    /// less room than to say so.
    var withoutExtras: Answer {
        let reason = "dropped: the disk is full"
        switch self {
        case .ack(let result, _):
            return result.count <= reason.utf8.count ? self : .ack(result: [], resultError: reason)
        case .nack(var failure):
            if !failure.stderrTail.isEmpty { failure.stderrTail = Array(reason.utf8)[...] }
            return .nack(failure)
        case .reject(var failure):
            if !failure.stderrTail.isEmpty { failure.stderrTail = Array(reason.utf8)[...] }
            return .reject(failure)
        case .release: return .release
        }
    }
}
