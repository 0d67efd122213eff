import Glibc
import LibZMQ
import LinuxSystem
import TestSupport
import Testing
import ZeroMQ

@Suite struct DealerSocketTests {
    @Test func withNobodyConnectedASendIsUnreachable() throws {
        try TemporaryDirectory.with { directory in
            let dealer = try DealerSocket(connectingTo: directory.path("nobody.sock"))
            #expect(try dealer.events().isEmpty)
            #expect(try dealer.send([1]) == .unreachable)
        }
    }

    @Test func itConnectsAsSoonAsSomebodyListensAndAgainAfterALoss() throws {
        try TemporaryDirectory.with { directory in
            let path = directory.path("test.sock")
            let dealer = try DealerSocket(connectingTo: path)
            #expect(try dealer.events().isEmpty)
            for _ in 0..<3 {
                try Self.serveOnce(dealer, at: path)
                try until("its end") { try dealer.events() == [.disconnected] }
            }
        }
    }

    /// The router is gone when this returns.
    private static func serveOnce(_ dealer: DealerSocket, at path: String) throws {
        let router = try RouterSocket()
        try router.listen(at: path)
        try until("a connection") {
            _ = try router.events()
            return try dealer.events() == [.connected]
        }
    }

    @Test func aPathThatNoSocketCanHaveIsRefused() throws {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        let dealer = try DealerSocket(connectingTo: path)
        #expect(throws: SystemError(call: "connect \(path)", errno: ENAMETOOLONG)) {
            try until("a try") { try !dealer.events().isEmpty }
        }
    }

    @Test func itsDescriptorIsQuietWhileThereIsNothingToDo() throws {
        try SocketPair.with { pair in
            let number = try pair.connect()
            func isReadable() throws -> Bool {
                try OwnedDescriptor.waitUntilReady(
                    pair.dealer.descriptor, events: Int16(POLLIN), timeoutMilliseconds: 0)
            }
            #expect(try !isReadable())
            #expect(pair.router.send([1], to: number) == .sent)
            #expect(try isReadable())
            #expect(try pair.dealer.events() == [.message([1])])
            #expect(try !isReadable())
        }
    }

    /// The other implementation in the world.
    @Test func libzmqsRouterIsUnderstoodAndUnderstands() throws {
        try TemporaryDirectory.with { directory in
            let path = directory.path("test.sock")
            let router = try ZMQSocket(.router, context: try ZMQContext())
            try router.bind("ipc://\(path)")
            let dealer = try DealerSocket(connectingTo: path)
            let content = [UInt8](repeating: 3, count: 100_000)
            var events: [DealerSocket.Event] = []
            var isSent = false
            try until("the answer") {
                events += try dealer.events()
                if !isSent { isSent = try dealer.send(content) == .sent }
                if let message = try router.receive() {
                    #expect(try router.send(message.bytes, to: message.routing) == .sent)
                }
                return events.count == 2
            }
            #expect(events == [.connected, .message(content)])
        }
    }
}
