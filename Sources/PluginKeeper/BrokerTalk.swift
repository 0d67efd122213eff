private import Glibc
import LinuxSystem
import TaskModel
import WireProtocol
import ZeroMQ

/// The keeper's conversation with the broker over the admin socket.
final class BrokerTalk {
    enum Event {
        case welcomed
        case lost
        case declared(queue: String, problem: String?)
        /// The broker did not want the keeper, or could not read it.
        case refused(String)
    }

    /// A broker that refused the hello is asked again after this, milliseconds.
    private static let retryMilliseconds: UInt64 = 1_000

    private let socket: DealerSocket
    private let session: SessionID
    private var frame = FrameWriter()
    /// Frames that the socket would not take though there is a connection.
    private var unsent: [[UInt8]] = []
    private var nextCorrelation: Correlation = 1
    private var asked: [Correlation: String] = [:]
    private var isWelcome = false
    private(set) var helloAt: MonotonicTime?

    init(adminSocket path: String) throws(SystemError) {
        socket = try DealerSocket(connectingTo: path)
        session = SessionID(rawValue: try RandomBytes.word())
    }

    var descriptor: CInt { socket.descriptor }

    func declare(_ declaration: PluginDeclaration) {
        asked[nextCorrelation] = declaration.queue
        say(.declarePlugin(correlation: nextCorrelation, declaration))
        nextCorrelation += 1
    }

    func publish(_ presences: [PluginPresence]) {
        say(.plugins(correlation: nextCorrelation, presences))
        nextCorrelation += 1
    }

    private func say(_ request: Request) {
        frame.append(request)
        if frame.count >= Limits.frameBytesMax { unsent.append(frame.take()) }
    }

    /// What has come, with what became of the connection.
    func receive(now: MonotonicTime) throws(SystemError) -> [Event] {
        var happened: [Event] = []
        var events: [DealerSocket.Event] = []
        try socket.receive(into: &events)
        for event in events {
            switch event {
            case .connected: greet()
            case .message(let bytes): read(bytes, &happened, now: now)
            case .disconnected:
                forget()
                if isWelcome { happened.append(.lost) }
                isWelcome = false
            }
        }
        if let helloAt, helloAt <= now { greet() }
        return happened
    }

    private func greet() {
        forget()
        frame.append(.hello(Hello(role: .admin, name: "taskq-plugins", session: session)))
    }

    private func forget() {
        frame = FrameWriter()
        unsent = []
        asked = [:]
        helloAt = nil
    }

    private func read(_ bytes: [UInt8], _ happened: inout [Event], now: MonotonicTime) {
        do {
            var reader = try FrameReader(bytes)
            while let reply = try reader.nextReply() { take(reply, &happened, now: now) }
        } catch {
            happened.append(.refused("the broker sent a frame that cannot be read: \(error)"))
        }
    }

    private func take(_ reply: Reply, _ happened: inout [Event], now: MonotonicTime) {
        switch reply {
        case .welcome:
            isWelcome = true
            happened.append(.welcomed)
        case .helloRequired:
            greet()
        case .helloRefused(let reason):
            helloAt = now.advanced(byMilliseconds: Self.retryMilliseconds)
            happened.append(.refused(reason))
        case .rejected(let reason):
            happened.append(.refused(reason))
        case .done(let correlation, let problem):
            guard let queue = asked.removeValue(forKey: correlation) else { return }
            happened.append(.declared(queue: queue, problem: problem))
        case _:
            // Nothing else answers a keeper.
            return
        }
    }

    func flush() throws(SystemError) {
        if !frame.isEmpty { unsent.append(frame.take()) }
        var sent = 0
        while sent < unsent.count, try socket.send(unsent[sent]) == .sent { sent += 1 }
        unsent.removeFirst(sent)
    }
}
