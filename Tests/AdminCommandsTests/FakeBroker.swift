import AdminCommands
import LibZMQ
import LinuxSystem
import Synchronization
import TaskModel
import TestSupport
import WireProtocol

/// A broker that answers admins from a closure, over a real socket under a state folder.
final class FakeBroker: Sendable {
    private let stop: EventDescriptor

    /// Answers until the body has ended.
    static func with(
        _ directory: TemporaryDirectory, answering answer: @escaping @Sendable (Request) -> Reply?,
        _ body: () throws -> Void
    ) throws {
        try directory.makeFolder("run")
        try directory.makeFolder("run/admin")
        let broker = try FakeBroker()
        let socket = try ZMQSocket(.router, context: try ZMQContext())
        try socket.bind("ipc://" + directory.path("run/admin/admin.sock"))
        socket.handOver()
        let failures = SharedList<String>()
        let thread = try SystemThread(name: "fake-broker") {
            do { try broker.serve(socket, answer) } catch { failures.append("\(error)") }
        }
        let outcome = Result { try body() }
        broker.stop.signal()
        thread.join()
        try outcome.get()
        if let failure = failures.values.first { throw CommandFailure.failed(failure) }
    }

    private init() throws {
        stop = try EventDescriptor()
    }

    private func serve(_ socket: ZMQSocket, _ answer: (Request) -> Reply?) throws {
        var poller = ZMQPoller()
        _ = poller.add(socket)
        let stopped = poller.add(descriptor: stop.rawValue)
        while !poller.isReadable(stopped) {
            while let message = try socket.receive() {
                var reader = try FrameReader(message.bytes)
                var frame = FrameWriter()
                while let request = try reader.nextRequest() {
                    if let reply = answer(request) { frame.append(reply) }
                }
                _ = try socket.send(frame.bytes, to: message.routing)
            }
            try poller.wait(timeoutMilliseconds: -1)
        }
    }
}
