import Glibc
import LibZMQ
import LinuxSystem
import TaskModel
import TestSupport
import WireProtocol

/// A broker in a test's hands: a real ROUTER on a real ipc socket, and a script of what to expect and say.
final class FakeBroker {
    static let instance = JournalInstance(rawValue: 77)

    let context: ZMQContext
    private var socket: ZMQSocket?
    let path: String
    /// Everything that came, in order, hellos included.
    private(set) var requests: [Request] = []
    private(set) var hellos: [Hello] = []
    private(set) var peer: RoutingID?
    /// Answers every hello with a welcome; off, a test looks at what comes before one.
    var welcomes = true
    var leaseMilliseconds: UInt64 = 180_000
    /// Confirms every answer as it comes.
    var confirms = true
    private var nextLSN: UInt64 = 1

    init(_ directory: TemporaryDirectory) throws {
        context = try ZMQContext()
        path = directory.path("worker.sock")
        try open()
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

    func receipt(_ number: UInt64) -> Receipt {
        Receipt(instance: Self.instance, lsn: LogSequenceNumber(rawValue: number))
    }

    @discardableResult
    func deliver(_ payload: String = "{}", attempt: UInt32 = 1, group: String = "g") throws -> DeliveredTask {
        let task = makeTask(payload, attempt: attempt, group: group)
        try say(.delivery(task))
        return task
    }

    func makeTask(_ payload: String = "{}", attempt: UInt32 = 1, group: String = "g") -> DeliveredTask {
        defer { nextLSN += 1 }
        return DeliveredTask(
            receipt: receipt(nextLSN),
            id: TaskID(high: 0x0198_f6e2_7c1a_7d54, low: 0x9b3e_0000_0000_0000 + nextLSN),
            sequence: TaskSequence(rawValue: nextLSN), group: group, attempt: attempt, maxAttempts: 5,
            traceparent: [], payload: Array(payload.utf8)[...])
    }

    func say(_ replies: Reply...) throws {
        guard let socket, let peer else { throw Unmet("no worker is connected") }
        var frame = FrameWriter()
        for reply in replies { frame.append(reply) }
        guard try socket.send(frame.take(), to: peer) == .sent else {
            throw Unmet("the frame did not leave")
        }
    }

    func sayBytes(_ bytes: [UInt8]) throws {
        guard let socket, let peer else { throw Unmet("no worker is connected") }
        _ = try socket.send(bytes, to: peer)
    }

    /// Receives until the condition holds of what has come.
    func wait(_ what: String, seconds: Int = 20, until condition: () throws -> Bool) throws {
        let deadline = MonotonicDeadline.after(.seconds(seconds))
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
            while let request = try reader.nextRequest() { try take(request) }
        }
    }

    private func take(_ request: Request) throws {
        requests.append(request)
        switch request {
        case .hello(let hello):
            hellos.append(hello)
            guard welcomes else { return }
            try say(.welcome(Welcome(instance: Self.instance, leaseMilliseconds: leaseMilliseconds)))
        case .ack(let receipt, _, _, _), .nack(let receipt, _, _), .reject(let receipt, _, _),
            .release(let receipt, _):
            guard confirms else { return }
            try say(.settled(receipt: receipt, .taken))
        case .credit, .renew, .stalled, .enqueue, .lookup, .cancel, .status, .declareQueue, .pause,
            .listDead, .act, .redriveEdited, .payload, .deleteQueue, .listBlocked, .beginBackup,
            .keepBackup, .endBackup, .declarePlugin, .plugins:
            return
        }
    }

    var credits: [UInt16] {
        requests.compactMap { if case .credit(let tasks) = $0 { tasks } else { nil } }
    }
    var acks: [Receipt] {
        requests.compactMap { if case .ack(let receipt, _, _, _) = $0 { receipt } else { nil } }
    }
    var nacks: [Failure] {
        requests.compactMap { if case .nack(_, _, let failure) = $0 { failure } else { nil } }
    }
    var releases: [Receipt] {
        requests.compactMap { if case .release(let receipt, _) = $0 { receipt } else { nil } }
    }
    var renewals: [[Receipt]] {
        requests.compactMap { if case .renew(let receipts) = $0 { receipts } else { nil } }
    }
    var stalls: [String] {
        requests.compactMap { if case .stalled(let reason) = $0 { reason } else { nil } }
    }
}

/// What a test waited for and did not get.
struct Unmet: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
