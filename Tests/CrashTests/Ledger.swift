import Glibc
import TaskModel
import WireProtocol

/// The outside world's memory of a broker: what was sent to it and what it said, over all its lives.
struct Ledger: Sendable {
    private(set) var posts: [TaskID: Post] = [:]
    /// In the order of posting.
    private(set) var order: [TaskID] = []
    private(set) var violations: [String] = []
    /// On a full disk, and where history is short, what is over may be forgotten.
    var mayForget = false
    /// Acknowledge whatever comes, held tasks too.
    var isDraining = false
    /// The run of the workers; another one is another process to the broker.
    private(set) var session = SessionID(rawValue: 1)
    /// Peers that the broker has welcomed in this life.
    private(set) var welcomed: Set<Peer> = []

    /// Answers to what was asked in this life, by correlation.
    private(set) var outcomes: [Correlation: EnqueueOutcome] = [:]
    private(set) var cancellations: [Correlation: CancelOutcome] = [:]
    private(set) var lookups: [Correlation: LookupAnswer] = [:]
    private(set) var statuses: [Correlation: BrokerStatus] = [:]

    private var lastCorrelation: Correlation = 0
    private var postByCorrelation: [Correlation: TaskID] = [:]
    private var cancelByCorrelation: [Correlation: TaskID] = [:]
    private var postByReceipt: [Receipt: TaskID] = [:]
    /// In the order of posting, by queue and group.
    private var members: [String: ArraySlice<TaskID>] = [:]
    /// How far each group has come, by queue and group.
    private var reached: [String: TaskSequence] = [:]
    private var lastSequence = TaskSequence(rawValue: 0)

    mutating func note(_ violation: String) { violations.append(violation) }

    /// The broker is started anew; `isNewSession` where the workers are too.
    mutating func beginLife(isNewSession: Bool) {
        welcomed = []
        for id in order where posts[id]?.outcome == nil { posts[id]?.isLost = true }
        if isNewSession { session = SessionID(rawValue: session.rawValue + 1) }
    }

    mutating func nextCorrelation() -> Correlation {
        lastCorrelation += 1
        return lastCorrelation
    }

    mutating func post(
        _ group: String, _ role: Role, queue: String = "tasks", bytes: Int = 100, isKeyed: Bool = false
    ) -> Request {
        let number = order.count + 1
        let random = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let id = TaskID(
            unixMilliseconds: UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec / 1_000_000), random: random)
        let key = Enqueue.KeyDigests(
            key: Digest(high: 7, low: UInt64(number)), content: Digest(high: 8, low: UInt64(number)))
        let post = Post(
            id: id, queue: queue, group: group, role: role,
            payload: Post.payload(number: number, bytes: bytes), key: isKeyed ? key : nil)
        posts[id] = post
        order.append(id)
        members[post.place, default: []].append(id)
        let correlation = nextCorrelation()
        postByCorrelation[correlation] = id
        return .enqueue(post.enqueue(correlation: correlation))
    }

    mutating func cancel(_ id: TaskID) -> Request {
        posts[id]?.isCancelSent = true
        let correlation = nextCorrelation()
        cancelByCorrelation[correlation] = id
        return .cancel(correlation: correlation, id: id, actor: "test")
    }

    /// A worker's first words after a connection: everything it holds or has not seen confirmed, and then its
    /// unconfirmed answers again.
    mutating func hello(of peer: Peer) -> [Request] {
        guard let queue = peer.queue else {
            return [.hello(Hello(role: peer.role, name: "test", session: session))]
        }
        var receipts: [Receipt] = []
        var answers: [Request] = []
        for id in order where posts[id]?.queue == queue && isSameSession(id) {
            for index in posts[id]?.deliveries.indices ?? 0..<0 {
                guard let delivery = posts[id]?.deliveries[index], !delivery.isTaken else { continue }
                posts[id]?.deliveries[index].isClaimed = true
                receipts.append(delivery.receipt)
                if let verdict = delivery.verdict {
                    answers.append(Self.request(verdict, delivery.receipt, id))
                }
            }
        }
        let hello = Hello(
            role: peer.role, name: "worker@\(queue)", session: session, queue: queue, receipts: receipts)
        return [.hello(hello)] + answers + [.credit(tasks: 64)]
    }

    private func isSameSession(_ id: TaskID) -> Bool {
        posts[id]?.deliveries.allSatisfy { $0.session == session } ?? false
    }

    /// Takes in what the broker said; gives what is to be said to it in turn.
    mutating func take(_ reply: Reply, from peer: Peer) -> [Request] {
        switch reply {
        case .welcome: welcomed.insert(peer)
        case .enqueued(let correlation, let outcome): take(outcome, correlation)
        case .cancelled(let correlation, let outcome):
            cancellations[correlation] = outcome
            if let id = cancelByCorrelation[correlation], outcome == .cancelled {
                posts[id]?.isCancelled = true
            }
        case .task(let correlation, let answer): lookups[correlation] = answer
        case .status(let correlation, let status): statuses[correlation] = status
        case .delivery(let task): return take(task)
        case .settled(let receipt, let outcome): take(outcome, of: receipt)
        case .helloRefused(let reason): note("\(peer) was refused: \(reason)")
        case .rejected(let reason): note("\(peer) was not understood: \(reason)")
        case .helloRequired: note("\(peer) was asked for a hello")
        case .queues, .done, .dead, .acted, .payload, .deletion, .blocked, .backup: break
        }
        return []
    }

    private mutating func take(_ outcome: EnqueueOutcome, _ correlation: Correlation) {
        outcomes[correlation] = outcome
        guard let id = postByCorrelation[correlation] else { return }
        posts[id]?.outcome = outcome
        guard case .accepted(let sequence) = outcome else { return }
        if sequence <= lastSequence { note("accepted \(sequence.rawValue) after \(lastSequence.rawValue)") }
        lastSequence = sequence
    }

    private mutating func take(_ outcome: SettleOutcome, of receipt: Receipt) {
        guard let id = postByReceipt[receipt],
            let index = posts[id]?.deliveries.firstIndex(where: { $0.receipt == receipt }),
            let delivery = posts[id]?.deliveries[index]
        else { return note("settled a receipt that was never given") }
        switch outcome {
        case .taken: posts[id]?.deliveries[index].isTaken = true
        case .stale:
            // Named in a hello, it may have been settled before the broker died. Held, it must go on.
            if !delivery.isClaimed || delivery.verdict == nil { return note("the lease of \(id) was lost") }
            // An ack is confirmed once more; of the others this is all that is ever said.
            if delivery.verdict != .ack { posts[id]?.deliveries[index].isTaken = true }
        }
    }

    /// What a lookup says of a task whose post was never answered.
    mutating func learn(_ id: TaskID, _ sequence: TaskSequence) {
        if posts[id]?.outcome == nil { posts[id]?.outcome = .accepted(sequence) }
    }

    mutating func setVerdict(_ verdict: Post.Delivery.Verdict, on receipt: Receipt, of id: TaskID) {
        guard let index = posts[id]?.deliveries.firstIndex(where: { $0.receipt == receipt }) else { return }
        posts[id]?.deliveries[index].verdict = verdict
    }

    static func request(_ verdict: Post.Delivery.Verdict, _ receipt: Receipt, _ id: TaskID) -> Request {
        let failure = Failure(outcome: .exited(status: 3), durationMilliseconds: 1, reason: "as asked")
        switch verdict {
        case .ack: return .ack(receipt: receipt, id: id, result: Array("17".utf8)[...], resultError: "")
        case .nack: return .nack(receipt: receipt, id: id, failure: failure)
        case .reject: return .reject(receipt: receipt, id: id, failure: failure)
        case .release: return .release(receipt: receipt, id: id)
        }
    }
}

// Deliveries.
extension Ledger {
    private mutating func take(_ task: DeliveredTask) -> [Request] {
        guard var post = posts[task.id] else {
            note("delivered \(task.id), which was never posted")
            return []
        }
        check(task, of: post)
        reached[post.place] = max(reached[post.place] ?? task.sequence, task.sequence)
        postByReceipt[task.receipt] = task.id
        var delivery = Post.Delivery(receipt: task.receipt, attempt: task.attempt, session: session)
        delivery.verdict = verdict(on: post)
        post.deliveries.append(delivery)
        posts[task.id] = post
        while let first = members[post.place]?.first, posts[first]?.mayBeOver == true {
            members[post.place]?.removeFirst()
        }
        return delivery.verdict.map { [Self.request($0, task.receipt, task.id)] } ?? []
    }

    private func verdict(on post: Post) -> Post.Delivery.Verdict? {
        switch post.role {
        case .ack, .behind, .cancel: .ack
        case .hold: isDraining ? .ack : nil
        case .reject: .reject
        case .release: post.deliveries.contains { $0.verdict == .release } ? .ack : .release
        case .fail: .nack
        }
    }

    /// The guarantees that one delivery can breach.
    private mutating func check(_ task: DeliveredTask, of post: Post) {
        if !post.hasPayload(task.payload) { note("\(task.id) came with another payload") }
        if task.group != post.group { note("\(task.id) came in another group") }
        if let sequence = post.sequence, sequence != task.sequence { note("\(task.id) changed its place") }
        if post.isRefused { note("\(task.id) was refused and then delivered") }
        if post.isOver { note("\(task.id) came again after its end was confirmed") }
        if post.deliveries.contains(where: { $0.isClaimed && $0.verdict == .ack && $0.session == session }) {
            note("\(task.id) came again although its answer was repeated in the hello")
        }
        if post.deliveries.contains(where: { $0.verdict == nil && $0.session == session }) {
            note("\(task.id) was delivered while it was held")
        }
        if task.attempt <= post.countedDeliveries || task.attempt > task.maxAttempts {
            note("\(task.id) came as attempt \(task.attempt) after \(post.countedDeliveries)")
        }
        if let last = reached[post.place], task.sequence < last {
            note("\(task.id) came after a later task of its group")
        }
        for id in members[post.place] ?? [] where id != task.id {
            guard let other = posts[id], let sequence = other.sequence else { continue }
            // They were accepted in the order of posting.
            guard sequence < task.sequence else { break }
            guard !other.mayBeOver else { continue }
            note("\(task.id) came before \(id), which is ahead of it in the group")
        }
    }
}
