import CZeroMQ
private import Glibc

/// One message as it came.
package struct ZMQMessage: Hashable, Sendable {
    /// The connection it came on; nil at a DEALER.
    package let routing: RoutingID?
    package let bytes: [UInt8]

    package init(routing: RoutingID?, bytes: [UInt8]) {
        self.routing = routing
        self.bytes = bytes
    }
}

extension ZMQSocket {
    /// The next whole message, nil if none waits.
    ///
    /// What is not one frame is dropped and counted.
    package func receive() throws(ZeroMQError) -> ZMQMessage? {
        checkOwner()
        while try receivePart(into: role == .router ? header : body) {
            var routing: RoutingID?
            if role == .router {
                routing = RoutingID(content(of: header))
                // libzmq delivers messages whole: the next part is there.
                guard zmq_msg_more(header) != 0, try receivePart(into: body), routing != nil else {
                    try dropRest(after: zmq_msg_more(header) != 0 ? body : header)
                    continue
                }
            }
            if zmq_msg_more(body) != 0 {
                try dropRest(after: body)
                continue
            }
            return ZMQMessage(routing: routing, bytes: Array(content(of: body)))
        }
        return nil
    }

    /// Sends one message, all or nothing.
    ///
    /// A ROUTER needs `routing`, a DEALER takes none.
    package func send(_ bytes: [UInt8], to routing: RoutingID? = nil) throws(ZeroMQError) -> SendOutcome {
        var failure: ZeroMQError?
        let outcome = bytes.withUnsafeBytes { content in
            do throws(ZeroMQError) { return try send(content, to: routing) } catch { failure = error }
            return SendOutcome.wouldBlock
        }
        if let failure { throw failure }
        return outcome
    }

    /// As above; the bytes are copied before it returns.
    package func send(_ bytes: UnsafeRawBufferPointer, to routing: RoutingID? = nil) throws(ZeroMQError)
        -> SendOutcome
    {
        checkOwner()
        precondition(
            (role == .router) == (routing != nil), "a ROUTER sends to a connection, a DEALER to its peer")
        if let routing {
            let status = routing.withBytes { sendPart($0, flags: ZMQ_DONTWAIT | ZMQ_SNDMORE) }
            guard status == 0 else { return try refusal(status) }
        }
        let status = sendPart(bytes, flags: ZMQ_DONTWAIT)
        return status == 0 ? .sent : try refusal(status)
    }

    /// 0, or libzmq's errno.
    ///
    /// Signals are retried here.
    private func sendPart(_ bytes: UnsafeRawBufferPointer, flags: CInt) -> CInt {
        while true {
            if zmq_send(pointer, bytes.baseAddress, bytes.count, flags) >= 0 { return 0 }
            let failure = zmq_errno()
            if failure != EINTR { return failure }
        }
    }

    private func refusal(_ failure: CInt) throws(ZeroMQError) -> SendOutcome {
        switch failure {
        case EAGAIN: return .wouldBlock
        case EHOSTUNREACH: return .unreachable
        case let other: throw .callFailed(call: "zmq_send", errno: other)
        }
    }

    private func receivePart(into part: UnsafeMutablePointer<zmq_msg_t>) throws(ZeroMQError) -> Bool {
        while true {
            if zmq_msg_recv(part, pointer, ZMQ_DONTWAIT) >= 0 { return true }
            switch zmq_errno() {
            case EINTR: continue
            case EAGAIN: return false
            case let failure: throw .callFailed(call: "zmq_msg_recv", errno: failure)
            }
        }
    }

    private func dropRest(after part: UnsafeMutablePointer<zmq_msg_t>) throws(ZeroMQError) {
        malformedMessages += 1
        var last = part
        while zmq_msg_more(last) != 0, try receivePart(into: body) { last = body }
    }

    private func content(of part: UnsafeMutablePointer<zmq_msg_t>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: zmq_msg_data(part), count: zmq_msg_size(part))
    }
}
