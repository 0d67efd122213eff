import TaskModel

/// One live task: waiting, leased, parked or dead.
///
/// 48 bytes; what only some tasks need is in ``TaskDetail``.
struct TaskEntry: Keyed {
    enum Standing: UInt32 {
        case pending = 0
        case leased = 1
        case parked = 2
        case dead = 3
    }

    let id: TaskID
    var sequence: TaskSequence
    /// The record that carries the payload.
    var payload: RecordSpan
    /// Upper 3 bits: standing; lower 29: the group's slot.
    private var groupAndStanding: UInt32
    /// Neighbours in the group's line, or in the queue's dead-letter line.
    var next: Slot<TaskEntry> = .none
    var previous: Slot<TaskEntry> = .none

    init(id: TaskID, sequence: TaskSequence, payload: RecordSpan, group: Slot<GroupEntry>) {
        precondition(group.rawValue < 1 << 29, "more than 2^29 groups")
        self.id = id
        self.sequence = sequence
        self.payload = payload
        groupAndStanding = group.rawValue
    }

    var key: TaskID { id }
    static func hash(of key: TaskID) -> UInt64 { mixed(key.high ^ key.low) }

    var group: Slot<GroupEntry> { Slot(rawValue: groupAndStanding & 0x1FFF_FFFF) }
    var standing: Standing {
        get { Standing(rawValue: groupAndStanding >> 29) ?? .pending }
        set { groupAndStanding = (groupAndStanding & 0x1FFF_FFFF) | newValue.rawValue << 29 }
    }
}

/// What there is to say about a task beyond that it waits.
///
/// Made at its first delivery.
struct TaskDetail: Keyed {
    let task: Slot<TaskEntry>
    /// Net counted deliveries.
    var receives: UInt32 = 0
    /// Deliveries taken back uncounted since the last counted one.
    var uncountedReleases: UInt8 = 0
    /// Not before its back-off of so many milliseconds is over; 0: at once.
    var backoffMilliseconds: UInt64 = 0
    /// When the back-off ends.
    ///
    /// Volatile: meaningless in a checkpoint, set anew after a restart.
    var backoffEnd = MonotonicTime(rawValue: 0)
    var lease: TaskSnapshot.Lease?
    var deadReason: DeadLetterReason?
    /// Rank in the order of dying.
    var deadOrder: UInt64 = 0
    /// Nil where it is not dead, or its death was written by a version that did not say when.
    var diedAt: JournalTime?
    /// The newest record with the history of attempts.
    var history: RecordSpan?

    init(task: Slot<TaskEntry>) { self.task = task }

    var key: UInt32 { task.rawValue }
    static func hash(of key: UInt32) -> UInt64 { mixed(UInt64(key)) }
}

/// One group that has live tasks: the line of its waiting tasks, head first.
struct GroupEntry: Keyed {
    struct Key: Equatable {
        let queue: QueueNumber
        let name: String
    }

    enum Line: UInt8, Sendable {
        /// Nothing waits at the head: it is leased, or there is none.
        case none
        /// The head can be delivered.
        case ready
        /// The head waits for its retry.
        case backingOff
        /// The head waits for an operator.
        case parked
    }

    let key: Key
    var head: Slot<TaskEntry> = .none
    var tail: Slot<TaskEntry> = .none
    /// Waiting, leased and parked tasks.
    var count: UInt32 = 0
    /// Dead tasks that would come back here.
    var deadCount: UInt32 = 0
    /// The queue's line in which it stands, as its head says.
    var line = Line.none
    /// Neighbours in that line.
    var nextInLine: Slot<GroupEntry> = .none
    var previousInLine: Slot<GroupEntry> = .none

    init(key: Key) { self.key = key }

    /// Seeded anew in every process: clients choose the names, and shall not choose the collisions.
    static func hash(of key: Key) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(key.queue)
        hasher.combine(key.name)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

/// A finished task that is still known.
struct FinishedEntry: Keyed {
    let id: TaskID
    let span: RecordSpan
    let state: FinishedState
    let queue: QueueNumber
    let finishedAt: JournalTime
    /// The LSN of the receipt whose ack completed it; 0 if cancelled.
    let receipt: LogSequenceNumber

    var key: TaskID { id }
    static func hash(of key: TaskID) -> UInt64 { mixed(key.high ^ key.low) }

    func with(span: RecordSpan) -> FinishedEntry {
        FinishedEntry(
            id: id, span: span, state: state, queue: queue, finishedAt: finishedAt, receipt: receipt)
    }
}

/// One known `Idempotency-Key`.
struct DeduplicationKeyEntry: Keyed {
    struct Key: Equatable {
        let queue: QueueNumber
        let digest: Digest
    }

    let key: Key
    let content: Digest
    let expires: JournalTime
    let task: TaskID
    let sequence: TaskSequence
    /// Neighbours in the queue's line of keys.
    var next: Slot<DeduplicationKeyEntry> = .none
    var previous: Slot<DeduplicationKeyEntry> = .none

    init(
        key: Key, content: Digest, expires: JournalTime, task: TaskID, sequence: TaskSequence
    ) {
        self.key = key
        self.content = content
        self.expires = expires
        self.task = task
        self.sequence = sequence
    }

    static func hash(of key: Key) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(key.queue)
        hasher.combine(key.digest)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

/// One queue: its declaration, guarantee K's sums, and the lines that run through its tasks and groups.
struct QueueEntry: Sendable {
    var declaration: QueueDeclaration
    var isDeleted = false
    var counters = QueueCounters()
    var pauses: QueuePauses = []
    var pauseActor = ""
    var pauseReason = ""

    var pending: UInt64 = 0
    var leased: UInt64 = 0
    var parked: UInt64 = 0
    var dead: UInt64 = 0
    /// Bytes of the records that its live and finished tasks need.
    var storedBytes: UInt64 = 0
    var groups: UInt64 = 0

    /// In the order in which they became so; after a restart, in the order of their heads' acceptance.
    var ready = GroupLine()
    var backingOff = GroupLine()
    var parkedGroups = GroupLine()
    /// The dead-letter queue, oldest death first.
    var firstDead: Slot<TaskEntry> = .none
    var lastDead: Slot<TaskEntry> = .none
    /// Known keys in the order of their acceptance, which is that of their expiry while the window stays.
    var firstKey: Slot<DeduplicationKeyEntry> = .none
    var lastKey: Slot<DeduplicationKeyEntry> = .none

    init(declaration: QueueDeclaration) { self.declaration = declaration }

    var settings: QueueSettings { declaration.settings }
    var depth: UInt64 { pending + leased + parked }
    /// Groups whose head waits for a retry or is parked.
    var blockedGroups: UInt64 { parkedGroups.count + backingOff.count }
    var delivers: Bool { !pauses.contains(.deliveries) && !pauses.contains(.halted) && !isDeleted }

    subscript(line: GroupEntry.Line) -> GroupLine {
        get {
            switch line {
            case .none: GroupLine()
            case .ready: ready
            case .backingOff: backingOff
            case .parked: parkedGroups
            }
        }
        set {
            switch line {
            case .none: break
            case .ready: ready = newValue
            case .backingOff: backingOff = newValue
            case .parked: parkedGroups = newValue
            }
        }
    }
}

/// One line of a queue's groups.
struct GroupLine: Sendable {
    var first: Slot<GroupEntry> = .none
    var last: Slot<GroupEntry> = .none
    var count: UInt64 = 0
}
