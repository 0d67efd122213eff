import CZeroMQ

/// libzmq's context: its I/O threads.
///
/// Lives as long as any of its sockets.
// A context may be used from any thread, says zmq_ctx_new(3); the pointer never changes.
package final class ZMQContext: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    package init(ioThreads: Int = 1) throws(ZeroMQError) {
        guard let pointer = zmq_ctx_new() else { throw .last("zmq_ctx_new") }
        self.pointer = pointer
        // libzmq blocks all signals in its own threads, so they go to the process's.
        guard zmq_ctx_set(pointer, ZMQ_IO_THREADS, CInt(ioThreads)) == 0 else { throw .last("zmq_ctx_set") }
    }

    /// Every socket holds its context, so all of them are closed by now, and LINGER 0 leaves nothing to wait
    /// for.
    deinit { _ = zmq_ctx_term(pointer) }
}
