import CZeroMQ
private import Glibc
private import Synchronization

/// A ROUTER or DEALER socket of libzmq, the implementation that ours is held against: whole messages in and
/// out, never blocking.
///
/// One thread uses it at a time: the first to call owns it until ``handOver()``, and a call from another
/// traps.
// Safe to send: every call checks the owning thread, and ownership moves through an atomic with acquire and
// release order, which is the full fence that zmq_socket(3) asks for when a socket migrates.
package final class ZMQSocket: @unchecked Sendable {
    package enum Role: Hashable, Sendable {
        /// Many peers; each message carries the routing id of its connection.
        case router
        /// One peer.
        case dealer
    }

    package enum SendOutcome: Hashable, Sendable {
        case sent
        /// Nobody is connected (DEALER), or the peer's queue is full.
        ///
        /// Nothing left.
        case wouldBlock
        /// No such connection any more (ROUTER).
        ///
        /// Nothing left.
        case unreachable
    }

    package let role: Role
    /// Messages that had not the one frame that a message has here; they were dropped.
    package internal(set) var malformedMessages: UInt64 = 0
    let pointer: UnsafeMutableRawPointer
    private let context: ZMQContext
    let header: UnsafeMutablePointer<zmq_msg_t>
    let body: UnsafeMutablePointer<zmq_msg_t>
    private let owner = Atomic<UInt>(0)

    package init(
        _ role: Role, context: ZMQContext, options: ZMQSocketOptions = ZMQSocketOptions()
    ) throws(ZeroMQError) {
        let type = role == .router ? ZMQ_ROUTER : ZMQ_DEALER
        guard let pointer = zmq_socket(context.pointer, type) else { throw .last("zmq_socket") }
        self.role = role
        self.pointer = pointer
        self.context = context
        header = .allocate(capacity: 1)
        body = .allocate(capacity: 1)
        zmq_msg_init(header)
        zmq_msg_init(body)
        try set(ZMQ_LINGER, CInt(0))
        try set(ZMQ_IMMEDIATE, CInt(1))
        try set(ZMQ_SNDHWM, options.highWaterMarkMessages)
        try set(ZMQ_RCVHWM, options.highWaterMarkMessages)
        try set(ZMQ_MAXMSGSIZE, options.messageBytesMax)
        try set(ZMQ_RECONNECT_IVL, options.reconnectMilliseconds)
        try set(ZMQ_RECONNECT_IVL_MAX, options.reconnectMillisecondsMax)
        try set(ZMQ_HANDSHAKE_IVL, options.handshakeMilliseconds)
        if role == .router { try set(ZMQ_ROUTER_MANDATORY, CInt(1)) }
    }

    deinit {
        zmq_msg_close(header)
        zmq_msg_close(body)
        header.deallocate()
        body.deallocate()
        zmq_close(pointer)
    }

    /// Gives the socket up, so that the next thread that calls may have it.
    package func handOver() {
        checkOwner()
        owner.store(0, ordering: .releasing)
    }

    @inline(__always)
    func checkOwner() {
        let me = UInt(pthread_self())
        if owner.load(ordering: .acquiring) == me { return }
        let (claimed, _) = owner.compareExchange(expected: 0, desired: me, ordering: .acquiringAndReleasing)
        precondition(claimed, "a ZeroMQ socket was used by a thread that does not own it")
    }

    private func set<Value>(_ option: CInt, _ value: Value) throws(ZeroMQError) {
        let status = withUnsafeBytes(of: value) { zmq_setsockopt(pointer, option, $0.baseAddress, $0.count) }
        guard status == 0 else { throw .last("zmq_setsockopt \(option)") }
    }

    /// Listens.
    ///
    /// For an ipc endpoint the socket's file then has `mode`. The directory lock must be held: a second bind
    /// on one path succeeds and steals it.
    package func bind(_ endpoint: String, mode: UInt32 = 0o660) throws(ZeroMQError) {
        checkOwner()
        try Self.check(endpoint)
        guard zmq_bind(pointer, endpoint) == 0 else { throw .last("zmq_bind \(endpoint)") }
        guard let path = Self.path(of: endpoint) else { return }
        guard chmod(path, mode) == 0 else { throw .modeNotSet(path: path, errno: Glibc.errno) }
    }

    /// Connects now or as soon as somebody listens there, again after every loss.
    package func connect(_ endpoint: String) throws(ZeroMQError) {
        checkOwner()
        try Self.check(endpoint)
        guard zmq_connect(pointer, endpoint) == 0 else { throw .last("zmq_connect \(endpoint)") }
    }

    private static func check(_ endpoint: String) throws(ZeroMQError) {
        guard let path = path(of: endpoint), path.utf8.count > 107 else { return }
        throw .endpointTooLong(endpoint)
    }

    private static func path(of endpoint: String) -> String? {
        endpoint.hasPrefix("ipc://") ? String(endpoint.dropFirst("ipc://".count)) : nil
    }
}
