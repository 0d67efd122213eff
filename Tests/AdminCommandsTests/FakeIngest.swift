import AdminCommands
import Glibc
import LinuxSystem
import TestSupport

/// An HTTP server that reads whole posts and does with each connection what a test says.
final class FakeIngest: Sendable {
    /// One post as it came.
    struct Post: Sendable {
        /// From 0, over all connections.
        let connection: Int
        /// From 0, on its connection.
        let index: Int
        let head: String
        let body: String
    }

    enum Reaction: Sendable {
        case answer(status: Int, body: String)
        /// Answers, and says that the connection ends; what came behind is dropped.
        case answerAndClose(status: Int, body: String)
        /// Closes without a word.
        case hangUp
    }

    private let listener: CInt
    private let react: @Sendable (Post) -> Reaction
    private let posts = SharedList<Post>()

    /// The posts that were read, and what the body gave.
    static func with<Value>(
        _ react: @escaping @Sendable (Post) -> Reaction, _ body: (String) throws -> Value
    ) throws -> (posts: [Post], value: Value) {
        let server = try FakeIngest(react)
        let thread = try SystemThread(name: "fake-ingest") { server.serve() }
        let outcome = Result { try body("http://127.0.0.1:\(server.port)") }
        shutdown(server.listener, CInt(SHUT_RDWR))
        thread.join()
        close(server.listener)
        return (server.posts.values, try outcome.get())
    }

    private init(_ react: @escaping @Sendable (Post) -> Reaction) throws {
        self.react = react
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let own = listener
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(own, $0, size) }
        }
        guard status == 0, listen(listener, 8) == 0 else {
            throw TestSupportError.systemCall(name: "listen", errno: errno)
        }
    }

    private var port: UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let own = listener
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(own, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private struct Connection {
        let descriptor: CInt
        let number: Int
        var received: [UInt8] = []
        var index = 0
        /// The last answer is out: what still comes is dropped until the client closes.
        var isEnding = false
    }

    /// All connections on this thread, until the listener is shut down.
    private func serve() {
        var connections: [Connection] = []
        var number = 0
        while true {
            var items = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            items += connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            poll(&items, nfds_t(items.count), -1)
            for (place, item) in items.dropFirst().enumerated().reversed() where item.revents != 0 {
                guard !take(&connections[place]) else { continue }
                close(connections[place].descriptor)
                connections.remove(at: place)
            }
            guard items[0].revents != 0 else { continue }
            let accepted = accept(listener, nil, nil)
            guard accepted >= 0 else { break }
            connections.append(Connection(descriptor: accepted, number: number))
            number += 1
        }
        for connection in connections { close(connection.descriptor) }
    }

    /// False when the connection is over.
    private func take(_ connection: inout Connection) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(connection.descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        // Closing with unread bytes would reset the connection, and the answer could be lost.
        if connection.isEnding { return true }
        connection.received += chunk[..<count]
        while let (head, body) = Self.takePost(from: &connection.received) {
            let post = Post(connection: connection.number, index: connection.index, head: head, body: body)
            connection.index += 1
            posts.append(post)
            switch react(post) {
            case .answer(let status, let body): send(connection.descriptor, status, body, "")
            case .answerAndClose(let status, let body):
                send(connection.descriptor, status, body, "Connection: close\r\n")
                shutdown(connection.descriptor, CInt(SHUT_WR))
                connection.isEnding = true
                return true
            case .hangUp: return false
            }
        }
        return true
    }

    private func send(_ connection: CInt, _ status: Int, _ body: String, _ headers: String) {
        let text =
            "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
        let bytes = Array(text.utf8)
        _ = Glibc.send(connection, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }

    private static func takePost(from bytes: inout [UInt8]) -> (head: String, body: String)? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let line = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
        let length = line.flatMap { Int($0.dropFirst("Content-Length: ".count)) } ?? 0
        guard bytes.count >= end.upperBound + length else { return nil }
        let body = String(decoding: bytes[end.upperBound..<(end.upperBound + length)], as: UTF8.self)
        bytes.removeFirst(end.upperBound + length)
        return (head, body)
    }
}
