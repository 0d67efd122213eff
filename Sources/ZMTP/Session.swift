/// One end of a connection that speaks ZMTP 3.1 with the NULL mechanism: bytes in, messages out.
///
/// Pure; whoever owns the connection brings what was received and sends ``takeOutput()``. libzmq is the other
/// implementation that is met in practice. Source: https://rfc.zeromq.org/spec/37.
package struct Session: Sendable {
    package struct Limits: Hashable, Sendable {
        /// A longer frame ends the connection, bytes.
        package var messageBytesMax: UInt64 = 8 << 20
        package init() {}
    }

    package enum Event: Hashable, Sendable {
        /// Both ends know each other: messages may be sent.
        case established
        case message([UInt8])
    }

    private enum Phase { case greeting, handshake, traffic }

    /// Pings are not answered while so many bytes of our own wait to be sent.
    private static let outputBytesMax = 4_096
    /// An emptied inbox larger than this is given back.
    private static let inboxBytesKept = 256 << 10

    private let type: SocketType
    private let limits: Limits
    private var phase = Phase.greeting
    private var inbox: [UInt8] = []
    /// Where in `inbox` that begins which was not looked at yet.
    private var start = 0
    private var isInsideMessage = false
    private var output = Greeting.own
    /// Messages of more than one frame, which nothing here sends; they were dropped.
    package private(set) var malformedMessages: UInt64 = 0

    package init(_ type: SocketType, limits: Limits = Limits()) {
        self.type = type
        self.limits = limits
    }

    package var isEstablished: Bool { phase == .traffic }

    /// What the protocol itself has to say; to be asked for at the beginning and after each ``next()``.
    package mutating func takeOutput() -> [UInt8] {
        if output.isEmpty { return [] }
        defer { output = [] }
        return output
    }

    package mutating func receive(_ bytes: UnsafeRawBufferPointer) {
        if start > 0 {
            inbox.removeFirst(start)
            start = 0
        }
        inbox.append(contentsOf: bytes)
    }

    /// What the received bytes say, one event a call; nil if more bytes are needed.
    package mutating func next() throws(ProtocolFailure) -> Event? {
        if phase == .greeting, !(try takeGreeting()) { return nil }
        while let (header, body) = try takeFrame() {
            if header.isCommand {
                if let event = try obey(try Command(inbox[body])) { return event }
            } else if phase == .handshake {
                throw .malformed("a message before the handshake")
            } else if header.hasMore || isInsideMessage {
                if !header.hasMore { malformedMessages += 1 }
                isInsideMessage = header.hasMore
            } else {
                return .message(Array(inbox[body]))
            }
        }
        if start == inbox.count {
            start = 0
            inbox.removeAll(keepingCapacity: inbox.capacity <= Self.inboxBytesKept)
        }
        return nil
    }

    private mutating func takeGreeting() throws(ProtocolFailure) -> Bool {
        var failure: ProtocolFailure?
        inbox.withUnsafeBytes { bytes in
            do throws(ProtocolFailure) { try Greeting.check(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        guard inbox.count >= Greeting.bytes else { return false }
        start = Greeting.bytes
        phase = .handshake
        output += Command.ready(type)
        return true
    }

    /// The next frame and where its body lies in `inbox`; nil while it has not come whole.
    private mutating func takeFrame() throws(ProtocolFailure) -> (FrameHeader, Range<Int>)? {
        var failure: ProtocolFailure?
        let header: FrameHeader? = inbox.withUnsafeBytes { bytes in
            do throws(ProtocolFailure) {
                return try FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[start...]))
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        guard let header else { return nil }
        let limit = phase == .handshake ? UInt64(Command.handshakeBytesMax) : limits.messageBytesMax
        guard header.bodyBytes <= limit else { throw .tooLong(header.bodyBytes) }
        let body = start + header.headerBytes..<start + header.headerBytes + Int(header.bodyBytes)
        guard body.upperBound <= inbox.count else { return nil }
        start = body.upperBound
        return (header, body)
    }

    private mutating func obey(_ command: Command) throws(ProtocolFailure) -> Event? {
        switch (command, phase) {
        case (.ready(let other), .handshake):
            guard type.mayTalk(to: other) else { throw .foreignSocketType(other) }
            phase = .traffic
            return .established
        case (.error(let reason), _):
            throw .refused(reason: reason)
        case (.ping(let context), .traffic):
            if output.count < Self.outputBytesMax { output += Command.pong(context) }
            return nil
        case (.other, .traffic):
            return nil
        case (.ready, _), (.ping, _), (.other, _):
            throw .malformed("a command that does not belong here")
        }
    }
}
