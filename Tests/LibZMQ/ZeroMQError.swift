import CZeroMQ

/// What libzmq refused, with the call and its errno.
package enum ZeroMQError: Error, Hashable, Sendable {
    case callFailed(call: String, errno: CInt)
    /// A unix socket's path holds 107 bytes.
    case endpointTooLong(String)
    /// The socket file could not be given its mode after the bind.
    case modeNotSet(path: String, errno: CInt)
}

extension ZeroMQError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .callFailed(let call, let errno): "\(call): \(String(cString: zmq_strerror(errno)))"
        case .endpointTooLong(let endpoint): "\(endpoint): a unix socket's path has at most 107 bytes"
        case .modeNotSet(let path, let errno): "chmod \(path): \(String(cString: zmq_strerror(errno)))"
        }
    }

    /// Takes libzmq's errno as it stands; to be made straight after the call.
    static func last(_ call: String) -> ZeroMQError { .callFailed(call: call, errno: zmq_errno()) }
}
