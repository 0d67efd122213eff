import TaskModel
import WireProtocol

/// A page of a queue's blocked groups, or why there is none.
enum BlockedGroupAnswer {
    case page(BlockedGroupListing)
    case refused(String)
}

/// What operators ask of queues and groups.
extension AdminClient {
    /// One portion of the way to a queue's end; ask again while something is left.
    func deleteQueue(_ name: String, purges: Bool) throws(CommandFailure) -> DeletionOutcome {
        let number = takeCorrelation()
        let deletion = QueueDeletion(queue: name, purges: purges, actor: Self.actor)
        return try exchange(.deleteQueue(correlation: number, deletion)) { reply in
            if case .deletion(number, let outcome) = reply { outcome } else { nil }
        }
    }

    func blockedGroups(_ query: BlockedGroupQuery) throws(CommandFailure) -> BlockedGroupAnswer {
        let number = takeCorrelation()
        return try exchange(.listBlocked(correlation: number, query)) { reply in
            switch reply {
            case .blocked(number, let listing): .page(listing)
            case .done(number, let problem): .refused(problem ?? "")
            case _: nil
            }
        }
    }

    /// One queue of the broker's status.
    func queueStatus(_ name: String) throws(CommandFailure) -> QueueStatus {
        guard let queue = try status().queues.first(where: { $0.name == name }) else {
            throw .notFound("there is no queue named \"\(name)\"")
        }
        return queue
    }
}
