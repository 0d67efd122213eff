import Configuration
import LinuxSystem
package import Logging
import NIOCore
import NIOPosix
import Systemd
import TaskModel

/// A running ingest: its event loop and its listening socket.
package final class IngestServer: Sendable {
    /// Where it really listens, `127.0.0.1:40123`.
    package let address: String

    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let front: NIOLoopBound<IngestFront>
    private let ending: Ending

    /// Starts to listen and to connect to the broker; returns when clients can come.
    package init(_ options: IngestOptions, logger: Logger) throws(IngestError) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.any()
        let ending = try Ending.make()
        do {
            let front = try loop.submit {
                let front = try Self.makeFront(options, on: loop, logger: logger, ending: ending)
                front.broker?.connect(for: front)
                return NIOLoopBound(front, eventLoop: loop)
            }.wait()
            listener = try Self.listen(options, on: loop, front: front)
            address = try Self.checkedAddress(of: listener, options)
            self.front = front
        } catch {
            _ = try? group.syncShutdownGracefully()  // ignoring: the first error is the one to tell
            throw error as? IngestError ?? .systemCallFailed("\(error)")
        }
        self.group = group
        self.ending = ending
    }

    private static func makeFront(
        _ options: IngestOptions, on loop: any EventLoop, logger: Logger, ending: Ending
    ) throws -> IngestFront {
        let seed = (
            try RandomBytes.word(), try RandomBytes.word(), try RandomBytes.word(), try RandomBytes.word()
        )
        let broker =
            options.answersWithoutQueue
            ? nil : BrokerSocket(path: options.brokerSocket, eventLoop: loop)
        return IngestFront(
            options: options, broker: broker, mint: TaskIDMint(seed: seed), eventLoop: loop, logger: logger,
            callbacks: IngestFront.Callbacks(
                failed: { ending.finish($0) }, drained: { ending.finish(nil) }))
    }

    private static func listen(
        _ options: IngestOptions, on loop: any EventLoop, front: NIOLoopBound<IngestFront>
    ) throws -> any Channel {
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let isWelcome = front.value.admitsConnection else {
                        throw ChannelError.ioOnClosedChannel
                    }
                    let connection = HTTPConnection(front: front.value, isOverflow: !isWelcome)
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        do {
            if let descriptor = options.inheritedSocket {
                return try bootstrap.withBoundSocket(descriptor).wait()
            }
            return try bootstrap.bind(host: options.listen.host, port: Int(options.listen.port)).wait()
        } catch {
            throw IngestError.listenFailed(address: options.listen.description, reason: "\(error)")
        }
    }

    /// The address that the kernel names, if it may be listened on.
    private static func checkedAddress(
        of listener: any Channel, _ options: IngestOptions
    ) throws(IngestError) -> String {
        guard let local = listener.localAddress, let host = local.ipAddress, let port = local.port else {
            return "a unix socket"
        }
        let actual = ListenAddress(host: host, port: UInt16(clamping: port))
        if options.inheritedSocket != nil, options.listenIsSet, actual != options.listen {
            throw .addressesDiffer(inherited: actual.description, configured: options.listen.description)
        }
        guard actual.isLoopback else { throw .openToTheNetwork(address: actual.description) }
        return actual.description
    }

    /// Becomes readable when the server has drained, or had to give up.
    package var endDescriptor: CInt { ending.descriptor }

    /// Tells the service manager from the event loop that it turns.
    package func beatWatchdog(everyMicroseconds microseconds: UInt64) {
        let interval = TimeAmount.microseconds(Int64(clamping: microseconds))
        let ending = ending
        group.any().scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            do throws(SystemError) {
                try SystemdService.notify(.watchdog)
            } catch {
                ending.finish(.systemCallFailed("\(error)"))
            }
        }
    }

    /// What can change while it runs; for requests and connections that come from now on.
    package func reconfigure(maxBodyBytes: Int, maxConnections: Int) {
        let front = front
        group.any().execute {
            front.value.reconfigure(maxBodyBytes: maxBodyBytes, maxConnections: maxConnections)
        }
    }

    /// Takes no more connections, and ends each after the answer that is due on it.
    package func beginDrain() {
        listener.close(promise: nil)
        let front = front
        group.any().execute { front.value.beginDrain() }
    }

    /// Throws what made the server give up; the event loop ends with the process.
    package func checkEnding() throws(IngestError) {
        if let failure = ending.failure { throw failure }
    }

    /// Ends the event loop, where the process goes on; throws what made the server give up.
    package func shutdown() throws(IngestError) {
        let failure = ending.failure
        do {
            try group.syncShutdownGracefully()
        } catch {
            throw .systemCallFailed("\(error)")
        }
        if let failure { throw failure }
    }
}
