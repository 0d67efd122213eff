import CZeroMQ
private import Glibc

/// Waits for sockets, monitors and plain descriptors together.
///
/// The set is fixed as it is built; one thread uses it.
package struct ZMQPoller {
    /// A member's place, as ``add(_:)-1`` gave it.
    package typealias Index = Int

    private var items: [zmq_pollitem_t] = []
    // Held so that no item outlives what it points to.
    private var sockets: [ZMQSocket] = []

    package init() {}

    package mutating func add(_ socket: ZMQSocket) -> Index {
        sockets.append(socket)
        return append(zmq_pollitem_t(socket: socket.pointer, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0))
    }

    /// The caller keeps the descriptor open for as long as it is polled.
    package mutating func add(descriptor: CInt) -> Index {
        append(zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0))
    }

    private mutating func append(_ item: zmq_pollitem_t) -> Index {
        items.append(item)
        return items.count - 1
    }

    /// Changes which descriptor a place stands for; -1 leaves it out.
    package mutating func replace(descriptor: CInt, at index: Index) {
        items[index].fd = descriptor
    }

    /// How many are readable; 0 after the timeout (milliseconds, -1 for ever) and after a signal.
    @discardableResult
    package mutating func wait(timeoutMilliseconds: Int) throws(ZeroMQError) -> Int {
        for socket in sockets { socket.checkOwner() }
        let count = zmq_poll(&items, CInt(items.count), timeoutMilliseconds)
        guard count < 0 else { return Int(count) }
        for index in items.indices { items[index].revents = 0 }
        guard zmq_errno() == EINTR else { throw .last("zmq_poll") }
        return 0
    }

    /// What ``wait(timeoutMilliseconds:)`` found.
    ///
    /// An error or hang-up counts as readable: the read will tell.
    package func isReadable(_ index: Index) -> Bool { items[index].revents != 0 }
}
