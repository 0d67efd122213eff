package import TaskModel
package import WireProtocol

/// What the ingest knows of the broker, and what it has asked it: the pure half of the connection.
///
/// A request is put into the frame of the current tick; the shell sends that frame and says how that went;
/// replies, losses and deadlines turn into ``Completion``s, one for each request. Nothing is ever sent
/// twice.
package struct BrokerLink<Owner> {
    package enum State: Hashable, Sendable {
        /// Nobody has answered a hello on the present connection.
        case away
        /// The broker has said welcome and named its queues.
        case ready
    }

    /// Why a request was not even tried.
    package enum Refusal: Error, Hashable, Sendable {
        case brokerAway
        /// As much is unanswered as may be.
        case noCredit
    }

    /// The end of a request.
    package struct Completion {
        package let owner: Owner
        package let answer: Answer
    }

    package enum Answer: Hashable, Sendable {
        /// The broker's word about the post of this id.
        case enqueued(TaskID, EnqueueOutcome)
        case task(LookupAnswer)
        case cancelled(CancelOutcome)
        /// It never left: nothing was changed.
        case notSent
        /// It left, and no answer came: nobody knows. The id is a post's.
        case unanswered(TaskID?)
    }

    package struct Limits: Hashable, Sendable {
        package var tasksMax = TaskModel.Limits.ingestCreditTasksMax
        package var bytesMax = TaskModel.Limits.ingestCreditBytesMax
        /// Lookups and cancellations together.
        package var queriesMax = TaskModel.Limits.waitersMax + 2_048
        package var replyMilliseconds: UInt64 = 950
        package init() {}
    }

    private struct Query {
        let owner: Owner
        let deadline: MonotonicTime
    }

    package private(set) var state = State.away
    /// The queues as the broker last published them; kept while it is away.
    package private(set) var queues: [String: QueueListing] = [:]
    package private(set) var limits: Limits
    /// Replies to requests that had been given up.
    package private(set) var lateReplies: UInt64 = 0

    private var isWelcomed = false
    private var frame = FrameWriter()
    /// The correlations in `frame`.
    private var unsent: [Correlation] = []
    /// The correlations in the frame that was taken last, until the shell says how that went.
    private var taken: [Correlation] = []
    private var posts = OutstandingPosts<Owner>()
    private var queries: [Correlation: Query] = [:]
    private var nextCorrelation: Correlation = 1

    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    package var outstandingPosts: Int { posts.count }
    package var outstandingQueries: Int { queries.count }
    package var hasUnsent: Bool { !unsent.isEmpty }

    /// Adds a post to the frame, or says why not; `now` counts its time to wait.
    package mutating func post(
        _ post: NewPost, owner: Owner, now: MonotonicTime
    ) -> Refusal? {
        guard state == .ready else { return .brokerAway }
        guard posts.count < limits.tasksMax, posts.payloadBytes + post.payload.count <= limits.bytesMax else {
            return .noCredit
        }
        let correlation = takeCorrelation()
        posts.add(
            .init(
                owner: owner, id: post.id, payloadBytes: post.payload.count,
                deadline: now.advanced(byMilliseconds: limits.replyMilliseconds)),
            correlation: correlation)
        frame.append(.enqueue(post.enqueue(correlation: correlation)))
        unsent.append(correlation)
        return nil
    }

    /// Asks for a task; with `waitMilliseconds` the broker answers at its final state or after that time.
    package mutating func lookup(
        _ id: TaskID, waitMilliseconds: UInt32, owner: Owner, now: MonotonicTime
    ) -> Refusal? {
        query(owner: owner, deadline: now.advanced(byMilliseconds: UInt64(waitMilliseconds))) { correlation in
            .lookup(correlation: correlation, id: id, waitMilliseconds: waitMilliseconds)
        }
    }

    package mutating func cancel(_ id: TaskID, actor: String, owner: Owner, now: MonotonicTime) -> Refusal? {
        query(owner: owner, deadline: now) { .cancel(correlation: $0, id: id, actor: actor) }
    }

    private mutating func query(
        owner: Owner, deadline: MonotonicTime, _ request: (Correlation) -> Request
    ) -> Refusal? {
        guard state == .ready else { return .brokerAway }
        guard queries.count < limits.queriesMax else { return .noCredit }
        let correlation = takeCorrelation()
        queries[correlation] = Query(
            owner: owner, deadline: deadline.advanced(byMilliseconds: limits.replyMilliseconds))
        frame.append(request(correlation))
        unsent.append(correlation)
        return nil
    }

    private mutating func takeCorrelation() -> Correlation {
        defer { nextCorrelation += 1 }
        return nextCorrelation
    }

    /// True where the frame should go before a payload of so many bytes is added.
    package func isFrameFull(adding bytes: Int) -> Bool {
        frame.isFull(adding: bytes)
    }

    /// Everything asked since the last time, as one frame; nil if that is nothing.
    package mutating func takeFrame() -> [UInt8]? {
        guard !unsent.isEmpty else { return nil }
        swap(&taken, &unsent)
        return frame.take()
    }

    /// Says whether the frame that was taken last left.
    package mutating func frameWasTaken(sent: Bool, into completions: inout [Completion]) {
        defer { taken.removeAll(keepingCapacity: true) }
        if sent { return }
        for correlation in taken {
            if let entry = posts.remove(correlation) {
                completions.append(Completion(owner: entry.owner, answer: .notSent))
            } else if let query = queries.removeValue(forKey: correlation) {
                completions.append(Completion(owner: query.owner, answer: .notSent))
            }
        }
    }

    /// The connection is gone, or a new one has begun: what was asked on the old one will not be answered.
    package mutating func connectionLost(into completions: inout [Completion]) {
        state = .away
        isWelcomed = false
        while let entry = posts.removeOldest(dueAt: nil) {
            completions.append(Completion(owner: entry.owner, answer: .unanswered(entry.id)))
        }
        for query in queries.values {
            completions.append(Completion(owner: query.owner, answer: .unanswered(nil)))
        }
        queries.removeAll(keepingCapacity: true)
        unsent.removeAll(keepingCapacity: true)
        frame = FrameWriter()
    }

    /// The deadline of the post that has waited longest.
    package var earliestPostDeadline: MonotonicTime? { posts.earliestDeadline }

    /// Gives up what has waited too long.
    package mutating func expire(now: MonotonicTime, into completions: inout [Completion]) {
        while let entry = posts.removeOldest(dueAt: now) {
            completions.append(Completion(owner: entry.owner, answer: .unanswered(entry.id)))
        }
        for (correlation, query) in queries where query.deadline <= now {
            queries[correlation] = nil
            completions.append(Completion(owner: query.owner, answer: .unanswered(nil)))
        }
    }

    /// What a frame of the broker's asks of the shell, beside the completions.
    package enum Event: Hashable, Sendable {
        case becameReady
        /// The connection has to say hello again.
        case helloRequired
        case helloRefused(reason: String)
        case requestRejected(reason: String)
    }

    /// Takes one reply in.
    package mutating func receive(_ reply: Reply, into completions: inout [Completion]) -> Event? {
        switch reply {
        case .enqueued(let correlation, let outcome):
            guard let entry = posts.remove(correlation) else { return countLate() }
            completions.append(Completion(owner: entry.owner, answer: .enqueued(entry.id, outcome)))
        case .task(let correlation, let answer):
            guard let query = queries.removeValue(forKey: correlation) else { return countLate() }
            completions.append(Completion(owner: query.owner, answer: .task(answer)))
        case .cancelled(let correlation, let outcome):
            guard let query = queries.removeValue(forKey: correlation) else { return countLate() }
            completions.append(Completion(owner: query.owner, answer: .cancelled(outcome)))
        case .welcome:
            isWelcomed = true
        case .queues(let listings):
            queues = Dictionary(listings.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
            guard isWelcomed, state == .away else { return nil }
            state = .ready
            return .becameReady
        case .helloRequired:
            return .helloRequired
        case .helloRefused(let reason):
            return .helloRefused(reason: reason)
        case .rejected(let reason):
            return .requestRejected(reason: reason)
        case .delivery, .settled, .status, .done, .dead, .acted, .payload, .deletion, .blocked, .backup:
            return .requestRejected(reason: "a message that is not for an ingest")
        }
        return nil
    }

    private mutating func countLate() -> Event? {
        lateReplies += 1
        return nil
    }
}

/// A post that has been checked and is ready for the broker.
package struct NewPost: Hashable, Sendable {
    package var queue: String
    /// Empty: the queue's default group.
    package var group: String
    package var id: TaskID
    package var key: Enqueue.KeyDigests?
    package var traceparent: ArraySlice<UInt8>
    package var payload: ArraySlice<UInt8>

    package init(
        queue: String, group: String = "", id: TaskID, key: Enqueue.KeyDigests? = nil,
        traceparent: ArraySlice<UInt8> = [], payload: ArraySlice<UInt8>
    ) {
        self.queue = queue
        self.group = group
        self.id = id
        self.key = key
        self.traceparent = traceparent
        self.payload = payload
    }

    func enqueue(correlation: Correlation) -> Enqueue {
        Enqueue(
            correlation: correlation, queue: queue, group: group, id: id, key: key, traceparent: traceparent,
            payload: payload)
    }
}
