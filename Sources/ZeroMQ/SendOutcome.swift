/// What became of a message that was to be sent; only ``sent`` changed anything.
package enum SendOutcome: Hashable, Sendable {
    /// On its way; it is lost if the connection ends before it was read.
    case sent
    /// Too much already waits for the peer to read; a router has dropped it.
    case wouldBlock
    /// Nobody is connected.
    case unreachable
}
