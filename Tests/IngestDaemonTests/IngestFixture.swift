import Configuration
import LibZMQ
import Logging
import TaskModel
import TestSupport
import WireProtocol

@testable import IngestDaemon

/// A broker in a test's hands: a real ROUTER on a real ipc socket.
///
/// Used by the test's own thread.
final class FakeBroker {
    let path: String
    private let context: ZMQContext
    private var socket: ZMQSocket?
    private var peer: RoutingID?
    private(set) var requests: [Request] = []
    private(set) var hellos: [Hello] = []
    /// How many messages each frame had, hellos left out.
    private(set) var frameSizes: [Int] = []
    /// Answers each hello at once.
    var welcomes = true
    var queues = ["tasks", "mail"]

    init(_ directory: TemporaryDirectory) throws {
        context = try ZMQContext()
        path = directory.path("ingest.sock")
    }

    func open() throws {
        let socket = try ZMQSocket(.router, context: context)
        try socket.bind("ipc://\(path)")
        self.socket = socket
    }

    /// As a crash does: connections are gone, and so is everything on its way.
    func close() {
        socket = nil
        peer = nil
    }

    func say(_ replies: Reply...) throws { try say(replies) }

    func say(_ replies: [Reply]) throws {
        guard let socket, let peer else { throw Unmet("no ingest is connected") }
        var frame = FrameWriter()
        for reply in replies { frame.append(reply) }
        guard try socket.send(frame.take(), to: peer) == .sent else { throw Unmet("the frame did not leave") }
    }

    func sayBytes(_ bytes: [UInt8]) throws {
        guard let socket, let peer else { throw Unmet("no ingest is connected") }
        _ = try socket.send(bytes, to: peer)
    }

    /// Receives until the condition holds of what has come.
    func wait(_ what: String, until condition: () throws -> Bool) throws {
        let deadline = MonotonicDeadline.after(.seconds(20))
        while true {
            try receiveAll()
            if try condition() { return }
            guard let socket, MonotonicDeadline.now() < deadline else {
                throw Unmet("waited in vain for \(what); came: \(requests)")
            }
            var poller = ZMQPoller()
            _ = poller.add(socket)
            try poller.wait(timeoutMilliseconds: 20)
        }
    }

    private func receiveAll() throws {
        while let message = try socket?.receive() {
            peer = message.routing
            var reader = try FrameReader(message.bytes)
            let before = requests.count
            while let request = try reader.nextRequest() { try take(request) }
            if requests.count > before { frameSizes.append(requests.count - before) }
        }
    }

    private func take(_ request: Request) throws {
        guard case .hello(let hello) = request else { return requests.append(request) }
        hellos.append(hello)
        if welcomes { try welcome() }
    }

    func welcome() throws {
        let listings = queues.map {
            QueueListing(name: $0, maxDepth: 10, defaultGroup: .queue, ingestIsPaused: false)
        }
        let welcome = Welcome(instance: JournalInstance(rawValue: 77), leaseMilliseconds: 0)
        try say(.welcome(welcome), .queues(listings))
    }

    var posts: [Enqueue] {
        requests.compactMap { if case .enqueue(let enqueue) = $0 { enqueue } else { nil } }
    }

    /// Waits for the post of this number, from 0, and answers it.
    @discardableResult
    func answerPost(_ number: Int, _ outcome: EnqueueOutcome) throws -> Enqueue {
        try wait("post \(number)") { posts.count > number }
        try say(.enqueued(correlation: posts[number].correlation, outcome: outcome))
        return posts[number]
    }
}

/// What a test waited for and did not get.
struct Unmet: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// An ingest in this process, its broker and its clients, for the time of a closure.
struct IngestFixture {
    let server: IngestServer
    let broker: FakeBroker
    let address: SocketAddress
    let directory: TemporaryDirectory

    static let task = #"{"title":"a","description":"b","priority":"low"}"#

    /// With `connected`, the broker has welcomed the ingest before `body` begins.
    static func with(
        connected: Bool = true, _ adjust: (inout IngestOptions) -> Void = { _ in },
        _ body: (IngestFixture) throws -> Void
    ) throws {
        try TemporaryDirectory.with { directory in
            let broker = try FakeBroker(directory)
            var options = IngestOptions(
                listen: ListenAddress(host: "127.0.0.1", port: 0), brokerSocket: broker.path)
            adjust(&options)
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            let server = try IngestServer(options, logger: logger)
            defer {
                try? server.shutdown()  // ignoring: the test has its outcome
            }
            guard let address = SocketAddress(firstIn: server.address) else { throw Unmet("no address") }
            let fixture = IngestFixture(
                server: server, broker: broker, address: address, directory: directory)
            if connected {
                try broker.open()
                try fixture.waitUntilReady()
            }
            try body(fixture)
        }
    }

    func client() throws -> HTTPTestClient { try HTTPTestClient(address) }

    /// Until the ingest says that it has its broker.
    func waitUntilReady() throws {
        let hellos = broker.hellos.count
        try broker.wait("hello") { broker.hellos.count > hellos }
        try waitForReadiness(200)
    }

    func waitForReadiness(_ status: Int) throws {
        let deadline = MonotonicDeadline.after(.seconds(20))
        let client = try client()
        while try client.request("GET", "/readyz").status != status {
            guard MonotonicDeadline.now() < deadline else { throw Unmet("readiness \(status)") }
            try broker.wait("nothing") { true }
        }
    }
}
