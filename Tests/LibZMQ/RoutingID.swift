/// Names one connection of a ROUTER socket; libzmq gives each a new one, and nobody chooses their own here.
package struct RoutingID: Hashable, Sendable {
    /// libzmq's own ids are a zero byte and four bytes of a counter.
    private let prefix: UInt8
    private let number: UInt32

    /// Nil where the id is not of libzmq's making: such a peer set an id of its own.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 5, bytes[0] == 0 else { return nil }
        prefix = 0
        number = bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self)
    }

    /// For pure code and its tests, which have no socket.
    package init(number: UInt32) {
        prefix = 0
        self.number = number
    }

    package var rawNumber: UInt32 { number }

    func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: 5, alignment: 1) { buffer in
            buffer[0] = prefix
            buffer.storeBytes(of: number, toByteOffset: 1, as: UInt32.self)
            return body(UnsafeRawBufferPointer(buffer))
        }
    }
}

extension RoutingID: CustomStringConvertible {
    package var description: String { String(UInt32(bigEndian: number), radix: 16) }
}
