import BinaryCoding
import Logging
import NIOCore
import ServiceLog
import TaskModel
import WireProtocol

/// Where the hello on the present connection stands.
struct Greeting {
    var isConnected = false
    /// Counts hellos, so that a timer knows whether it is about the last one.
    var count: UInt64 = 0

    /// For the broker's answer to a hello.
    static let answerMilliseconds: Int64 = 1_000
}

extension IngestFront {
    func brokerConnected() {
        greeting.isConnected = true
        sayHello()
    }

    func brokerLost() {
        if link.state == .ready, !isDraining {
            logger.warning("broker lost", metadata: CatalogMessage.brokerAway.with())
        }
        greeting.isConnected = false
        link.connectionLost(into: &completions)
        deliver()
    }

    /// A frame that cannot be read costs what it held, not the connection.
    func take(_ frame: [UInt8]) {
        do throws(DecodingFailure) {
            var reader = try FrameReader(frame)
            while let reply = try reader.nextReply() {
                if let event = link.receive(reply, into: &completions) { handle(event) }
            }
        } catch {
            logger.error(
                "unreadable frame from the broker",
                metadata: CatalogMessage.frameRefused.with(["error": "\(error)"]))
        }
    }

    private func handle(_ event: BrokerLink<HTTPConnection>.Event) {
        switch event {
        case .becameReady:
            logger.notice("broker connected", metadata: ["queues": "\(link.queues.count)"])
        case .helloRequired:
            link.connectionLost(into: &completions)
            sayHello()
        case .helloRefused(let reason):
            logger.error(
                "hello refused by the broker",
                metadata: CatalogMessage.frameRefused.with(["reason": "\(reason)"]))
        case .requestRejected(let reason):
            logger.error(
                "request rejected by the broker",
                metadata: CatalogMessage.frameRefused.with(["reason": "\(reason)"]))
        }
    }

    /// Introduces this connection, with a session of its own.
    private func sayHello() {
        var frame = FrameWriter()
        let session = SessionID(rawValue: UInt64.random(in: 1...UInt64.max))
        frame.append(.hello(Hello(role: .ingest, name: "ingest", session: session)))
        // Where it does not leave, the connection's end is about to be told.
        guard let broker, broker.send(frame.take()) else { return }
        greeting.count += 1
        expectWelcome(of: greeting.count)
    }

    /// A hello to a broker that is not ready for it is said again.
    private func expectWelcome(of count: UInt64) {
        let front = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(Greeting.answerMilliseconds)) {
            let front = front.value
            guard front.greeting.count == count, front.greeting.isConnected, front.link.state == .away else {
                return
            }
            front.sayHello()
        }
    }
}
