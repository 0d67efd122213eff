import BrokerDaemon
import TestSupport
import WireProtocol

/// The network of a simulation: connections, and frames on their way in both directions.
///
/// Frames of one connection keep their order, as on a stream socket; how far each has come is the
/// simulation's choice.
final class SimulatedNetwork: BrokerEndpoint {
    private struct Link {
        let role: PeerRole
        var inbound: [[UInt8]] = []
        var outbound: [[UInt8]] = []
        var isOpen = true
    }

    private var links: [ConnectionID: Link] = [:]
    private var notices: [NetworkEvent] = []
    private var next: UInt32 = 1
    private(set) var framesLost = 0

    func connect(_ role: PeerRole) -> ConnectionID {
        let id = ConnectionID(rawValue: next)
        next += 1
        links[id] = Link(role: role)
        return id
    }

    func sendToBroker(_ frame: [UInt8], on connection: ConnectionID) {
        links[connection]?.inbound.append(frame)
    }

    /// Takes the next frame that has arrived at a peer.
    func receiveAtPeer(_ connection: ConnectionID) -> [UInt8]? {
        guard let frame = links[connection]?.outbound.first else { return nil }
        links[connection]?.outbound.removeFirst()
        return frame
    }

    func isOpen(_ connection: ConnectionID) -> Bool { links[connection]?.isOpen ?? false }

    /// Cuts a connection: what is under way is lost, in both directions, but for what the broker may still
    /// read.
    func cut(_ connection: ConnectionID, losingInbound: Bool, processDied: Bool) {
        guard var link = links[connection], link.isOpen else { return }
        framesLost += link.outbound.count + (losingInbound ? link.inbound.count : 0)
        if losingInbound { link.inbound = [] }
        link.outbound = []
        link.isOpen = false
        links[connection] = link
        notices.append(processDied ? .processDied(connection) : .disconnected(connection))
    }

    /// The broker's end is gone: so is everything under way.
    func brokerDied() {
        links = [:]
        notices = []
    }

    func receive(limit: Int) -> [NetworkEvent] {
        var events: [NetworkEvent] = []
        for connection in links.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            guard let link = links[connection] else { continue }
            for frame in link.inbound.prefix(limit) { events.append(.frame(connection, link.role, frame)) }
            links[connection]?.inbound.removeFirst(min(limit, link.inbound.count))
        }
        let ready = notices.filter { notice in
            switch notice {
            case .disconnected(let id), .processDied(let id): links[id]?.inbound.isEmpty ?? true
            case .frame: true
            }
        }
        notices.removeAll { notice in ready.contains { "\($0)" == "\(notice)" } }
        return events + ready
    }

    func send(_ frame: [UInt8], to connection: ConnectionID) -> FrameOutcome {
        guard links[connection]?.isOpen == true else { return .notSent }
        links[connection]?.outbound.append(frame)
        return .sent
    }
}

/// Finishes background jobs when the simulation says so.
final class SimulatedBackground: BackgroundWork {
    private var jobs: [BackgroundJob] = []
    private var results: [BackgroundResult] = []

    var waiting: Int { jobs.count }

    func submit(_ job: BackgroundJob) { jobs.append(job) }

    /// Runs the oldest job; its result is there for the next turn.
    func runOne() {
        guard !jobs.isEmpty else { return }
        results.append(jobs.removeFirst().run())
    }

    func takeResults() -> [BackgroundResult] {
        defer { results = [] }
        return results
    }
}
