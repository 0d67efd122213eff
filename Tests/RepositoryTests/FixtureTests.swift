import Glibc
import TestSupport
import Testing

/// What other tests stand on must itself be true.
@Suite struct FixtureTests {
    @Test func theSameSeedGivesTheSameNumbers() {
        var first = SeededGenerator(seed: 7)
        var second = SeededGenerator(seed: 7)
        var other = SeededGenerator(seed: 8)
        let numbers = first.bytes(count: 64)
        #expect(numbers == second.bytes(count: 64))
        #expect(numbers != other.bytes(count: 64))
    }

    @Test func eachClockMovesAsItsMachineWould() {
        let clock = ManualClock()
        let start = clock.now
        clock.advance(by: .milliseconds(1_500))
        clock.jumpWall(by: .seconds(-10))
        clock.suspend(for: .seconds(2))
        let now = clock.now
        #expect(now.monotonicNanoseconds == start.monotonicNanoseconds + 1_500_000_000)
        #expect(now.boottimeMilliseconds == start.boottimeMilliseconds + 3_500)
        #expect(now.wallMilliseconds == start.wallMilliseconds - 6_500)
        clock.reboot(after: .seconds(60))
        #expect(clock.now.boot == start.boot + 1)
        #expect(clock.now.boottimeMilliseconds < start.boottimeMilliseconds)
        #expect(clock.now.wallMilliseconds == now.wallMilliseconds + 60_000)
    }

    @Test func aSignalReachesOnlyWhoArmedIt() async {
        let signal = TestSignal<Int>()
        signal.fire(1)
        let events = signal.arm()
        signal.fire(2)
        signal.fire(3)
        signal.disarm()
        signal.fire(4)
        var seen: [Int] = []
        for await event in events { seen.append(event) }
        #expect(seen == [2, 3])
    }

    @Test func aTemporaryDirectoryIsGoneAfterItsClosure() throws {
        let path = try TemporaryDirectory.with { directory in
            try directory.write("#!/bin/sh\n", to: "a/b/run", mode: 0o755)
            symlink("/etc", directory.path("a/link"))
            #expect(try directory.read("a/b/run") == Array("#!/bin/sh\n".utf8))
            #expect(access(directory.path("a/b/run"), X_OK) == 0)
            return directory.path
        }
        #expect(access(path, F_OK) == -1)
        #expect(access("/etc/passwd", F_OK) == 0)
    }

    @Test func copiesOnThreadsOfTheirOwnRunAtOnce() async throws {
        // Each copy waits for all the others: it ends only if every one of them has a thread.
        let barrier = SharedList<Int>()
        let indices = try await DedicatedThreads.run(count: 8) { index in
            barrier.append(index)
            while barrier.values.count < 8 { sched_yield() }
            return index
        }
        #expect(indices == Array(0..<8))
    }

    @Test func theHTTPClientReadsAnswersOneAfterTheOther() async throws {
        let answers = [
            "HTTP/1.1 201 Created\r\nLocation: /tasks/1\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\nConnection: close\r\n\r\ngone",
        ]
        let server = try OneShotServer(answering: answers.joined())
        let address = server.address
        let received = SharedList<[UInt8]>()
        async let served: Void = DedicatedThreads.run { received.append(try server.serve()) }
        // Off the pool: a client that blocks there could keep the server's thread from being started.
        let (read, isClosed) = try await DedicatedThreads.run {
            let client = try HTTPTestClient(address, timeout: .seconds(120))
            let read = [try client.post("/tasks", "{}"), try client.response(), try client.response()]
            return (read, try client.isClosedByServer())
        }
        try await served
        #expect(read.map(\.status) == [201, 204, 404])
        #expect(read[0][header: "location"] == "/tasks/1")
        #expect(read.map(\.text) == ["{}", "", "gone"])
        #expect(isClosed)
        let sent = received.values.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
        #expect(sent.hasPrefix("POST /tasks HTTP/1.1\r\n"))
        #expect(sent.hasSuffix("Content-Length: 2\r\n\r\n{}"))
    }
}

/// Accepts one connection, answers its first bytes with fixed text, and closes.
private final class OneShotServer: Sendable {
    let address: SocketAddress
    private let listener: CInt
    private let answer: String

    init(answering answer: String) throws {
        self.answer = answer
        listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &name.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        guard isListening else { throw TestSupportError.systemCall(name: "listen", errno: errno) }
        address = SocketAddress(port: UInt16(bigEndian: name.sin_port))
    }

    deinit { close(listener) }

    func serve() throws -> [UInt8] {
        let connection = accept(listener, nil, nil)
        defer { close(connection) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(connection, &buffer, buffer.count, 0)
        let bytes = Array(answer.utf8)
        guard count > 0, send(connection, bytes, bytes.count, 0) == bytes.count else {
            throw TestSupportError.systemCall(name: "recv", errno: errno)
        }
        return Array(buffer[..<count])
    }
}
