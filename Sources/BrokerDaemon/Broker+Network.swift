import BinaryCoding
import Journal
import QueueStateMachine
import TaskModel
import WireProtocol

/// Frames in: who may say what, and what each message leads to.
extension Broker {
    mutating func handle(_ event: NetworkEvent) throws(JournalError) {
        switch event {
        case .frame(let connection, let role, let bytes): try handleFrame(bytes, from: connection, role: role)
        case .disconnected(let connection):
            guard let peer = peers.removeValue(forKey: connection) else { return }
            endBackup(of: connection)
            if peer.role == .worker {
                let held = state.workerDisconnected(connection.peer, now: clock.monotonic)
                events.append(.workerGone(name: peer.name, queue: peer.queue, died: false, leases: held))
            }
        case .processDied(let connection):
            guard let peer = peers.removeValue(forKey: connection), peer.role == .worker else { return }
            let takeBacks = state.workerDied(connection.peer)
            events.append(
                .workerGone(name: peer.name, queue: peer.queue, died: true, leases: takeBacks.count))
            for takeBack in takeBacks { try perform(.takeBack(takeBack)) }
        }
    }

    /// One bad frame is counted, answered and dropped; it never ends the loop, and what was read of it
    /// counts.
    private mutating func handleFrame(
        _ bytes: [UInt8], from connection: ConnectionID, role: PeerRole
    ) throws(JournalError) {
        var reader: FrameReader
        do {
            reader = try FrameReader(bytes)
        } catch {
            return rejectFrame(from: connection, role: role, "\(error)")
        }
        while true {
            let request: Request?
            do {
                request = try reader.nextRequest()
            } catch {
                return rejectFrame(from: connection, role: role, "\(error)")
            }
            guard let request else { return }
            try handleMessage(request, from: connection, role: role)
        }
    }

    private mutating func rejectFrame(from connection: ConnectionID, role: PeerRole, _ reason: String) {
        counters.badFrames += 1
        events.append(.badFrame(role: "\(role)", reason: reason))
        outbox.append(.rejected(reason: reason), to: connection)
    }

    private mutating func handleMessage(
        _ request: Request, from connection: ConnectionID, role: PeerRole
    ) throws(JournalError) {
        if case .hello(let hello) = request { return try greet(hello, on: connection, socket: role) }
        guard peers[connection] != nil else { return outbox.append(.helloRequired, to: connection) }
        guard request.isAllowed(to: role) else {
            counters.badMessages += 1
            return outbox.append(
                .rejected(reason: "\(request.kind) is not for the \(role) socket"), to: connection)
        }
        try perform(.request(connection, request))
    }

    private mutating func greet(
        _ hello: Hello, on connection: ConnectionID, socket role: PeerRole
    ) throws(JournalError) {
        guard hello.oldestVersion <= WireVersion.current, hello.newestVersion >= WireVersion.oldest else {
            return outbox.append(
                .helloRefused(
                    reason: "this broker speaks versions \(WireVersion.oldest) to \(WireVersion.current), "
                        + "the peer \(hello.oldestVersion) to \(hello.newestVersion)"), to: connection)
        }
        guard hello.role == role else {
            return outbox.append(
                .helloRefused(reason: "this is the \(role) socket, and the peer is \(hello.role)"),
                to: connection)
        }
        var leaseMilliseconds: UInt64 = 0
        var stale: [Receipt] = []
        var takeBacks: [TakeBack] = []
        if role == .worker {
            switch welcomeWorker(hello, on: connection) {
            case .refused(let reason): return outbox.append(.helloRefused(reason: reason), to: connection)
            case .welcomed(let lease, let staleReceipts, let over):
                leaseMilliseconds = lease
                stale = hello.receipts.filter { $0.instance != journal.instance }
                stale += staleReceipts.map { Receipt(instance: journal.instance, lsn: $0) }
                takeBacks = over
            }
            events.append(.workerConnected(name: hello.name, queue: hello.queue))
        }
        peers[connection] = Peer(role: role, name: hello.name, session: hello.session, queue: hello.queue)
        let version = min(WireVersion.current, hello.newestVersion)
        outbox.append(
            .welcome(
                Welcome(version: version, instance: journal.instance, leaseMilliseconds: leaseMilliseconds)),
            to: connection)
        if role == .ingest { outbox.append(.queues(queueListings()), to: connection) }
        for receipt in stale { outbox.append(.settled(receipt: receipt, .stale), to: connection) }
        for takeBack in takeBacks { try perform(.takeBack(takeBack)) }
    }

    private mutating func welcomeWorker(_ hello: Hello, on connection: ConnectionID) -> WorkerArrival {
        state.workerArrived(
            connection.peer, name: hello.name, session: hello.session, queue: hello.queue,
            holding: hello.receipts.filter { $0.instance == journal.instance }.map(\.lsn),
            now: clock.monotonic)
    }

    func queueListings() -> [QueueListing] {
        state.queues.map { queue in
            QueueListing(
                name: queue.name, maxDepth: queue.settings.maxDepth,
                defaultGroup: queue.settings.defaultGroup,
                ingestIsPaused: state.pauses(of: queue.number).contains(.ingest))
        }
    }

    /// Ingest learns of every queue at hello and whenever one changes: once a turn, however many changed.
    mutating func publishQueues() {
        guard queuesChanged else { return }
        queuesChanged = false
        let listings = queueListings()
        for connection in peers.keys.sorted(by: { $0.rawValue < $1.rawValue })
        where peers[connection]?.role == .ingest {
            outbox.append(.queues(listings), to: connection)
        }
    }
}

extension Request {
    /// One socket a role: file permissions say who may connect, this says what a connection may ask.
    fileprivate func isAllowed(to role: PeerRole) -> Bool {
        switch kind {
        case .hello: true
        case .lookup, .cancel: role == .ingest || role == .admin
        case .enqueue: role == .ingest
        case .credit, .ack, .nack, .reject, .release, .renew, .stalled: role == .worker
        case .status, .declareQueue, .pause, .listDead, .act, .redriveEdited, .payload, .deleteQueue,
            .listBlocked, .beginBackup, .keepBackup, .endBackup,
            .declarePlugin, .plugins:
            role == .admin
        }
    }
}
