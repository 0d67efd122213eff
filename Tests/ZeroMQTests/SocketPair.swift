import Glibc
import LinuxSystem
import TestSupport
import Testing
import ZeroMQ

/// A router that listens and a dealer that connects to it, over a path in a folder of their own.
struct SocketPair {
    let router: RouterSocket
    let dealer: DealerSocket
    let path: String

    static func with(limits: SocketLimits = SocketLimits(), _ body: (SocketPair) throws -> Void) throws {
        try TemporaryDirectory.with { directory in
            let path = directory.path("test.sock")
            let router = try RouterSocket(limits: limits)
            try router.listen(at: path)
            try body(SocketPair(router: router, dealer: try DealerSocket(connectingTo: path), path: path))
        }
    }

    /// The number of the dealer's connection, once both ends know of it.
    func connect() throws -> RouterSocket.ConnectionNumber {
        var number: RouterSocket.ConnectionNumber?
        var isConnected = false
        try until("both ends are connected") {
            for event in try dealer.events() where event == .connected { isConnected = true }
            for case .opened(let opened, _, _) in try router.events() { number = opened }
            return isConnected && number != nil
        }
        return try #require(number)
    }

    /// Messages that the router got until there are so many.
    func messages(_ count: Int) throws -> [[UInt8]] {
        var messages: [[UInt8]] = []
        try until("\(count) messages") {
            _ = try dealer.events()
            for case .message(_, let bytes) in try router.events() { messages.append(bytes) }
            return messages.count >= count
        }
        return messages
    }
}

extension DealerSocket {
    func events() throws -> [Event] {
        var events: [Event] = []
        try receive(into: &events)
        return events
    }
}

extension RouterSocket {
    func events(limit: Int = 1_000) throws -> [Event] {
        _ = try wait(timeoutMilliseconds: 1, spinNanoseconds: 0)
        return receive(limit: limit)
    }
}

/// Does it again until it is so.
func until(_ what: String, _ isSo: () throws -> Bool) throws {
    let deadline = MonotonicDeadline.after(.seconds(20))
    while try !isSo() { try #require(MonotonicDeadline.now() < deadline, "waited in vain: \(what)") }
}
