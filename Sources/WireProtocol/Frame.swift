package import BinaryCoding
import TaskModel

/// Builds one ZeroMQ frame of many messages (docs/wire-protocol.md).
///
///     frame   = version u8, message*
///     message = length u32 (of kind and body), kind u8, body
///
/// A frame is valid if and only if its version is one this build reads and its messages end exactly at its
/// end.
package struct FrameWriter: Sendable {
    private var writer: ByteWriter
    /// What an idle connection keeps after a large frame, bytes.
    private static let reserveMax = 32_768

    package init() { self.init(reservingCapacity: 256) }

    private init(reservingCapacity capacity: Int) {
        writer = ByteWriter(reservingCapacity: capacity)
        writer.write(WireVersion.current)
    }

    package var isEmpty: Bool { writer.count == 1 }
    package var count: Int { writer.count }
    package var bytes: [UInt8] { writer.bytes }

    /// True where another message of so many bytes belongs into a new frame.
    ///
    /// One message alone may exceed the bound.
    package func isFull(adding bytes: Int = 0) -> Bool {
        !isEmpty && writer.count + bytes > Limits.frameBytesMax
    }

    /// Hands the frame out and starts the next one, with room for as much again: under load frames are alike.
    package mutating func take() -> [UInt8] {
        let frame = writer.bytes
        self = FrameWriter(reservingCapacity: min(max(frame.count, 256), Self.reserveMax))
        return frame
    }

    package mutating func append(_ request: Request) {
        message(kind: request.kind.rawValue) { request.encodeBody(to: &$0) }
    }

    package mutating func append(_ reply: Reply) {
        message(kind: reply.kind.rawValue) { reply.encodeBody(to: &$0) }
    }

    @inline(__always)
    private mutating func message(kind: UInt8, body: (inout ByteWriter) -> Void) {
        let start = writer.count
        writer.write(UInt32(0))
        writer.write(kind)
        body(&writer)
        writer.overwrite(UInt32(writer.count - start - 4), at: start)
    }
}

/// Reads the messages of one frame, one at a time; any bytes give messages or a failure, never a trap.
package struct FrameReader: Sendable {
    private var reader: ByteReader

    /// Fails on an empty frame or a version that this build does not read.
    package init(_ frame: [UInt8]) throws(DecodingFailure) {
        reader = ByteReader(frame)
        let version: UInt8 = try reader.read()
        guard (WireVersion.oldest...WireVersion.current).contains(version) else {
            throw .unknown(kind: "wire version", value: UInt64(version))
        }
    }

    /// The next request, or nil at the end.
    ///
    /// After a failure the rest of the frame is not to be trusted.
    package mutating func nextRequest() throws(DecodingFailure) -> Request? {
        guard let message = try nextMessage() else { return nil }
        let kind = message.kind
        var body = message.body
        guard let known = Request.Kind(rawValue: kind) else {
            throw .unknown(kind: "request", value: UInt64(kind))
        }
        let request = try Request(known, from: &body)
        try body.expectEnd()
        return request
    }

    /// The next reply, or nil at the end.
    package mutating func nextReply() throws(DecodingFailure) -> Reply? {
        guard let message = try nextMessage() else { return nil }
        let kind = message.kind
        var body = message.body
        guard let known = Reply.Kind(rawValue: kind) else {
            throw .unknown(kind: "reply", value: UInt64(kind))
        }
        let reply = try Reply(known, from: &body)
        try body.expectEnd()
        return reply
    }

    private mutating func nextMessage() throws(DecodingFailure) -> (kind: UInt8, body: ByteReader)? {
        if reader.isAtEnd { return nil }
        let length: UInt32 = try reader.read()
        guard length >= 1 else { throw .malformed("message without a kind") }
        var content = ByteReader(try reader.readRaw(Int(length)))
        return (try content.read(), content)
    }
}
