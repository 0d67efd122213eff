import LinuxSystem
import Logging
import NIOCore
import TaskModel
import WireProtocol

/// Everything between the clients' connections and the broker's socket.
///
/// Lives on one event loop.
final class IngestFront {
    /// What the rest of the process is told.
    struct Callbacks {
        /// The broker's socket failed: the process has to end.
        var failed: @Sendable (IngestError) -> Void
        /// Every connection has ended after ``IngestFront/beginDrain()``.
        var drained: @Sendable () -> Void
    }

    let eventLoop: any EventLoop
    let timeouts: IngestOptions.Timeouts
    private(set) var requestLimits: RequestLimits
    private(set) var isDraining = false

    let logger: Logger
    let callbacks: Callbacks
    /// Nil where posts are answered without a queue.
    let broker: BrokerSocket?
    var link: BrokerLink<HTTPConnection>
    /// Answers that wait to be given; never given while the link is being changed.
    var completions: [BrokerLink<HTTPConnection>.Completion] = []
    var greeting = Greeting()

    private var desk: RequestDesk
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    private var maxConnections: Int
    /// Bytes promised to bodies that are on their way.
    private var reservedBodyBytes = 0
    private let unfinishedBytesMax: Int
    private var isFlushScheduled = false
    /// Posts in the frame that is being filled.
    private var postsInFrame = 0
    /// Posts at which a frame leaves before the loop's turn ends.
    private static let eagerFramePosts = 32
    private var isExpiryScheduled = false
    private var sweep: UInt64 = 0
    private var isSweepScheduled = false
    private var unstoredSequence: UInt64 = 0

    init(
        options: IngestOptions, broker: BrokerSocket?, mint: TaskIDMint, eventLoop: any EventLoop,
        logger: Logger,
        callbacks: Callbacks
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.callbacks = callbacks
        self.broker = broker
        timeouts = options.timeouts
        requestLimits = RequestLimits(bodyBytesMax: options.maxBodyBytes)
        maxConnections = options.maxConnections
        unfinishedBytesMax = options.unfinishedBytesMax
        desk = RequestDesk(mint: mint)
        var limits = BrokerLink<HTTPConnection>.Limits()
        limits.replyMilliseconds = options.timeouts.reply
        link = BrokerLink(limits: limits)
    }

    /// For requests and connections that come from now on.
    func reconfigure(maxBodyBytes: Int, maxConnections: Int) {
        requestLimits = RequestLimits(bodyBytesMax: maxBodyBytes)
        self.maxConnections = maxConnections
    }

    func decide(_ request: RequestReader.Request, in bytes: UnsafeRawBufferPointer) -> RequestAction {
        desk.decide(
            request, in: bytes, queues: link.queues, now: WallTime(rawValue: Clocks.wallMilliseconds()))
    }

    /// Answers at once, or asks the broker and answers later.
    func perform(_ action: RequestAction, for connection: HTTPConnection) {
        switch action {
        case .answer(let answer): connection.answer(answer)
        case .tellReadiness: connection.answer(readiness)
        case .post(let post): submit(post, for: connection)
        case .lookup(let id, let wait):
            let refusal = link.lookup(id, waitMilliseconds: wait, owner: connection, now: Self.now())
            queryWasAsked(refusal, for: connection)
        case .cancel(let id):
            let refusal = link.cancel(id, actor: "http", owner: connection, now: Self.now())
            queryWasAsked(refusal, for: connection)
        }
    }

    private func submit(_ post: NewPost, for connection: HTTPConnection) {
        guard broker != nil else {
            unstoredSequence += 1
            let sequence = TaskSequence(rawValue: unstoredSequence)
            connection.answer(CreatedAnswer(id: post.id, sequence: sequence, isStored: false))
            return
        }
        if link.isFrameFull(adding: post.payload.count + 1_024) { sendFrame() }
        if link.post(post, owner: connection, now: Self.now()) != nil {
            connection.answer(HTTPAnswer.refused)
        } else {
            postsInFrame += 1
            // The broker syncs these while the loop still reads the requests behind them.
            if postsInFrame >= Self.eagerFramePosts { sendFrame() }
            scheduleFlush()
        }
    }

    private func queryWasAsked(_ refusal: BrokerLink<HTTPConnection>.Refusal?, for connection: HTTPConnection)
    {
        if refusal == nil { scheduleFlush() } else { connection.answer(HTTPAnswer.brokerSilent) }
    }

    private var readiness: HTTPAnswer {
        guard broker == nil || link.state == .ready else {
            return HTTPAnswer(
                .serviceUnavailable, headers: [.init(name: "Retry-After", value: "1")],
                json: Array(#"{"status":"broker not connected"}"#.utf8))
        }
        return HTTPAnswer(.ok, json: Array(#"{"status":"ready"}"#.utf8))
    }

    static func now() -> MonotonicTime { MonotonicTime(rawValue: Clocks.monotonicNanoseconds()) }
}

extension IngestFront {
    /// Everything asked during one turn of the loop leaves at its end, as one frame or the last of a few.
    private func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        let front = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { front.value.flush() }
    }

    private func flush() {
        isFlushScheduled = false
        sendFrame()
        deliver()
        scheduleExpiry()
    }

    /// Sends what has been asked; what could not leave is answered at the next ``deliver()``.
    func sendFrame() {
        postsInFrame = 0
        guard let broker, let frame = link.takeFrame() else { return }
        let sent = broker.send(frame)
        link.frameWasTaken(sent: sent, into: &completions)
        if !sent { scheduleFlush() }
    }

    /// Gives every answer that is there; answers may lead to new requests.
    func deliver() {
        while !completions.isEmpty {
            let batch = completions
            completions.removeAll()
            for completion in batch { deliver(completion.answer, to: completion.owner) }
        }
    }

    private func deliver(_ answer: BrokerLink<HTTPConnection>.Answer, to connection: HTTPConnection) {
        switch answer {
        case .enqueued(let id, .accepted(let sequence)):
            connection.answer(CreatedAnswer(id: id, sequence: sequence))
        case .enqueued(_, .replayed(let first, let sequence)):
            connection.answer(CreatedAnswer(id: first, sequence: sequence, isReplay: true))
        case .enqueued(_, let outcome): connection.answer(HTTPAnswer(outcome))
        case .task(let answer): connection.answer(HTTPAnswer(answer))
        case .cancelled(let outcome): connection.answer(HTTPAnswer(outcome))
        case .notSent: connection.answer(HTTPAnswer.refused)
        case .unanswered(.some(let id)):
            connection.answer(HTTPAnswer.unknownOutcome(location: "/tasks/\(id)"))
        case .unanswered(.none): connection.answer(HTTPAnswer.brokerSilent)
        }
    }

    /// One timer for all that waits, set to the post that has waited longest; queries are looked at with it.
    private func scheduleExpiry() {
        guard !isExpiryScheduled, link.outstandingPosts + link.outstandingQueries > 0 else { return }
        isExpiryScheduled = true
        let now = Self.now()
        let latest = now.advanced(byMilliseconds: timeouts.reply)
        let due = min(link.earliestPostDeadline ?? latest, latest)
        let nanoseconds = due > now ? due.rawValue - now.rawValue : 0
        let front = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .nanoseconds(Int64(clamping: nanoseconds))) {
            front.value.expire()
        }
    }

    private func expire() {
        isExpiryScheduled = false
        link.expire(now: Self.now(), into: &completions)
        deliver()
        scheduleExpiry()
    }
}

extension IngestFront {
    /// Whether another connection is welcome; nil where it is not even to be told why not.
    var admitsConnection: Bool? {
        if connections.count < maxConnections { return true }
        return connections.count < maxConnections + 64 ? false : nil
    }

    /// Promises memory to a body; false where all of it is promised.
    ///
    /// Small bodies are as cheap as the connection itself and are not counted.
    func reserveBody(bytes: Int) -> Bool {
        guard bytes > Self.smallBodyBytesMax else { return true }
        guard reservedBodyBytes + bytes <= unfinishedBytesMax else { return false }
        reservedBodyBytes += bytes
        return true
    }

    func returnBody(bytes: Int) {
        if bytes > Self.smallBodyBytesMax { reservedBodyBytes -= bytes }
    }

    private static let smallBodyBytesMax = 16 * 1_024

    func add(_ connection: HTTPConnection) {
        connections[ObjectIdentifier(connection)] = connection
        scheduleSweep()
    }

    func remove(_ connection: HTTPConnection) {
        connections[ObjectIdentifier(connection)] = nil
        if isDraining, connections.isEmpty { callbacks.drained() }
    }

    /// The number of the sweep at which so much time has surely passed.
    func deadline(afterMilliseconds milliseconds: UInt64?) -> UInt64? {
        milliseconds.map { sweep + 1 + ($0 + timeouts.sweep - 1) / timeouts.sweep }
    }

    private func scheduleSweep() {
        guard !isSweepScheduled, !connections.isEmpty else { return }
        isSweepScheduled = true
        let front = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(Int64(timeouts.sweep))) { front.value.sweepConnections() }
    }

    private func sweepConnections() {
        isSweepScheduled = false
        sweep += 1
        for connection in connections.values { connection.closeIfOverdue(at: sweep) }
        scheduleSweep()
    }

    /// Ends each connection after the answer that is due on it, or after the time for draining.
    func beginDrain() {
        guard !isDraining else { return }
        isDraining = true
        if connections.isEmpty { return callbacks.drained() }
        for connection in connections.values { connection.drain() }
        let front = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(Int64(timeouts.drain))) {
            for connection in front.value.connections.values { connection.closeNow() }
        }
    }
}
