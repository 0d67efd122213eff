private import TaskModel
import WireProtocol

/// The blocked groups of one queue, as long as a client wants them.
struct BlockedGroups {
    /// A list that changes all the time is begun again so often.
    private static let restartsMax = 100

    private let client: AdminClient
    private let queue: String

    init(_ client: AdminClient, _ queue: String) {
        self.client = client
        self.queue = queue
    }

    /// The one group where it is named and blocked; else the first ones, parked groups before the others.
    func list(group: String? = nil, limit: Int) throws(CommandFailure) -> BlockedGroupListing {
        var found = BlockedGroupListing(groups: [], hasMore: false)
        var restarts = 0
        while found.groups.count < limit {
            let count = min(limit - found.groups.count, Limits.batchTasksMax)
            let after = found.groups.last.map { $0.name.isEmpty ? queue : $0.name }
            let query = BlockedGroupQuery(queue: queue, group: group, after: after, limit: UInt16(count))
            switch try client.blockedGroups(query) {
            case .refused(let problem):
                // The group behind which this page was to begin is free again.
                guard after != nil, restarts < Self.restartsMax else { throw .notFound(problem) }
                restarts += 1
                found.groups = []
            case .page(let page):
                found.groups += page.groups
                found.hasMore = page.hasMore
                if !page.hasMore || page.groups.isEmpty { return found }
            }
        }
        found.hasMore = found.hasMore || limit <= 0
        return found
    }

    /// All that wait for an operator.
    func parked() throws(CommandFailure) -> [BlockedGroupView] {
        try list(limit: .max).groups.filter(\.isParked)
    }

    func group(_ name: String) throws(CommandFailure) -> BlockedGroupView {
        guard let found = try list(group: name, limit: 1).groups.first else {
            throw .notFound("the group \(name) of \(queue) is not blocked")
        }
        return found
    }
}
