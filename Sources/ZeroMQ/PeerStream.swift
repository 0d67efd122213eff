private import Glibc
import LinuxSystem
import ZMTP

/// One connection: its unix socket, its end of ZMTP, and what waits to be written.
final class PeerStream {
    /// How far one read got.
    enum Intake {
        case drained
        /// The buffer was filled; there may be more.
        case more
        case ended
    }

    private let socket: StreamSocket
    private let backlogBytesMax: Int
    private var session: Session
    /// What did not fit into the kernel's buffer, from `sent` on.
    private var backlog: [UInt8] = []
    private var sent = 0

    init(_ socket: consuming StreamSocket, _ type: SocketType, limits: SocketLimits) {
        self.socket = socket
        backlogBytesMax = limits.backlogBytesMax
        session = Session(type, limits: limits.session)
        writeOutput()
    }

    var descriptor: CInt { socket.rawValue }
    var isEstablished: Bool { session.isEstablished }
    var malformedMessages: UInt64 { session.malformedMessages }
    /// True while the kernel is to say when it takes more.
    var isWriting: Bool { sent < backlog.count }

    func peer() -> PeerCredentials? { socket.peer() }

    /// Reads once; ``next()`` then says what came.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Intake {
        do throws(SystemError) {
            switch try socket.receive(into: buffer) {
            case .endOfFile: return .ended
            case .wouldBlock: return .drained
            case .read(let count):
                session.receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                return count == buffer.count ? .more : .drained
            }
        } catch {
            return .ended
        }
    }

    func next() throws(ProtocolFailure) -> Session.Event? {
        let event = try session.next()
        writeOutput()
        return event
    }

    private func writeOutput() {
        let output = session.takeOutput()
        guard !output.isEmpty else { return }
        output.withUnsafeBytes { _ = write(UnsafeRawBufferPointer(start: nil, count: 0), $0) }
    }

    /// Sends a message of one frame, whole or not at all.
    func send(_ message: UnsafeRawBufferPointer) -> SendOutcome {
        guard isEstablished else { return .unreachable }
        guard backlog.count - sent <= backlogBytesMax else { return .wouldBlock }
        return FrameHeader.with(messageBytes: message.count) { header in
            write(header, message) ? .sent : .unreachable
        }
    }

    /// False where nobody is there any more; what does not fit is kept.
    private func write(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Bool {
        var written = 0
        if !isWriting {
            do throws(SystemError) {
                if case .wrote(let count) = try socket.send(first, second) { written = count }
            } catch {
                return false
            }
        }
        guard written < first.count + second.count else { return true }
        backlog.append(contentsOf: first.dropFirst(written))
        backlog.append(contentsOf: second.dropFirst(max(0, written - first.count)))
        return true
    }

    /// Writes as much of the backlog as fits; the end of the connection shows when it is read.
    func flush() {
        guard isWriting else { return }
        backlog.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            do throws(SystemError) {
                if case .wrote(let count) = try socket.send(rest, nothing) { sent += count }
            } catch {
                sent = backlog.count
            }
        }
        if sent == backlog.count {
            backlog = []
            sent = 0
        } else if sent >= Self.compactionBytes {
            backlog.removeFirst(sent)
            sent = 0
        }
    }

    private static let compactionBytes = 1 << 20
}
