/// What is set on a socket before it binds or connects.
///
/// The same at every end, so that there is one behaviour.
package struct ZMQSocketOptions: Hashable, Sendable {
    /// Messages waiting per connection in each direction; credit keeps the real number far below.
    package var highWaterMarkMessages: Int32 = 8_192
    /// A longer message ends the connection it came on.
    package var messageBytesMax: Int64 = 8 << 20
    /// First pause before a lost connection is tried again, and the longest.
    package var reconnectMilliseconds: Int32 = 10
    package var reconnectMillisecondsMax: Int32 = 200
    /// A peer that has not finished its greeting by then is dropped.
    package var handshakeMilliseconds: Int32 = 5_000

    package init() {}
}
