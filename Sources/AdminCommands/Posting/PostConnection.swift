import Glibc
import LinuxSystem

/// One connection with posts on their way: sent without waiting for the answers before them, answered in
/// their order.
final class PostConnection {
    /// What the connection's reader found.
    enum Event {
        case answered(PostedLine, HTTPResponse)
        /// The server takes no more on this connection: these were surely not looked at.
        case closing(unsent: [PostedLine])
        /// It broke: these may or may not have been taken.
        case broken(unknown: [PostedLine], reason: String)
    }

    /// Posts at a time on one connection; the server reads no farther ahead than one piece.
    static let depthMax = 64
    static let bytesMax = 1 << 20

    private let socket: OwnedDescriptor
    private var outgoing: [UInt8] = []
    private var sent = 0
    private var incoming: [UInt8] = []
    private var waiting: [PostedLine] = []
    private var waitingBytes = 0
    /// Nanoseconds of CLOCK_MONOTONIC.
    private(set) var lastUse = Clocks.monotonicNanoseconds()

    init(_ socket: consuming OwnedDescriptor) {
        self.socket = socket
    }

    var descriptor: CInt { socket.rawValue }
    var depth: Int { waiting.count }
    /// What `poll` is to look for.
    var interest: Int16 { Int16(POLLIN | (outgoing.isEmpty ? 0 : POLLOUT)) }

    func hasRoom(for bytes: Int) -> Bool {
        waiting.isEmpty || (waiting.count < Self.depthMax && waitingBytes + bytes <= Self.bytesMax)
    }

    /// The request goes out with the next ``turn()``.
    func add(_ line: PostedLine, head: [UInt8]) {
        waiting.append(line)
        waitingBytes += line.body.count
        lastUse = Clocks.monotonicNanoseconds()
        outgoing += head
        outgoing += line.body
    }

    /// Sends and reads what can be now.
    func turn() -> [Event] {
        var failure: SystemError?
        do throws(SystemError) {
            try sendSome()
        } catch {
            // The server may have said why before it hung up: what it said is read first.
            failure = error
            outgoing = []
            sent = 0
        }
        var events: [Event] = []
        do {
            let isOpen = try receiveSome()
            while let response = try HTTPResponse.takeFirst(from: &incoming) {
                guard !waiting.isEmpty else { throw HTTPResponse.Failure.malformed("unasked answer") }
                let line = waiting.removeFirst()
                waitingBytes -= line.body.count
                lastUse = Clocks.monotonicNanoseconds()
                events.append(.answered(line, response))
                if response.header("connection")?.lowercased() == "close" {
                    return events + [.closing(unsent: giveUp())]
                }
            }
            if isOpen, failure == nil { return events }
            if waiting.isEmpty { return events + [.closing(unsent: [])] }
            let reason = failure.map { SystemError.text(of: $0.errno) } ?? "the server hung up"
            return events + [.broken(unknown: giveUp(), reason: reason)]
        } catch let error as SystemError {
            return events + [.broken(unknown: giveUp(), reason: SystemError.text(of: error.errno))]
        } catch {
            return events + [.broken(unknown: giveUp(), reason: "the answer is no HTTP (\(error))")]
        }
    }

    /// The lines without an answer.
    func giveUp() -> [PostedLine] {
        defer { waiting = [] }
        return waiting
    }

    private func sendSome() throws(SystemError) {
        while sent < outgoing.count {
            let count = outgoing[sent...].withUnsafeBytes { rest in
                Glibc.send(socket.rawValue, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                throw SystemError("send")
            }
        }
        outgoing.removeAll(keepingCapacity: true)
        sent = 0
    }

    /// False at the end.
    private func receiveSome() throws(SystemError) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            switch try FileText.readPiece(socket.rawValue, into: &chunk) {
            case .read(let count): incoming += chunk[..<count]
            case .endOfFile: return false
            case .wouldBlock: return true
            }
        }
    }
}
