/// A frame of the protocol itself: a name and what belongs to it.
///
/// Source: RFC 37, "Commands" and "The NULL security mechanism".
enum Command: Hashable {
    /// The handshake's only word: what kind of socket this is.
    case ready(socketType: String)
    case error(reason: String)
    /// To be answered with its context.
    case ping(context: ArraySlice<UInt8>)
    /// Of later versions, or of sockets that are not spoken of here.
    case other

    /// Longer handshakes than this are refused, bytes; libzmq's take under 100.
    static let handshakeBytesMax = 8_192
    /// A ping's context has at most so many bytes.
    private static let contextBytesMax = 16

    init(_ body: ArraySlice<UInt8>) throws(ProtocolFailure) {
        var rest = body
        switch String(decoding: try Self.take(&rest, sizeBytes: 1), as: UTF8.self) {
        case "READY": self = .ready(socketType: try Self.socketType(rest))
        case "ERROR":
            self = .error(reason: String(decoding: try Self.take(&rest, sizeBytes: 1), as: UTF8.self))
        case "PING":
            // Two bytes say for how long the peer means to be silent.
            guard rest.count >= 2, rest.count <= 2 + Self.contextBytesMax else {
                throw .malformed("a PING of the wrong size")
            }
            self = .ping(context: rest.dropFirst(2))
        case _: self = .other
        }
    }

    static func ready(_ type: SocketType) -> [UInt8] {
        var body: [UInt8] = [5] + Array("READY".utf8)
        // An identity is a name that the peer would like to have; none is asked for.
        for (name, value) in [("Socket-Type", type.rawValue), ("Identity", "")] {
            body.append(UInt8(name.utf8.count))
            body += name.utf8
            body += [0, 0, 0, UInt8(value.utf8.count)]
            body += value.utf8
        }
        return FrameHeader.command(body)
    }

    static func pong(_ context: ArraySlice<UInt8>) -> [UInt8] {
        FrameHeader.command([4] + Array("PONG".utf8) + context)
    }

    /// The one property of a handshake that counts; names are compared without regard to case.
    private static func socketType(_ properties: ArraySlice<UInt8>) throws(ProtocolFailure) -> String {
        var rest = properties
        while !rest.isEmpty {
            let name = String(decoding: try take(&rest, sizeBytes: 1), as: UTF8.self)
            let value = try take(&rest, sizeBytes: 4)
            if name.lowercased() == "socket-type" { return String(decoding: value, as: UTF8.self) }
        }
        throw .malformed("a handshake without Socket-Type")
    }

    /// Takes bytes off that stand behind their count, big-endian in `sizeBytes` bytes.
    private static func take(
        _ rest: inout ArraySlice<UInt8>, sizeBytes: Int
    ) throws(ProtocolFailure) -> ArraySlice<UInt8> {
        guard rest.count >= sizeBytes else { throw .malformed("a command that ends too early") }
        let size = rest.prefix(sizeBytes).reduce(0) { $0 << 8 | Int($1) }
        rest = rest.dropFirst(sizeBytes)
        guard rest.count >= size else { throw .malformed("a command that ends too early") }
        defer { rest = rest.dropFirst(size) }
        return rest.prefix(size)
    }
}
