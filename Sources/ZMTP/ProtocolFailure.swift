/// Why a connection cannot go on; the other end is not heard any further.
package enum ProtocolFailure: Error, Hashable, Sendable {
    /// The first bytes are not ZMTP's signature.
    case notZMTP
    /// The other end speaks a version before 3.
    case oldVersion(UInt8)
    /// The other end wants another security mechanism than NULL.
    case foreignMechanism(String)
    /// The other end's socket type cannot talk to ours.
    case foreignSocketType(String)
    /// The other end said why it refuses us.
    case refused(reason: String)
    /// A frame over the limit, bytes.
    case tooLong(UInt64)
    /// The bytes break a rule of the protocol; the text says which.
    case malformed(String)
}

extension ProtocolFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notZMTP: "the peer does not speak ZMTP"
        case .oldVersion(let major): "the peer speaks ZMTP \(major), at least 3 is needed"
        case .foreignMechanism(let name): "the peer wants the security mechanism \(name), only NULL is spoken"
        case .foreignSocketType(let name): "the peer's socket is a \(name), which cannot talk to this one"
        case .refused(let reason): "the peer refuses the connection: \(reason)"
        case .tooLong(let bytes): "a frame of \(bytes) bytes is over the limit"
        case .malformed(let rule): rule
        }
    }
}
