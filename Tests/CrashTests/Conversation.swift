import LibZMQ
import LinuxSystem
import TaskModel
import TestSupport
import WireProtocol

/// The programs that talk to the broker, played by the test.
enum Peer: CaseIterable, Sendable {
    case client, worker, fragileWorker, admin

    var role: PeerRole {
        switch self {
        case .client: .ingest
        case .worker, .fragileWorker: .worker
        case .admin: .admin
        }
    }

    /// The queue that a worker serves.
    var queue: String? {
        switch self {
        case .worker: "tasks"
        case .fragileWorker: "fragile"
        case .client, .admin: nil
        }
    }

    func endpoint(state: String) -> String {
        switch role {
        case .ingest: "ipc://\(state)/run/ingest/ingest.sock"
        case .worker: "ipc://\(state)/run/worker/worker.sock"
        case .admin: "ipc://\(state)/run/admin/admin.sock"
        }
    }
}

/// The outside world during one life of the broker.
///
/// Whatever comes is taken into the ledger at once, and answered as the ledger says. One thread uses it.
final class Conversation {
    enum Failure: Error {
        /// Everything that it had said was read.
        case brokerEnded
        case silence(waitingFor: String)
    }

    var ledger: Ledger
    private let context: ZMQContext
    private let sockets: [Peer: ZMQSocket]
    private var poller = ZMQPoller()
    private let process: OwnedDescriptor
    private let processIndex: ZMQPoller.Index
    private var unsent: [Peer: FrameWriter] = [:]

    static let patience = Duration.seconds(5)

    init(state: String, pid: CInt, ledger: Ledger) throws {
        self.ledger = ledger
        context = try ZMQContext()
        process = try ProcessControl.openProcess(pid)
        processIndex = poller.add(descriptor: process.rawValue)
        var sockets: [Peer: ZMQSocket] = [:]
        for peer in Peer.allCases {
            let socket = try ZMQSocket(.dealer, context: context)
            try socket.connect(peer.endpoint(state: state))
            _ = poller.add(socket)
            sockets[peer] = socket
        }
        self.sockets = sockets
    }

    /// Says it in one frame.
    func say(_ requests: [Request], as peer: Peer) {
        for request in requests { unsent[peer, default: FrameWriter()].append(request) }
    }

    func greet(_ peers: [Peer]) throws {
        for peer in peers { say(ledger.hello(of: peer), as: peer) }
        try until("a welcome for \(peers)") { ledger in peers.allSatisfy(ledger.welcomed.contains) }
    }

    /// Talks until the ledger says so.
    func until(
        _ goal: String, within limit: Duration = patience, _ isReached: (Ledger) -> Bool
    ) throws {
        let deadline = MonotonicDeadline.after(limit)
        while true {
            try flush()
            if isReached(ledger) { return }
            guard MonotonicDeadline.now() < deadline else { throw Failure.silence(waitingFor: goal) }
            // A connection that is not up yet takes nothing, and tells nobody when it would.
            try poller.wait(timeoutMilliseconds: unsent.isEmpty ? 100 : 1)
            let hasEnded = poller.isReadable(processIndex)
            try receive()
            if hasEnded {
                try hearOut()
                throw Failure.brokerEnded
            }
        }
    }

    /// What the dead broker had said may still be on its way through the I/O thread.
    private func hearOut() throws {
        poller.replace(descriptor: -1, at: processIndex)
        while try poller.wait(timeoutMilliseconds: 10) > 0 { try receive() }
    }

    private func receive() throws {
        for (peer, socket) in sockets {
            while let message = try socket.receive() {
                var reader = try FrameReader(message.bytes)
                while let reply = try reader.nextReply() { say(ledger.take(reply, from: peer), as: peer) }
            }
        }
    }

    private func flush() throws {
        for (peer, frame) in unsent {
            if try sockets[peer]?.send(frame.bytes) == .sent { unsent[peer] = nil }
        }
    }
}
