import CZeroMQ
private import Glibc
private import Synchronization

/// Tells what becomes of a socket's connections.
///
/// Used by the thread that uses the socket.
package final class ZMQMonitor {
    package enum Event: Hashable, Sendable {
        /// A connection was made from here, or taken here.
        case connected(descriptor: CInt)
        case accepted(descriptor: CInt)
        /// The greeting is done: messages flow. libzmq names no descriptor here.
        case handshakeSucceeded
        case handshakeFailed(reason: Int32)
        /// The connection is gone; what it had sent before may still wait to be received, and for a moment
        /// the socket itself does not know and takes sends that nobody gets.
        case disconnected(descriptor: CInt)
        case connectRetried(milliseconds: Int32)
        case closed(descriptor: CInt)
        case other(event: UInt16)
    }

    private static let names = Atomic<UInt64>(0)

    private let monitored: ZMQSocket
    private let context: ZMQContext
    private let pointer: UnsafeMutableRawPointer

    /// Watches a socket from now on.
    ///
    /// At most one monitor a socket.
    package init(_ socket: ZMQSocket, context: ZMQContext) throws(ZeroMQError) {
        let (_, number) = Self.names.wrappingAdd(1, ordering: .relaxed)
        let endpoint = "inproc://taskq-monitor-\(number)"
        socket.checkOwner()
        let events = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED
        let greetings =
            ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
        guard
            zmq_socket_monitor(socket.pointer, endpoint, events | greetings | ZMQ_EVENT_CONNECT_RETRIED) == 0
        else {
            throw .last("zmq_socket_monitor")
        }
        guard let pointer = zmq_socket(context.pointer, ZMQ_PAIR) else { throw .last("zmq_socket") }
        var linger: CInt = 0
        zmq_setsockopt(pointer, ZMQ_LINGER, &linger, MemoryLayout<CInt>.size)
        guard zmq_connect(pointer, endpoint) == 0 else {
            let failure = ZeroMQError.last("zmq_connect \(endpoint)")
            zmq_close(pointer)
            throw failure
        }
        monitored = socket
        self.context = context
        self.pointer = pointer
    }

    deinit {
        zmq_socket_monitor(monitored.pointer, nil, 0)
        zmq_close(pointer)
    }

    /// Becomes readable when events may wait.
    ///
    /// Edge-triggered, as ``ZMQSocket/fileDescriptor``.
    package var fileDescriptor: CInt {
        var descriptor: CInt = -1
        var size = MemoryLayout<CInt>.size
        let status = zmq_getsockopt(pointer, ZMQ_FD, &descriptor, &size)
        precondition(status == 0, "an option of a live socket can be read")
        return descriptor
    }

    /// The next event, nil if none waits.
    package func next() -> Event? {
        var fact: (event: UInt16, value: Int32) = (0, 0)
        // An event is 2 bytes of kind and 4 of value, then a frame with the endpoint.
        let size = withUnsafeTemporaryAllocation(byteCount: 6, alignment: 1) { buffer in
            let size = receive(into: buffer)
            guard size == 6 else { return size }
            fact = (
                buffer.loadUnaligned(as: UInt16.self), buffer.loadUnaligned(fromByteOffset: 2, as: Int32.self)
            )
            return size
        }
        guard size >= 0 else { return nil }
        dropRest()
        return Self.decode(event: fact.event, value: fact.value)
    }

    static func decode(event: UInt16, value: Int32) -> Event {
        switch Int32(event) {
        case ZMQ_EVENT_CONNECTED: .connected(descriptor: value)
        case ZMQ_EVENT_ACCEPTED: .accepted(descriptor: value)
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: .handshakeSucceeded
        case ZMQ_EVENT_DISCONNECTED: .disconnected(descriptor: value)
        case ZMQ_EVENT_CONNECT_RETRIED: .connectRetried(milliseconds: value)
        case ZMQ_EVENT_CLOSED: .closed(descriptor: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL,
            ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            .handshakeFailed(reason: value)
        case _: .other(event: event)
        }
    }

    private func receive(into buffer: UnsafeMutableRawBufferPointer) -> CInt {
        while true {
            let size = zmq_recv(pointer, buffer.baseAddress, buffer.count, ZMQ_DONTWAIT)
            if size >= 0 || zmq_errno() != EINTR { return size }
        }
    }

    private func dropRest() {
        var more: CInt = 1
        var size = MemoryLayout<CInt>.size
        while zmq_getsockopt(pointer, ZMQ_RCVMORE, &more, &size) == 0, more != 0 {
            let status = withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { receive(into: $0) }
            if status < 0 { return }
        }
    }
}
