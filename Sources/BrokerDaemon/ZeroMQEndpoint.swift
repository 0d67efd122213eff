private import Glibc
package import LinuxSystem
package import WireProtocol
import ZeroMQ

/// The broker's three sockets, and a pidfd for each worker process.
///
/// The thread that makes it owns it.
package final class ZeroMQEndpoint: BrokerEndpoint {
    /// How long a connection's end and its process's death wait for each other, nanoseconds.
    static let lastWordsNanoseconds: UInt64 = 10_000_000

    private final class Connection {
        let role: PeerRole
        /// Watched while it lives.
        var process: OwnedProcess?
        /// When it was seen dead, and when the connection ended, CLOCK_MONOTONIC nanoseconds.
        var diedAt: UInt64?
        var closedAt: UInt64?

        init(role: PeerRole) { self.role = role }
    }

    /// A pidfd in a class, so that a connection can let go of it.
    private final class OwnedProcess {
        let pidfd: OwnedDescriptor
        init(_ pidfd: consuming OwnedDescriptor) { self.pidfd = pidfd }
    }

    /// Listener numbers of the router.
    private static let roles: [PeerRole] = [.ingest, .worker, .admin]
    /// What is watched and is no process; connections are numbered from 1.
    private static let otherToken: RouterSocket.WatchToken = 0

    private let router: RouterSocket
    private var connections: [ConnectionID: Connection] = [:]
    /// Connections that have ended or whose process has died, and of which the broker does not know it yet.
    private var leaving: [ConnectionID] = []

    /// Listens at the three paths, 0660 each; the directory lock must be held, since a second broker would
    /// take the paths over.
    package init(paths: [PeerRole: String], watching descriptors: [CInt]) throws(SystemError) {
        router = try RouterSocket()
        for role in Self.roles {
            guard let path = paths[role] else { preconditionFailure("each role has its socket") }
            try router.listen(at: path)
        }
        for descriptor in descriptors { try router.watch(descriptor, token: Self.otherToken) }
    }

    /// Waits until something is to be received, a watched descriptor is readable, or the time is up (-1:
    /// never); see ``RouterSocket/wait(timeoutMilliseconds:spinNanoseconds:)``.
    package func wait(timeoutMilliseconds: Int, spinNanoseconds: UInt64) throws(SystemError) {
        var patience = timeoutMilliseconds
        if !leaving.isEmpty {
            let most = Int(Self.lastWordsNanoseconds / 1_000_000)
            patience = patience < 0 ? most : min(patience, most)
        }
        let watched = try router.wait(timeoutMilliseconds: patience, spinNanoseconds: spinNanoseconds)
        for token in watched where token != Self.otherToken { noteDeath(of: ConnectionID(rawValue: token)) }
    }

    package func receive(limit: Int) -> [NetworkEvent] {
        var events: [NetworkEvent] = []
        for event in router.receive(limit: limit) {
            switch event {
            case .opened(let number, let listener, let peer):
                open(ConnectionID(rawValue: number), Self.roles[listener], peer)
            case .message(let number, let bytes):
                let id = ConnectionID(rawValue: number)
                guard let connection = connections[id] else { continue }
                events.append(.frame(id, connection.role, bytes))
            case .closed(let number):
                let id = ConnectionID(rawValue: number)
                connections[id]?.closedAt = Clocks.monotonicNanoseconds()
                leaving.append(id)
            }
        }
        if !leaving.isEmpty { reportLeaving(into: &events) }
        return events
    }

    private func open(_ id: ConnectionID, _ role: PeerRole, _ peer: PeerCredentials?) {
        let connection = Connection(role: role)
        connections[id] = connection
        guard role == .worker, let peer else { return }
        do throws(SystemError) {
            let pidfd = try ProcessControl.openProcess(peer.pid)
            try router.watch(pidfd.rawValue, token: id.rawValue)
            connection.process = OwnedProcess(pidfd)
        } catch {
            // It has died since it connected. Without a pidfd for another reason its leases wait for
            // `reattach` like those of any lost connection.
            if error.errno == ESRCH { noteDeath(of: id) }
        }
    }

    private func noteDeath(of id: ConnectionID) {
        guard let connection = connections[id], connection.diedAt == nil else { return }
        connection.diedAt = Clocks.monotonicNanoseconds()
        release(connection)
        leaving.append(id)
    }

    private func release(_ connection: Connection) {
        guard let process = connection.process else { return }
        router.unwatch(process.pidfd.rawValue)
        connection.process = nil
    }

    /// Reports a dead worker when everything that it sent was read, or after 10 ms.
    ///
    /// A child of its may hold the connection open. A lost connection is reported as such once its process
    /// has had 10 ms to die: the kernel closes descriptors first.
    private func reportLeaving(into events: inout [NetworkEvent]) {
        let now = Clocks.monotonicNanoseconds()
        var waiting: [ConnectionID] = []
        let isOver: (UInt64) -> Bool = { now >= $0 + Self.lastWordsNanoseconds }
        for id in leaving {
            guard let connection = connections[id] else { continue }
            switch (connection.diedAt, connection.closedAt) {
            case (.some, .some):
                forget(id)
                events.append(.processDied(id))
            case (.some(let diedAt), nil) where isOver(diedAt):
                events.append(.processDied(id))
            case (nil, .some(let closedAt)) where connection.process == nil || isOver(closedAt):
                forget(id)
                events.append(.disconnected(id))
            case (_, _):
                waiting.append(id)
            }
        }
        leaving = waiting
    }

    private func forget(_ id: ConnectionID) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        release(connection)
    }

    package func send(_ frame: [UInt8], to connection: ConnectionID) -> FrameOutcome {
        switch router.send(frame, to: connection.rawValue) {
        case .sent: .sent
        case .wouldBlock, .unreachable: .notSent
        }
    }
}
