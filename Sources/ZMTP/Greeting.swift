/// The 64 bytes with which each end of a connection begins.
///
/// Source: RFC 37, "Version negotiation".
enum Greeting {
    static let bytes = 64
    private static let mechanismRange = 12..<32
    private static let mechanism = Array("NULL".utf8)

    /// Version 3.1, mechanism NULL.
    static let own: [UInt8] = {
        var greeting = [UInt8](repeating: 0, count: bytes)
        greeting[0] = 0xFF
        greeting[9] = 0x7F
        greeting[10] = 3
        greeting[11] = 1
        greeting.replaceSubrange(mechanismRange.lowerBound..<mechanismRange.lowerBound + 4, with: mechanism)
        return greeting
    }()

    /// Checks as much of a greeting as has come, so that a stranger is known by its first byte.
    ///
    /// A later version than 3 is one that speaks 3 to us.
    static func check(_ received: UnsafeRawBufferPointer) throws(ProtocolFailure) {
        if let first = received.first, first != 0xFF { throw .notZMTP }
        if received.count > 9, received[9] & 1 == 0 { throw .notZMTP }
        if received.count > 10, received[10] < 3 { throw .oldVersion(received[10]) }
        guard received.count >= bytes else { return }
        let name = received[mechanismRange].prefix { $0 != 0 }
        guard name.elementsEqual(mechanism) else {
            throw .foreignMechanism(String(decoding: name, as: UTF8.self))
        }
    }
}
