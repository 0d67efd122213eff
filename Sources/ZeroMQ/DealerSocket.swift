private import Glibc
package import LinuxSystem
private import ZMTP

/// A DEALER: talks to whoever listens at one path, and connects again after every loss.
///
/// One thread uses it; nothing here waits.
package final class DealerSocket {
    package enum Event: Hashable, Sendable {
        /// Messages may be sent.
        case connected
        case message([UInt8])
        /// Everything that came before was given out; what was sent and not answered may be lost.
        case disconnected
    }

    private enum Token {
        static let stream: UInt64 = 1
        static let alarm: UInt64 = 2
    }

    private let path: String
    private let limits: SocketLimits
    private let epoll: Epoll
    /// When to try again.
    private let alarm: TimerDescriptor
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var stream: PeerStream?
    private var pauseMilliseconds: UInt64
    private var asksToWrite = false

    /// Nothing is tried before the first ``receive(into:)``.
    package init(connectingTo path: String, limits: SocketLimits = SocketLimits()) throws(SystemError) {
        self.path = path
        self.limits = limits
        pauseMilliseconds = limits.reconnectMilliseconds
        epoll = try Epoll()
        alarm = try TimerDescriptor()
        try epoll.add(alarm.rawValue, token: Token.alarm, interest: .readable)
        try alarm.arm(atNanoseconds: 1)
    }

    deinit { buffer.deallocate() }

    /// Readable while ``receive(into:)`` has something to do.
    package var descriptor: CInt { epoll.rawValue }

    /// Does all there is to do, and gives what has happened, oldest first.
    package func receive(into events: inout [Event]) throws(SystemError) {
        if stream == nil { try connect() }
        guard let stream else { return }
        stream.flush()
        if hear(stream, &events) {
            try updateInterest()
        } else {
            if stream.isEstablished { events.append(.disconnected) }
            self.stream = nil
            try pause()
        }
    }

    /// Reads all there is; false where the connection has ended, or says what cannot be understood.
    private func hear(_ stream: PeerStream, _ events: inout [Event]) -> Bool {
        do throws(ProtocolFailure) {
            while true {
                let intake = stream.fill(buffer)
                while let event = try stream.next() {
                    switch event {
                    case .established:
                        pauseMilliseconds = limits.reconnectMilliseconds
                        events.append(.connected)
                    case .message(let bytes): events.append(.message(bytes))
                    }
                }
                switch intake {
                case .more: continue
                case .drained: return true
                case .ended: return false
                }
            }
        } catch {
            return false
        }
    }

    private func connect() throws(SystemError) {
        guard try alarm.acknowledge() else { return }
        do throws(SystemError) {
            let socket = try StreamSocket(connectingTo: path)
            let stream = PeerStream(socket, .dealer, limits: limits)
            try epoll.add(stream.descriptor, token: Token.stream, interest: .readable)
            asksToWrite = false
            self.stream = stream
        } catch {
            guard Self.passes(error.errno) else { throw error }
            try pause()
        }
    }

    /// Whether a connection may well succeed later.
    private static func passes(_ errno: CInt) -> Bool {
        [ECONNREFUSED, ENOENT, EAGAIN, EACCES, EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno)
    }

    private func pause() throws(SystemError) {
        try alarm.arm(atNanoseconds: Clocks.monotonicNanoseconds() + pauseMilliseconds * 1_000_000)
        pauseMilliseconds = min(2 * pauseMilliseconds, limits.reconnectMillisecondsMax)
    }

    /// Asks the kernel to say when a backlog can go on, for as long as there is one.
    private func updateInterest() throws(SystemError) {
        guard let stream, stream.isWriting != asksToWrite else { return }
        asksToWrite.toggle()
        try epoll.modify(
            stream.descriptor, token: Token.stream,
            interest: asksToWrite ? [.readable, .writable] : .readable)
    }

    /// Sends one message, whole or not at all.
    package func send(_ bytes: [UInt8]) throws(SystemError) -> SendOutcome {
        guard let stream else { return .unreachable }
        let outcome = bytes.withUnsafeBytes { stream.send($0) }
        try updateInterest()
        return outcome
    }
}
