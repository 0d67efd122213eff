import NIOCore
import NIOPosix
import ZMTP

/// The DEALER towards the broker: a channel on the event loop of the clients' connections, made anew after
/// every loss.
///
/// Used on the event loop alone.
final class BrokerSocket {
    /// First pause before a lost connection is tried again, and the longest.
    private static let reconnectMilliseconds: Int64 = 10
    private static let reconnectMillisecondsMax: Int64 = 200

    private let path: String
    private let eventLoop: any EventLoop
    private var channel: (any Channel)?
    private var pauseMilliseconds = reconnectMilliseconds
    /// Set by ``connect(for:)``, before anything can happen.
    private weak var front: IngestFront?

    init(path: String, eventLoop: any EventLoop) {
        self.path = path
        self.eventLoop = eventLoop
    }

    /// Connects now or as soon as somebody listens, again after every loss, and tells `front` of it.
    func connect(for front: IngestFront) {
        self.front = front
        tryToConnect()
    }

    private func tryToConnect() {
        let socket = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(BrokerConversation(socket.value))
                }
            }
            .connect(unixDomainSocketPath: path)
            .whenFailure { socket.value.couldNotConnect($0) }
    }

    private func couldNotConnect(_ error: any Error) {
        // The kernel's "nobody is there" passes; a path that no socket can have does not.
        guard error is IOError || error is NIOConnectionError else {
            front?.callbacks.failed(.brokerSocketFailed("\(path): \(error)"))
            return
        }
        tryAgain()
    }

    private func tryAgain() {
        let socket = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: .milliseconds(pauseMilliseconds)) { socket.value.tryToConnect() }
        pauseMilliseconds = min(2 * pauseMilliseconds, Self.reconnectMillisecondsMax)
    }

    /// False where nobody is connected: the frame did not leave.
    func send(_ frame: [UInt8]) -> Bool {
        guard let channel else { return false }
        let bytes = FrameHeader.with(messageBytes: frame.count) { header in
            var bytes = channel.allocator.buffer(capacity: header.count + frame.count)
            bytes.writeBytes(header)
            bytes.writeBytes(frame)
            return bytes
        }
        channel.writeAndFlush(bytes, promise: nil)
        return true
    }

    // What the conversation tells.

    fileprivate func established(_ channel: any Channel) {
        self.channel = channel
        pauseMilliseconds = Self.reconnectMilliseconds
        front?.brokerConnected()
    }

    fileprivate func received(_ frame: [UInt8]) { front?.take(frame) }

    fileprivate func receivedAll() { front?.deliver() }

    fileprivate func ended() {
        let wasEstablished = channel != nil
        channel = nil
        if wasEstablished { front?.brokerLost() }
        tryAgain()
    }
}

/// ZMTP on one channel.
private final class BrokerConversation: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let socket: BrokerSocket
    private var session = Session(.dealer)

    init(_ socket: BrokerSocket) { self.socket = socket }

    func channelActive(context: ChannelHandlerContext) { writeOutput(context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        unwrapInboundIn(data).withUnsafeReadableBytes { session.receive($0) }
        do throws(ProtocolFailure) {
            while let event = try session.next() {
                writeOutput(context)
                switch event {
                case .established: socket.established(context.channel)
                case .message(let frame): socket.received(frame)
                }
            }
            writeOutput(context)
        } catch {
            context.close(promise: nil)
        }
    }

    private func writeOutput(_ context: ChannelHandlerContext) {
        let output = session.takeOutput()
        guard !output.isEmpty else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: output)), promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { socket.receivedAll() }

    func channelInactive(context: ChannelHandlerContext) { socket.ended() }

    /// The end of the channel is what counts, whatever caused it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
