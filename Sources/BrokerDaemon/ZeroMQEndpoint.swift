package import LinuxSystem
package import WireProtocol
package import ZeroMQ

/// The broker's three sockets, the monitors on them, and a pidfd for each worker process.
///
/// A connection is a routing id; it gets its number with its first frame. The thread that binds it owns it.
package final class ZeroMQEndpoint: BrokerEndpoint {
    /// How long a dead worker's last frames are looked for, nanoseconds.
    static let lastWordsNanoseconds: UInt64 = 10_000_000

    private struct Connection {
        let role: Int
        let routing: RoutingID
        let descriptor: CInt?
        var process: WatchedProcess?
    }

    private final class WatchedProcess {
        let pidfd: OwnedDescriptor
        /// When it was seen dead, CLOCK_MONOTONIC nanoseconds.
        var diedAt: UInt64?

        init(pidfd: consuming OwnedDescriptor) { self.pidfd = pidfd }
    }

    private struct Origin: Hashable {
        let role: Int
        let routing: RoutingID
    }

    private struct DescriptorName: Hashable {
        let role: Int
        let descriptor: CInt
    }

    private static let roles: [PeerRole] = [.ingest, .worker, .admin]

    private let sockets: [ZMQSocket]
    private let monitors: [ZMQMonitor]
    private let watch: ReadinessWatch
    /// Sockets that may have something to read: flagged by the kernel, or used since they were last asked.
    private var mayRead: [Bool] = roles.map { _ in true }
    private var monitorMayRead: [Bool] = roles.map { _ in true }
    private var connections: [ConnectionID: Connection] = [:]
    private var byOrigin: [Origin: ConnectionID] = [:]
    private var byDescriptor: [DescriptorName: ConnectionID] = [:]
    private var nextConnection: UInt32 = 1
    /// Connections whose monitor said that they are gone, to be reported after their last frames.
    private var gone: [DescriptorName] = []
    private var dying: [ConnectionID] = []

    /// Binds the three sockets, 0660 each; the directory lock must be held, since a second bind steals.
    package init(context: ZMQContext, endpoints: [PeerRole: String], watching descriptors: [CInt]) throws {
        var sockets: [ZMQSocket] = []
        var monitors: [ZMQMonitor] = []
        for role in Self.roles {
            let socket = try ZMQSocket(.router, context: context)
            monitors.append(try ZMQMonitor(socket, context: context))
            if let endpoint = endpoints[role] { try socket.bind(endpoint) }
            sockets.append(socket)
        }
        self.sockets = sockets
        self.monitors = monitors
        watch = try ReadinessWatch(sockets: sockets, monitors: monitors, others: descriptors)
    }

    /// Waits until something is to be received, a watched descriptor is readable, or the time is up (-1:
    /// never).
    ///
    /// Before it sleeps it looks again and again for `spinNanoseconds`: waking a sleeping core costs more
    /// than that where the next frame is on its way.
    package func wait(timeoutMilliseconds: Int, spinNanoseconds: UInt64) throws(SystemError) {
        // libzmq's descriptors are edge-triggered: what came while a socket was used is seen only by asking
        // it.
        for role in sockets.indices where mayRead[role] {
            mayRead[role] = sockets[role].readiness().contains(.readable)
        }
        var patience = timeoutMilliseconds
        if !dying.isEmpty { patience = patience < 0 ? 1 : min(patience, 1) }
        // Deaths and broken connections are looked for also where frames wait already.
        if mayRead.contains(true) { patience = 0 }
        for signal in try watch.wait(timeoutMilliseconds: patience, spinNanoseconds: spinNanoseconds) {
            switch signal {
            case .socket(let role): mayRead[role] = true
            case .monitor(let role): monitorMayRead[role] = true
            case .processEnded(let connection): noteDeath(of: ConnectionID(rawValue: connection))
            case .other: break
            }
        }
    }

    package func receive(limit: Int) -> [NetworkEvent] {
        readMonitors()
        var events: [NetworkEvent] = []
        var isDry = true
        for role in sockets.indices where mayRead[role] {
            var taken = 0
            // The limit is shared, so that no socket starves another.
            while taken * sockets.count < limit, let message = receiveMessage(role) {
                take(message, role: role, into: &events)
                taken += 1
            }
            // Left flagged: only asking the socket tells whether more has come meanwhile.
            if taken * sockets.count >= limit { isDry = false }
        }
        reportGone(into: &events)
        reportDead(afterDrain: isDry, into: &events)
        return events
    }

    /// A socket that fails is not a socket any more: libzmq only fails on a closed context, which this owns.
    private func receiveMessage(_ role: Int) -> ZMQMessage? {
        do {
            return try sockets[role].receive()
        } catch {
            preconditionFailure("a socket of the broker failed: \(error)")
        }
    }

    private func take(_ message: ZMQMessage, role: Int, into events: inout [NetworkEvent]) {
        guard let routing = message.routing else { return }
        let origin = Origin(role: role, routing: routing)
        if let known = byOrigin[origin] {
            events.append(.frame(known, Self.roles[role], message.bytes))
            return
        }
        let connection = ConnectionID(rawValue: nextConnection)
        nextConnection += 1
        let descriptor = sockets[role].lastConnectionDescriptor()
        if let descriptor {
            replaceDescriptor(DescriptorName(role: role, descriptor: descriptor), connection, &events)
        }
        byOrigin[origin] = connection
        connections[connection] = Connection(
            role: role, routing: routing, descriptor: descriptor,
            process: Self.roles[role] == .worker ? watchPeer(of: role, on: connection) : nil)
        events.append(.frame(connection, Self.roles[role], message.bytes))
    }

    /// The kernel reuses descriptors: an older connection on this one is gone, whether or not its monitor has
    /// said so.
    private func replaceDescriptor(
        _ name: DescriptorName, _ connection: ConnectionID, _ events: inout [NetworkEvent]
    ) {
        if let old = byDescriptor[name] {
            if let place = gone.firstIndex(of: name) { gone.remove(at: place) }
            forget(old)
            events.append(.disconnected(old))
        }
        byDescriptor[name] = connection
    }

    private func watchPeer(of role: Int, on connection: ConnectionID) -> WatchedProcess? {
        guard let pid = sockets[role].lastPeer()?.pid, pid > 0 else { return nil }
        do {
            let pidfd = try ProcessControl.openProcess(pid)
            try watch.add(process: pidfd.rawValue, of: connection.rawValue)
            return WatchedProcess(pidfd: pidfd)
        } catch {
            // It has died since it wrote: its leases wait for `reattach` like those of any peer without a
            // pidfd.
            return nil
        }
    }

    private func readMonitors() {
        for (role, monitor) in monitors.enumerated() where monitorMayRead[role] {
            monitorMayRead[role] = false
            while let event = monitor.next() {
                if case .disconnected(let descriptor) = event {
                    gone.append(DescriptorName(role: role, descriptor: descriptor))
                }
            }
        }
    }

    private func noteDeath(of id: ConnectionID) {
        guard let process = connections[id]?.process, process.diedAt == nil else { return }
        process.diedAt = Clocks.monotonicNanoseconds()
        watch.remove(process: process.pidfd.rawValue)
        dying.append(id)
        // Its last frames, and its connection's end, may be there already.
        mayRead = mayRead.map { _ in true }
        monitorMayRead = monitorMayRead.map { _ in true }
    }

    private func reportGone(into events: inout [NetworkEvent]) {
        for name in gone {
            guard let connection = byDescriptor[name], !dying.contains(connection) else { continue }
            forget(connection)
            events.append(.disconnected(connection))
        }
        gone.removeAll { name in byDescriptor[name].map { !dying.contains($0) } ?? true }
    }

    /// A dead worker is reported when its connection is gone and everything it sent was read, or after 10 ms.
    private func reportDead(afterDrain isDry: Bool, into events: inout [NetworkEvent]) {
        guard !dying.isEmpty else { return }
        let now = Clocks.monotonicNanoseconds()
        for id in dying {
            guard let connection = connections[id], let diedAt = connection.process?.diedAt else { continue }
            let isClosed = connection.descriptor.map {
                gone.contains(DescriptorName(role: connection.role, descriptor: $0))
            }
            guard (isDry && isClosed == true) || now - diedAt >= Self.lastWordsNanoseconds else { continue }
            forget(id)
            events.append(.processDied(id))
        }
        dying.removeAll { connections[$0] == nil }
    }

    private func forget(_ id: ConnectionID) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        byOrigin[Origin(role: connection.role, routing: connection.routing)] = nil
        if let descriptor = connection.descriptor {
            let name = DescriptorName(role: connection.role, descriptor: descriptor)
            if byDescriptor[name] == id { byDescriptor[name] = nil }
            gone.removeAll { $0 == name }
        }
        if let process = connection.process, process.diedAt == nil {
            watch.remove(process: process.pidfd.rawValue)
        }
    }

    package func send(_ frame: [UInt8], to connection: ConnectionID) -> FrameOutcome {
        guard let target = connections[connection] else { return .notSent }
        mayRead[target.role] = true
        do {
            switch try sockets[target.role].send(frame, to: target.routing) {
            case .sent: return .sent
            case .wouldBlock, .unreachable: return .notSent
            }
        } catch {
            preconditionFailure("a socket of the broker failed: \(error)")
        }
    }
}
