import BinaryCoding
import Logging
import NIOCore
import TaskModel
import WireProtocol
import ZeroMQ

/// Where the hello on the present connection stands.
struct Greeting {
    var isConnected = false
    var isDue = false
    var isRetryScheduled = false
    /// Counts hellos, so that a timer knows whether it is about the last one.
    var count: UInt64 = 0

    /// For the broker's answer to a hello, and for a refused hello to be tried again.
    static let answerMilliseconds: Int64 = 1_000
    /// The connection is announced a moment before the socket can send on it.
    static let retryMilliseconds: Int64 = 20
}

extension IngestFront {
    /// The broker's socket woke up: takes all it has, as its edge-triggered descriptor demands.
    func brokerWoke() {
        while let change = broker?.nextChange() {
            // What was sent before the connection ended counts.
            receiveReplies()
            connectionChanged(change)
        }
        receiveReplies()
        sayHello()
        deliver()
    }

    private func connectionChanged(_ change: BrokerSocket.Change) {
        if link.state == .ready { logger.warning("broker lost") }
        link.connectionLost(into: &completions)
        switch change {
        case .connected:
            greeting.isConnected = true
            greeting.isDue = true
        case .disconnected:
            greeting.isConnected = false
            greeting.isDue = false
        }
    }

    func receiveReplies() {
        guard let broker else { return }
        do throws(ZeroMQError) {
            while let frame = try broker.receive() { take(frame) }
        } catch {
            callbacks.failed(.brokerSocketFailed("\(error)"))
        }
    }

    /// A frame that cannot be read costs what it held, not the connection.
    private func take(_ frame: [UInt8]) {
        do throws(DecodingFailure) {
            var reader = try FrameReader(frame)
            while let reply = try reader.nextReply() {
                if let event = link.receive(reply, into: &completions) { handle(event) }
            }
        } catch {
            logger.error("unreadable frame from the broker", metadata: ["error": "\(error)"])
        }
    }

    private func handle(_ event: BrokerLink<HTTPConnection>.Event) {
        switch event {
        case .becameReady:
            logger.notice("broker connected", metadata: ["queues": "\(link.queues.count)"])
        case .helloRequired:
            link.connectionLost(into: &completions)
            greeting.isDue = true
            sayHello()
        case .helloRefused(let reason):
            logger.error("hello refused by the broker", metadata: ["reason": "\(reason)"])
        case .requestRejected(let reason):
            logger.error("request rejected by the broker", metadata: ["reason": "\(reason)"])
        }
    }

    /// Introduces this connection, with a session of its own.
    private func sayHello() {
        guard greeting.isDue, let broker else { return }
        var frame = FrameWriter()
        let session = SessionID(rawValue: UInt64.random(in: 1...UInt64.max))
        frame.append(.hello(Hello(role: .ingest, name: "ingest", session: session)))
        do throws(ZeroMQError) {
            guard try broker.send(frame.take()) else { return scheduleHello(in: Greeting.retryMilliseconds) }
        } catch {
            return callbacks.failed(.brokerSocketFailed("\(error)"))
        }
        greeting.isDue = false
        greeting.count += 1
        expectWelcome(of: greeting.count)
        receiveReplies()
    }

    private func scheduleHello(in milliseconds: Int64) {
        guard !greeting.isRetryScheduled else { return }
        greeting.isRetryScheduled = true
        let front = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(milliseconds)) {
            front.value.greeting.isRetryScheduled = false
            front.value.sayHello()
            front.value.deliver()
        }
    }

    /// A hello into a dying connection, or to a broker that is not ready for it, is said again.
    private func expectWelcome(of count: UInt64) {
        let front = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(Greeting.answerMilliseconds)) {
            let front = front.value
            guard front.greeting.count == count, front.greeting.isConnected, front.link.state == .away else {
                return
            }
            front.greeting.isDue = true
            front.sayHello()
            front.deliver()
        }
    }
}
