import TaskModel
import WireProtocol

/// Goes through a dead-letter queue from the oldest death on, and lets tasks be taken out meanwhile.
///
/// Each task is shown once, also if it dies again on the way.
struct DeadLetterWalk {
    /// Which dead tasks are meant; nil means any.
    struct Filter: Hashable, Sendable {
        var group: String?
        var reason: DeadLetterReason?

        /// `queue` names the group of tasks that were given none.
        func matches(_ task: DeadTask, queue: String) -> Bool {
            if let group, group != (task.group.isEmpty ? queue : task.group) { return false }
            if let reason, reason != task.reason { return false }
            return true
        }
    }

    private let queue: String
    private let filter: Filter
    private let list: (DeadTaskQuery) throws(CommandFailure) -> DeadTaskListing
    /// The last task seen that is still dead, as far as is known.
    private var last: TaskID?
    private var seen: Set<TaskID> = []
    private var isAtEnd = false
    private var restarts = 0

    /// Lists that change all the time are begun again so often.
    private static let restartsMax = 100

    init(
        _ queue: String, _ filter: Filter,
        list: @escaping (DeadTaskQuery) throws(CommandFailure) -> DeadTaskListing
    ) {
        self.queue = queue
        self.filter = filter
        self.list = list
    }

    /// The next tasks that match, at least one, at most ``Limits/batchTasksMax``; nil at the end.
    ///
    /// - Parameter takesOut: whether the tasks given out will be gone from the list by the next call.
    mutating func next(takesOut: Bool) throws(CommandFailure) -> [DeadTask]? {
        while !isAtEnd {
            let query = DeadTaskQuery(queue: queue, after: last, limit: UInt16(Limits.batchTasksMax))
            switch try list(query) {
            case .refused(let problem):
                // Somebody took out the task behind which this page was to begin.
                guard last != nil, restarts < Self.restartsMax else { throw .notFound(problem) }
                restarts += 1
                last = nil
            case .page(let page):
                let fresh = page.tasks.filter { seen.insert($0.id).inserted }
                let matching = fresh.filter { filter.matches($0, queue: queue) }
                isAtEnd = !page.hasMore
                let taken = takesOut ? Set(matching.map(\.id)) : []
                let remaining = page.tasks.last { !taken.contains($0.id) }
                if let remaining { last = remaining.id }
                if !matching.isEmpty { return matching }
            }
        }
        return nil
    }
}
