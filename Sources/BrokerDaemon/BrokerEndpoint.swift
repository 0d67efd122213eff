package import QueueStateMachine
package import WireProtocol

/// Names one connection for as long as the broker runs; never reused.
package struct ConnectionID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The state machine's name for a worker on this connection.
    package var peer: PeerID { PeerID(rawValue: rawValue) }
}

/// What the network had to tell.
package enum NetworkEvent: Sendable {
    /// A frame arrived at the socket of this role.
    case frame(ConnectionID, PeerRole, [UInt8])
    /// The connection is gone; its process may live on and come back.
    case disconnected(ConnectionID)
    /// The process at the other end is dead, and everything it sent has been delivered before this.
    case processDied(ConnectionID)
}

package enum FrameOutcome: Hashable, Sendable {
    /// Handed to the transport; it may still be lost.
    case sent
    /// It did not leave and never will.
    case notSent
}

/// The broker's side of the network.
///
/// Conformers: ``ZeroMQEndpoint`` and the simulation's network.
package protocol BrokerEndpoint {
    /// What has arrived, oldest first; at most `limit` events, without waiting.
    mutating func receive(limit: Int) -> [NetworkEvent]
    mutating func send(_ frame: [UInt8], to connection: ConnectionID) -> FrameOutcome
}
