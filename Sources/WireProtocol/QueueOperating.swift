import BinaryCoding
package import TaskModel

/// Asks for a queue to be deleted, or for a portion of the way to it.
package struct QueueDeletion: Hashable, Sendable {
    package var queue: String
    /// Its waiting and parked tasks are cancelled and its dead ones purged; without, a queue that holds tasks
    /// stays.
    package var purges: Bool
    package var actor: String

    package init(queue: String, purges: Bool, actor: String) {
        self.queue = queue
        self.purges = purges
        self.actor = actor
    }
}

/// What became of a ``QueueDeletion``.
package enum DeletionOutcome: Hashable, Sendable {
    case deleted
    case refused(reason: String)
    /// A portion is done and so much is left: ask again. Its deliveries and posts are paused.
    case remaining(waiting: UInt64, leased: UInt64, dead: UInt64)
}

/// Asks for a page of a queue's blocked groups.
package struct BlockedGroupQuery: Hashable, Sendable {
    package var queue: String
    /// This group alone, where it is blocked.
    package var group: String?
    /// Begins behind this group, which has to be blocked; nil: with the first.
    package var after: String?
    /// At most ``Limits/batchTasksMax``.
    package var limit: UInt16

    package init(queue: String, group: String? = nil, after: String? = nil, limit: UInt16) {
        self.queue = queue
        self.group = group
        self.after = after
        self.limit = limit
    }
}

/// A group that delivers nothing because its head waits for a retry or for an operator.
package struct BlockedGroupView: Hashable, Sendable {
    /// Empty for the queue's own.
    package var name: String
    package var head: TaskID
    package var isParked: Bool
    /// Tasks that wait in the group, the head included.
    package var waiting: UInt32
    package var receives: UInt32
    package var maxAttempts: UInt32
    /// Milliseconds until the head's retry; nil where it is parked.
    package var retryMilliseconds: UInt64?
    package var waitingBecause: String

    package init(
        name: String, head: TaskID, isParked: Bool, waiting: UInt32, receives: UInt32, maxAttempts: UInt32,
        retryMilliseconds: UInt64?, waitingBecause: String
    ) {
        self.name = name
        self.head = head
        self.isParked = isParked
        self.waiting = waiting
        self.receives = receives
        self.maxAttempts = maxAttempts
        self.retryMilliseconds = retryMilliseconds
        self.waitingBecause = waitingBecause
    }
}

/// A page of a queue's blocked groups: the parked ones first, each kind longest blocked first.
package struct BlockedGroupListing: Hashable, Sendable {
    package var groups: [BlockedGroupView]
    /// Whether there are more behind the last one.
    package var hasMore: Bool

    package init(groups: [BlockedGroupView], hasMore: Bool) {
        self.groups = groups
        self.hasMore = hasMore
    }
}

extension ByteWriter {
    mutating func write(_ deletion: QueueDeletion) {
        writePrefixed(deletion.queue)
        write(deletion.purges)
        writePrefixed(deletion.actor)
    }

    mutating func write(_ outcome: DeletionOutcome) {
        switch outcome {
        case .deleted: write(UInt8(0))
        case .refused(let reason):
            write(UInt8(1))
            writePrefixed(reason.cutToUTF8(bytes: AttemptRecord.reasonBytesMax))
        case .remaining(let waiting, let leased, let dead):
            write(UInt8(2))
            writeVariable(waiting)
            writeVariable(leased)
            writeVariable(dead)
        }
    }

    mutating func write(_ query: BlockedGroupQuery) {
        writePrefixed(query.queue)
        for name in [query.group, query.after] {
            write(name != nil)
            if let name { writePrefixed(name) }
        }
        write(query.limit)
    }

    mutating func write(_ listing: BlockedGroupListing) {
        write(listing.hasMore)
        writeVariable(UInt64(listing.groups.count))
        for group in listing.groups {
            writePrefixed(group.name)
            write(group.head)
            write(group.isParked)
            writeVariable(UInt64(group.waiting))
            writeVariable(UInt64(group.receives))
            writeVariable(UInt64(group.maxAttempts))
            writeOptional(group.retryMilliseconds)
            writePrefixed(group.waitingBecause.cutToUTF8(bytes: AttemptRecord.reasonBytesMax))
        }
    }
}

extension ByteReader {
    mutating func readQueueDeletion() throws(DecodingFailure) -> QueueDeletion {
        QueueDeletion(
            queue: try readText(maximum: Limits.queueNameBytesMax), purges: try readFlag(),
            actor: try readText(maximum: Limits.actorNameBytesMax))
    }

    mutating func readDeletionOutcome() throws(DecodingFailure) -> DeletionOutcome {
        let code: UInt8 = try read()
        switch code {
        case 0: return .deleted
        case 1: return .refused(reason: try readText(maximum: AttemptRecord.reasonBytesMax))
        case 2:
            return .remaining(
                waiting: try readVariable(), leased: try readVariable(), dead: try readVariable())
        case let other: throw .unknown(kind: "deletion outcome", value: UInt64(other))
        }
    }

    mutating func readBlockedGroupQuery() throws(DecodingFailure) -> BlockedGroupQuery {
        let queue = try readText(maximum: Limits.queueNameBytesMax)
        let group = try readFlag() ? try readText(maximum: Limits.groupNameBytesMax) : nil
        let after = try readFlag() ? try readText(maximum: Limits.groupNameBytesMax) : nil
        return BlockedGroupQuery(queue: queue, group: group, after: after, limit: try read())
    }

    mutating func readBlockedGroupListing() throws(DecodingFailure) -> BlockedGroupListing {
        let hasMore = try readFlag()
        // Empty texts, an id, and one byte for each number.
        let count = try readCount(elementBytes: 23)
        var listing = BlockedGroupListing(groups: [], hasMore: hasMore)
        listing.groups.reserveCapacity(count)
        for _ in 0..<count {
            listing.groups.append(
                BlockedGroupView(
                    name: try readText(maximum: Limits.groupNameBytesMax), head: try readTaskID(),
                    isParked: try readFlag(), waiting: try readNarrow(), receives: try readNarrow(),
                    maxAttempts: try readNarrow(), retryMilliseconds: try readOptional(),
                    waitingBecause: try readText(maximum: AttemptRecord.reasonBytesMax)))
        }
        return listing
    }
}
