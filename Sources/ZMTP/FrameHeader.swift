/// What stands before a frame's body: a byte of flags and the body's size.
///
/// Source: RFC 37, "Framing".
package struct FrameHeader: Hashable {
    private enum Flag {
        static let more: UInt8 = 1
        static let long: UInt8 = 2
        static let command: UInt8 = 4
    }

    /// The longest header.
    static let bytesMax = 9

    /// Another frame of the same message follows.
    let hasMore: Bool
    let isCommand: Bool
    let bodyBytes: UInt64
    let headerBytes: Int

    /// Nil while the header has not come whole.
    init?(_ bytes: UnsafeRawBufferPointer) throws(ProtocolFailure) {
        guard let flags = bytes.first else { return nil }
        guard flags & ~(Flag.more | Flag.long | Flag.command) == 0 else {
            throw .malformed("a frame with reserved flags")
        }
        hasMore = flags & Flag.more != 0
        isCommand = flags & Flag.command != 0
        guard !(hasMore && isCommand) else { throw .malformed("a command in more than one frame") }
        if flags & Flag.long != 0 {
            guard bytes.count >= Self.bytesMax else { return nil }
            bodyBytes = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 1, as: UInt64.self))
            headerBytes = Self.bytesMax
        } else {
            guard bytes.count >= 2 else { return nil }
            bodyBytes = UInt64(bytes[1])
            headerBytes = 2
        }
    }

    /// Calls `body` with the header of a message of one frame.
    package static func with<Result>(
        messageBytes: Int, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: bytesMax, alignment: 1) { header in
            if messageBytes < 256 {
                header[0] = 0
                header[1] = UInt8(messageBytes)
                return body(UnsafeRawBufferPointer(rebasing: header[..<2]))
            }
            header[0] = Flag.long
            header.storeBytes(of: UInt64(messageBytes).bigEndian, toByteOffset: 1, as: UInt64.self)
            return body(UnsafeRawBufferPointer(header))
        }
    }

    /// A command of at most 255 bytes, header first.
    static func command(_ body: [UInt8]) -> [UInt8] { [Flag.command, UInt8(body.count)] + body }
}
