import BrokerDaemon
import TestSupport
import WireProtocol

/// The network of a simulation: connections, and frames on their way in both directions.
///
/// Frames of one connection keep their order, as on a stream socket; how long each takes is the simulation's
/// choice. What passes the broker's boundary is told to the oracle at that moment.
final class SimulatedNetwork: BrokerEndpoint {
    private final class Link {
        let role: PeerRole
        var outbound: [(arrival: UInt64, replies: [Reply])] = []
        /// False once either end has closed it.
        var isOpen = true
        /// Frames that fit into the outbound direction; a slow peer has few.
        var room = Int.max
        var lastArrivalInbound: UInt64 = 0
        var lastArrivalOutbound: UInt64 = 0
        /// Nanoseconds that a frame takes.
        var delay: UInt64 = 0

        init(role: PeerRole) { self.role = role }
    }

    private enum Inbound {
        case frame([UInt8], [Note])
        case disconnected
        case processDied
    }

    private struct Parcel {
        let arrival: UInt64
        let connection: ConnectionID
        let content: Inbound
    }

    private var links: [ConnectionID: Link] = [:]
    /// What is on its way to the broker, by time of arrival, equal times in the order of sending.
    private var inbox: [Parcel] = []
    private var next: UInt32 = 1
    private(set) var framesLost = 0
    private(set) var framesNotSent = 0
    /// FNV-1a over every frame that the broker sent: two runs of a seed must agree on it.
    private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    weak var world: World?

    func connect(_ role: PeerRole, delay: UInt64 = 0, room: Int = .max) -> ConnectionID {
        let id = ConnectionID(rawValue: next)
        next += 1
        let link = Link(role: role)
        link.delay = delay
        link.room = room
        links[id] = link
        return id
    }

    func isOpen(_ connection: ConnectionID) -> Bool { links[connection]?.isOpen ?? false }

    // The peers' side

    func sendToBroker(_ frame: [UInt8], _ notes: [Note], on connection: ConnectionID) {
        guard let link = links[connection], link.isOpen, let world else { return }
        link.lastArrivalInbound = max(link.lastArrivalInbound, world.time + link.delay)
        enqueue(.frame(frame, notes), at: link.lastArrivalInbound, connection)
    }

    private func enqueue(_ content: Inbound, at arrival: UInt64, _ connection: ConnectionID) {
        var place = inbox.count
        while place > 0, inbox[place - 1].arrival > arrival { place -= 1 }
        inbox.insert(Parcel(arrival: arrival, connection: connection, content: content), at: place)
    }

    /// The replies of the next frame that has arrived at a peer.
    func receiveAtPeer(_ connection: ConnectionID) -> [Reply]? {
        guard let world, let link = links[connection], let first = link.outbound.first,
            first.arrival <= world.time
        else { return nil }
        link.outbound.removeFirst()
        return first.replies
    }

    /// The peer's end is gone.
    ///
    /// Of what it sent the broker may still read a part; what was on its way to it is lost.
    func cut(_ connection: ConnectionID, keepingInbound: Int, processDied: Bool) {
        guard let link = links[connection], link.isOpen, let world else { return }
        link.isOpen = false
        framesLost += link.outbound.count
        link.outbound = []
        var kept = 0
        inbox.removeAll { parcel in
            guard parcel.connection == connection else { return false }
            kept += 1
            if kept > keepingInbound { framesLost += 1 }
            return kept > keepingInbound
        }
        let arrival = max(link.lastArrivalInbound, world.time + link.delay)
        enqueue(processDied ? .processDied : .disconnected, at: arrival, connection)
    }

    /// The broker's end is gone: so is everything under way.
    func brokerDied() {
        framesLost += inbox.count + links.values.reduce(0) { $0 + $1.outbound.count }
        links = [:]
        inbox = []
    }

    /// When the next frame reaches the broker.
    var nextArrival: UInt64? { inbox.first?.arrival }

    // The broker's side

    func receive(limit: Int) -> [NetworkEvent] {
        guard let world else { return [] }
        var events: [NetworkEvent] = []
        let ready = inbox.prefix { $0.arrival <= world.time }.prefix(limit)
        for parcel in ready {
            guard let link = links[parcel.connection] else { continue }
            switch parcel.content {
            case .frame(let bytes, let notes):
                for note in notes { world.oracle.received(note, on: parcel.connection) }
                events.append(.frame(parcel.connection, link.role, bytes))
            case .disconnected:
                world.oracle.disconnected(parcel.connection)
                links[parcel.connection] = nil
                events.append(.disconnected(parcel.connection))
            case .processDied:
                world.oracle.processDied(parcel.connection)
                links[parcel.connection] = nil
                events.append(.processDied(parcel.connection))
            }
        }
        inbox.removeFirst(ready.count)
        return events
    }

    func send(_ frame: [UInt8], to connection: ConnectionID) -> FrameOutcome {
        guard let world else { return .notSent }
        for byte in frame { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let replies = Self.replies(in: frame)
        world.checkDurable()
        let link = links[connection]
        // A closed end whose news has not come yet takes frames that nobody will read.
        let leaves = link.map { $0.outbound.count < $0.room } ?? false
        for reply in replies { world.oracle.sent(reply, to: connection, leaves: leaves) }
        guard leaves, let link else {
            framesNotSent += 1
            return .notSent
        }
        guard link.isOpen else {
            framesLost += 1
            return .sent
        }
        link.lastArrivalOutbound = max(link.lastArrivalOutbound, world.time + link.delay)
        link.outbound.append((link.lastArrivalOutbound, replies))
        return .sent
    }

    private static func replies(in frame: [UInt8]) -> [Reply] {
        var replies: [Reply] = []
        do {
            var reader = try FrameReader(frame)
            while let reply = try reader.nextReply() { replies.append(reply) }
        } catch {
            preconditionFailure("the broker sent a frame that cannot be read: \(error)")
        }
        return replies
    }
}
