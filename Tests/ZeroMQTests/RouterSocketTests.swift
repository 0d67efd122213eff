import Glibc
import LibZMQ
import LinuxSystem
import TestSupport
import Testing
import ZeroMQ

@Suite struct RouterSocketTests {
    @Test func aMessageComesWithTheConnectionItCameOnAndTheAnswerGoesThere() throws {
        try SocketPair.with { pair in
            let number = try pair.connect()
            #expect(try pair.dealer.send([1, 2, 3]) == .sent)
            try until("the question") { try pair.router.events() == [.message(number, [1, 2, 3])] }
            #expect(pair.router.send([4, 5], to: number) == .sent)
            try until("the answer") { try pair.dealer.events() == [.message([4, 5])] }
        }
    }

    @Test func thePeersProcessIsKnownWhenItConnects() throws {
        let expected = PeerCredentials(pid: getpid(), uid: getuid(), gid: getgid())
        try SocketPair.with { pair in
            try until("a connection") {
                _ = try pair.dealer.events()
                return try pair.router.events().contains(.opened(1, listener: 0, peer: expected))
            }
        }
    }

    @Test(arguments: [0, 1, 255, 256, 100_000, 4 << 20])
    func aMessageOfAnySizePassesBothWays(bytes: Int) throws {
        let content = (0..<bytes).map { UInt8(truncatingIfNeeded: $0) }
        try SocketPair.with { pair in
            let number = try pair.connect()
            #expect(try pair.dealer.send(content) == .sent)
            #expect(try pair.messages(1) == [content])
            #expect(pair.router.send(content, to: number) == .sent)
            try until("the answer") {
                _ = try pair.router.events()
                return try pair.dealer.events() == [.message(content)]
            }
        }
    }

    @Test func manyMessagesArriveInOrderWithinTheLimitOfEachTurn() throws {
        try SocketPair.with { pair in
            let number = try pair.connect()
            func content(_ index: Int) -> [UInt8] { [UInt8(index >> 8), UInt8(index & 255)] }
            for index in 0..<2_000 { #expect(try pair.dealer.send(content(index)) == .sent) }
            var next = 0
            try until("all of them") {
                _ = try pair.dealer.events()
                let events = try pair.router.events(limit: 7)
                #expect(events.count <= 7)
                for event in events {
                    #expect(event == .message(number, content(next)))
                    next += 1
                }
                return next == 2_000
            }
        }
    }

    @Test func aConnectionThatFloodsLeavesTheOthersTheirTurns() throws {
        try SocketPair.with { pair in
            _ = try pair.connect()
            let quiet = try DealerSocket(connectingTo: pair.path)
            try until("the second connection") {
                _ = try pair.router.events()
                return try quiet.events() == [.connected]
            }
            for _ in 0..<1_000 { #expect(try pair.dealer.send([1]) == .sent) }
            #expect(try quiet.send([2]) == .sent)
            var before = 0
            try until("the quiet one's message") {
                let events = try pair.router.events(limit: 10)
                before += events.count
                return events.contains { if case .message(_, [2]) = $0 { true } else { false } }
            }
            #expect(before <= 20)
        }
    }

    @Test func whatWasSentBeforeTheEndIsGivenOutBeforeIt() throws {
        try SocketPair.with { pair in
            let number = try pair.connect()
            var passing: DealerSocket? = try DealerSocket(connectingTo: pair.path)
            var events: [RouterSocket.Event] = []
            try until("the passing one's end") {
                if let dealer = passing, try dealer.events().contains(.connected) {
                    for byte in 0..<100 as Range<UInt8> { #expect(try dealer.send([byte]) == .sent) }
                    passing = nil
                }
                events += try pair.router.events(limit: 9)
                return events.last == .closed(number + 1)
            }
            let messages = events.compactMap { event -> UInt8? in
                if case .message(_, let bytes) = event { bytes[0] } else { nil }
            }
            #expect(messages == Array(0..<100))
            #expect(pair.router.send([1], to: number + 1) == .unreachable)
        }
    }

    @Test func aPeerThatReadsLateGetsAllThatWasTaken() throws {
        try SocketPair.with { pair in
            let number = try pair.connect()
            let content = [UInt8](repeating: 1, count: 1 << 20)
            for _ in 0..<40 { #expect(pair.router.send(content, to: number) == .sent) }
            var received: [DealerSocket.Event] = []
            try until("all that was taken") {
                _ = try pair.router.events()
                received += try pair.dealer.events()
                return received.count == 40
            }
            #expect(received.allSatisfy { $0 == .message(content) })
        }
    }

    @Test func aPeerThatLeavesMoreUnreadThanTheLimitIsDropped() throws {
        var limits = SocketLimits()
        limits.backlogBytesMax = 100_000
        try SocketPair.with(limits: limits) { pair in
            let number = try pair.connect()
            var taken = 0
            while pair.router.send([UInt8](repeating: 1, count: 10_000), to: number) == .sent { taken += 1 }
            // The kernel's buffer, the limit, and the message that crossed it.
            #expect(taken > 10 && taken < 100)
            #expect(pair.router.send([1], to: number) == .unreachable)
            #expect(try pair.router.events() == [.closed(number)])
            try until("its end") { try pair.dealer.events().last == .disconnected }
        }
    }

    @Test func aStrangerIsDroppedAndTheOthersGoOn() throws {
        try SocketPair.with { pair in
            _ = try pair.connect()
            let stranger = try StreamSocket(connectingTo: pair.path)
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            let wrote = try Array("GET / HTTP/1.1\r\n\r\n".utf8).withUnsafeBytes { words in
                try stranger.send(words, nothing)
            }
            #expect(wrote == .wrote(bytes: 18))
            try until("it is dropped") {
                let events = try pair.router.events()
                #expect(events.isEmpty)
                return pair.router.brokenConnections == 1
            }
            #expect(try pair.dealer.send([1]) == .sent)
            #expect(try pair.messages(1) == [[1]])
        }
    }

    @Test func whoNeverGreetsLosesHisPlaceToTheNext() throws {
        var limits = SocketLimits()
        limits.connectionsMax = 1
        limits.handshakeMilliseconds = 0
        try SocketPair.with(limits: limits) { pair in
            let silent = try StreamSocket(connectingTo: pair.path)
            #expect(try pair.router.events().isEmpty)
            #expect(try pair.connect() > 1)
            #expect(silent.rawValue >= 0)
        }
    }

    @Test func beyondTheLimitConnectionsAreClosedAtOnceAndTheFirstGoOn() throws {
        var limits = SocketLimits()
        limits.connectionsMax = 1
        try SocketPair.with(limits: limits) { pair in
            _ = try pair.connect()
            let extra = try DealerSocket(connectingTo: pair.path)
            try until("it is refused") {
                let events = try extra.events()
                #expect(events.isEmpty)
                _ = try pair.router.events()
                return pair.router.refusedConnections > 0
            }
            #expect(try pair.dealer.send([1]) == .sent)
            #expect(try pair.messages(1) == [[1]])
        }
    }

    @Test func withoutADescriptorForTheNextItWaitsForOneInsteadOfAskingAgainAndAgain() throws {
        try SocketPair.with { pair in
            _ = try pair.dealer.events()
            var limits = rlimit()
            try #require(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0)
            let next = dup(0)
            close(next)
            var none = rlimit(rlim_cur: rlim_t(next), rlim_max: limits.rlim_max)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &none) == 0)
            defer { setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) }
            #expect(try pair.router.events().isEmpty)
            #expect(pair.router.refusedConnections == 1)
            let began = MonotonicDeadline.now()
            _ = try pair.router.wait(timeoutMilliseconds: -1, spinNanoseconds: 0)
            #expect(MonotonicDeadline.now() - began > 50_000_000)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0)
            #expect(try pair.connect() == 1)
        }
    }

    @Test func theSocketsFileHasItsModeWhateverTheUmaskIsAndGoesWithTheSocket() throws {
        try TemporaryDirectory.with { directory in
            let path = directory.path("test.sock")
            func listen() throws {
                let router = try RouterSocket()
                try router.listen(at: path, mode: 0o666)
                var status = stat()
                try #require(stat(path, &status) == 0)
                #expect(status.st_mode & 0o777 == 0o666)
            }
            try listen()
            #expect(access(path, F_OK) != 0)
        }
    }

    @Test func aDeadProcessesSocketIsReplacedAndAnotherFileIsNot() throws {
        try TemporaryDirectory.with { directory in
            let first = try RouterSocket()
            try first.listen(at: directory.path("test.sock"))
            let second = try RouterSocket()
            try second.listen(at: directory.path("test.sock"))
            try directory.write("mine", to: "file")
            let file = directory.path("file")
            #expect(throws: SystemError(call: "listen at \(file)", errno: EADDRINUSE)) {
                try second.listen(at: file)
            }
        }
    }

    @Test func aPathThatNoSocketCanHaveIsRefused() throws {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        #expect(throws: SystemError(call: "listen at \(path)", errno: ENAMETOOLONG)) {
            try RouterSocket().listen(at: path)
        }
    }

    @Test func aWatchedDescriptorEndsTheWait() throws {
        let router = try RouterSocket()
        let event = try EventDescriptor()
        try router.watch(event.rawValue, token: 7)
        #expect(try router.wait(timeoutMilliseconds: 0, spinNanoseconds: 0).isEmpty)
        event.signal()
        #expect(try router.wait(timeoutMilliseconds: 10_000, spinNanoseconds: 1_000) == [7])
        router.unwatch(event.rawValue)
        #expect(try router.wait(timeoutMilliseconds: 0, spinNanoseconds: 0).isEmpty)
    }

    /// The other implementation in the world.
    @Test(arguments: [0, 255, 256, 300_000]) func libzmqsDealerIsUnderstoodAndUnderstands(bytes: Int) throws {
        try TemporaryDirectory.with { directory in
            let path = directory.path("test.sock")
            let router = try RouterSocket()
            try router.listen(at: path)
            let dealer = try ZMQSocket(.dealer, context: try ZMQContext())
            try dealer.connect("ipc://\(path)")
            let content = (0..<bytes).map { UInt8(truncatingIfNeeded: $0) }
            var isSent = false
            var answer: [UInt8]?
            try until("the answer") {
                if !isSent { isSent = try dealer.send(content) == .sent }
                for case .message(let number, let bytes) in try router.events() {
                    #expect(bytes == content)
                    #expect(router.send(bytes, to: number) == .sent)
                }
                answer = try dealer.receive()?.bytes
                return answer != nil
            }
            #expect(answer == content)
        }
    }
}
