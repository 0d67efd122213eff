import Glibc
import TestSupport
import Testing
import ZeroMQ

@Suite struct ZMQSocketTests {
    /// A bound ROUTER and a DEALER connected to it, over ipc in a folder of their own.
    private struct Pair {
        let context: ZMQContext
        let router: ZMQSocket
        let dealer: ZMQSocket
        let endpoint: String

        static func with(_ body: (Pair) throws -> Void) throws {
            try TemporaryDirectory.with { directory in
                let context = try ZMQContext()
                let router = try ZMQSocket(.router, context: context)
                let endpoint = "ipc://" + directory.path("test.sock")
                try router.bind(endpoint)
                let dealer = try ZMQSocket(.dealer, context: context)
                try dealer.connect(endpoint)
                try body(Pair(context: context, router: router, dealer: dealer, endpoint: endpoint))
            }
        }

        /// IMMEDIATE refuses to send before the greeting is done, and only polling tells when that is.
        func sendWhenConnected(_ bytes: [UInt8]) throws {
            let deadline = MonotonicDeadline.after(.seconds(10))
            while try dealer.send(bytes) != .sent {
                try #require(MonotonicDeadline.now() < deadline, "never connected")
                sched_yield()
            }
        }
    }

    private static func receive(_ socket: ZMQSocket) throws -> ZMQMessage {
        var poller = ZMQPoller()
        let index = poller.add(socket)
        while true {
            if let message = try socket.receive() { return message }
            try #require(try poller.wait(timeoutMilliseconds: 10_000) == 1, "nothing came")
            #expect(poller.isReadable(index))
        }
    }

    @Test func aMessageComesWithTheConnectionItCameOnAndTheAnswerGoesThere() throws {
        try Pair.with { pair in
            try pair.sendWhenConnected([1, 2, 3])
            let question = try Self.receive(pair.router)
            #expect(question.bytes == [1, 2, 3])
            let routing = try #require(question.routing)
            #expect(try pair.router.send([4, 5], to: routing) == .sent)
            #expect(try Self.receive(pair.dealer) == ZMQMessage(routing: nil, bytes: [4, 5]))
        }
    }

    @Test(arguments: [0, 1, 250, 100_000, 4 << 20])
    func aMessageOfAnySizeArrivesWhole(bytes: Int) throws {
        let content = (0..<bytes).map { UInt8(truncatingIfNeeded: $0) }
        try Pair.with { pair in
            try pair.sendWhenConnected(content)
            #expect(try Self.receive(pair.router).bytes == content)
        }
    }

    @Test func anUnknownConnectionIsUnreachable() throws {
        try Pair.with { pair in
            let outcome = try pair.router.send([1], to: RoutingID(number: 77))
            #expect(outcome == .unreachable)
        }
    }

    @Test func aConnectionThatHasGoneIsUnreachable() throws {
        try TemporaryDirectory.with { directory in
            let context = try ZMQContext()
            let router = try ZMQSocket(.router, context: context)
            let endpoint = "ipc://" + directory.path("test.sock")
            try router.bind(endpoint)
            let monitor = try ZMQMonitor(router, context: context)
            let routing = try Self.routingOfAPassingPeer(router, context: context, endpoint: endpoint)
            try Self.waitForDisconnect(monitor)
            // The socket learns of it a moment after its monitor: until then a send is taken, and lost.
            let deadline = MonotonicDeadline.after(.seconds(10))
            var outcome = try router.send([1], to: routing)
            while outcome == .sent, MonotonicDeadline.now() < deadline {
                sched_yield()
                outcome = try router.send([1], to: routing)
            }
            #expect(outcome == .unreachable)
        }
    }

    /// The dealer is gone when this returns.
    private static func routingOfAPassingPeer(
        _ router: ZMQSocket, context: ZMQContext, endpoint: String
    ) throws -> RoutingID {
        let dealer = try ZMQSocket(.dealer, context: context)
        try dealer.connect(endpoint)
        try Pair(context: context, router: router, dealer: dealer, endpoint: endpoint).sendWhenConnected([1])
        return try #require(try receive(router).routing)
    }

    private static func waitForDisconnect(_ monitor: ZMQMonitor) throws {
        var poller = ZMQPoller()
        _ = poller.add(descriptor: monitor.fileDescriptor)
        while true {
            while let event = monitor.next() {
                if case .disconnected = event { return }
            }
            try #require(try poller.wait(timeoutMilliseconds: 10_000) == 1, "no event came")
        }
    }

    @Test func withNobodyConnectedASendWouldBlock() throws {
        try TemporaryDirectory.with { directory in
            let context = try ZMQContext()
            let dealer = try ZMQSocket(.dealer, context: context)
            try dealer.connect("ipc://" + directory.path("nobody.sock"))
            #expect(try dealer.send([1]) == .wouldBlock)
        }
    }

    @Test func thePeersProcessIsKnownFromItsMessage() throws {
        try Pair.with { pair in
            try pair.sendWhenConnected([1])
            _ = try Self.receive(pair.router)
            let expected = PeerCredentials(pid: getpid(), uid: getuid(), gid: getgid())
            #expect(pair.router.lastPeer() == expected)
        }
    }

    @Test func theMonitorNamesTheConnectionThatMessagesCameOn() throws {
        try TemporaryDirectory.with { directory in
            let context = try ZMQContext()
            let router = try ZMQSocket(.router, context: context)
            let monitor = try ZMQMonitor(router, context: context)
            let endpoint = "ipc://" + directory.path("test.sock")
            try router.bind(endpoint)
            let dealer = try ZMQSocket(.dealer, context: context)
            try dealer.connect(endpoint)
            let pair = Pair(context: context, router: router, dealer: dealer, endpoint: endpoint)
            try pair.sendWhenConnected([1])
            _ = try Self.receive(router)
            let connection = try #require(router.lastConnectionDescriptor())
            let first = try #require(monitor.next())
            #expect(first == .accepted(descriptor: connection))
            #expect(monitor.next() == .handshakeSucceeded)
        }
    }

    @Test func theSocketsFileHasTheModeAskedFor() throws {
        try Pair.with { pair in
            var status = stat()
            try #require(stat(String(pair.endpoint.dropFirst(6)), &status) == 0)
            #expect(status.st_mode & 0o777 == 0o660)
        }
    }

    @Test func aPathThatNoSocketCanHaveIsRefused() throws {
        let socket = try ZMQSocket(.dealer, context: try ZMQContext())
        let endpoint = "ipc:///tmp/" + String(repeating: "x", count: 120)
        #expect(throws: ZeroMQError.endpointTooLong(endpoint)) { try socket.connect(endpoint) }
    }

    @Test func aSocketGoesToAnotherThreadByBeingHandedOver() async throws {
        let context = try ZMQContext()
        let socket = try ZMQSocket(.dealer, context: context)
        socket.handOver()
        let outcome = try await DedicatedThreads.run { try socket.send([1]) }
        #expect(outcome == .wouldBlock)
    }

    @Test func manyMessagesArriveInOrder() throws {
        try Pair.with { pair in
            try pair.sendWhenConnected([0, 0])
            _ = try Self.receive(pair.router)
            for number in UInt16(1)...2_000 {
                try pair.sendWhenConnected([UInt8(number >> 8), UInt8(truncatingIfNeeded: number)])
                let message = try Self.receive(pair.router)
                #expect(message.bytes == [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)])
            }
        }
    }
}
