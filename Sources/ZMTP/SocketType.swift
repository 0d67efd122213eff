/// What a socket does with its messages; the raw values are the handshake's.
package enum SocketType: String, Hashable, Sendable {
    /// Many peers; a message goes to the one that it is addressed to.
    case router = "ROUTER"
    /// One peer.
    case dealer = "DEALER"

    /// RFC 28: which types of socket may be at the two ends of a connection.
    func mayTalk(to other: String) -> Bool {
        switch self {
        case .router: ["REQ", "DEALER", "ROUTER"].contains(other)
        case .dealer: ["REP", "DEALER", "ROUTER"].contains(other)
        }
    }
}
