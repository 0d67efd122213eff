package import ZMTP

/// What a socket bounds; the same at every end, so that there is one behaviour.
package struct SocketLimits: Hashable, Sendable {
    package var session = Session.Limits()
    /// A peer that leaves more than so many bytes unread gets nothing more; a router drops it.
    package var backlogBytesMax = 256 << 20
    /// Connections of one router; another is closed at once.
    package var connectionsMax = 1_024
    /// A peer that has not finished its greeting by then is dropped when the next one comes, milliseconds.
    package var handshakeMilliseconds: UInt64 = 5_000
    /// First pause before a lost connection is tried again, and the longest.
    package var reconnectMilliseconds: UInt64 = 10
    package var reconnectMillisecondsMax: UInt64 = 200

    package init() {}
}
