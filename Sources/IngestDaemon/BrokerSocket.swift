import LinuxSystem
import TaskModel
import WireProtocol
import ZeroMQ

/// The DEALER towards the broker.
///
/// Used on the event loop alone; connects and reconnects by itself.
final class BrokerSocket {
    private let socket: ZMQSocket
    private let monitor: ZMQMonitor
    /// To be polled by ``BrokerWatcher``.
    let descriptors: [CInt]

    init(endpoint: String) throws(ZeroMQError) {
        let context = try ZMQContext()
        socket = try ZMQSocket(.dealer, context: context)
        monitor = try ZMQMonitor(socket, context: context)
        descriptors = [socket.fileDescriptor, monitor.fileDescriptor]
        try socket.connect(endpoint)
    }

    /// False where nobody is connected: the frame did not leave.
    func send(_ frame: [UInt8]) throws(ZeroMQError) -> Bool {
        switch try socket.send(frame) {
        case .sent: true
        case .wouldBlock, .unreachable: false
        }
    }

    /// The next frame, nil if none waits.
    ///
    /// After every send and every wake-up to be called until nil.
    func receive() throws(ZeroMQError) -> [UInt8]? {
        try socket.receive()?.bytes
    }

    enum Change {
        case connected
        case disconnected
    }

    /// What became of the connection since the last call.
    func nextChange() -> Change? {
        while let event = monitor.next() {
            switch event {
            case .handshakeSucceeded: return .connected
            case .disconnected: return .disconnected
            case .connected, .accepted, .handshakeFailed, .connectRetried, .closed, .other: continue
            }
        }
        return nil
    }
}
