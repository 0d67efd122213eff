import TestSupport
import Testing
import ZMTP

@Suite struct SessionTests {
    /// What a libzmq 4.3 DEALER sends: greeting, READY, and one message.
    private static let greeting: [UInt8] =
        [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1] + Array("NULL".utf8) + [UInt8](repeating: 0, count: 48)
    private static func ready(_ type: String) -> [UInt8] {
        let property =
            [11] + Array("Socket-Type".utf8) + [0, 0, 0, UInt8(type.utf8.count)] + Array(type.utf8)
        let identity = [8] + Array("Identity".utf8) + [0, 0, 0, 0]
        let body = [5] + Array("READY".utf8) + property + identity
        return [4, UInt8(body.count)] + body
    }

    private static func frame(_ content: [UInt8]) -> [UInt8] {
        FrameHeader.with(messageBytes: content.count) { Array($0) } + content
    }

    /// Everything that the bytes say, given in pieces of a size.
    private static func events(
        _ bytes: [UInt8], to session: inout Session, pieces: Int = .max
    ) throws(ProtocolFailure) -> [Session.Event] {
        var events: [Session.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pieces)
            rest = rest.dropFirst(piece.count)
            piece.withUnsafeBytes { session.receive($0) }
            while let event = try session.next() { events.append(event) }
        }
        return events
    }

    private static func failure(_ bytes: [UInt8], to type: SocketType = .router) -> ProtocolFailure? {
        var session = Session(type)
        do throws(ProtocolFailure) {
            _ = try events(bytes, to: &session)
            return nil
        } catch {
            return error
        }
    }

    @Test func twoSessionsEstablishThemselvesAndMessagesPassWhole() throws {
        var router = Session(.router)
        var dealer = Session(.dealer)
        var heard: [Session.Event] = []
        for _ in 0..<3 {
            heard += try Self.events(dealer.takeOutput(), to: &router)
            heard += try Self.events(router.takeOutput(), to: &dealer)
        }
        #expect(heard == [.established, .established])
        #expect(router.isEstablished && dealer.isEstablished)
        for size in [0, 1, 255, 256, 70_000] {
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            #expect(try Self.events(Self.frame(content), to: &router) == [.message(content)])
        }
    }

    @Test(arguments: [1, 2, 3, 7, 64, 65, 1_000]) func whatComesInPiecesSaysTheSame(pieces: Int) throws {
        let bytes =
            Self.greeting + Self.ready("DEALER") + Self.frame([1]) + Self.frame([])
            + Self.frame([UInt8](repeating: 7, count: 300))
        var session = Session(.router)
        let events = try Self.events(bytes, to: &session, pieces: pieces)
        #expect(
            events == [
                .established, .message([1]), .message([]), .message([UInt8](repeating: 7, count: 300)),
            ])
    }

    @Test func aMessageOfSeveralFramesIsDroppedAndCountedAndTheNextIsRead() throws {
        var session = Session(.router)
        let bytes = Self.greeting + Self.ready("REQ") + [1, 0, 1, 1, 9, 0, 1, 8] + Self.frame([5])
        #expect(try Self.events(bytes, to: &session) == [.established, .message([5])])
        #expect(session.malformedMessages == 1)
    }

    @Test func aPingIsAnsweredWithItsContext() throws {
        var session = Session(.router)
        _ = try Self.events(Self.greeting + Self.ready("DEALER"), to: &session)
        _ = session.takeOutput()
        let ping = [4] + Array("PING".utf8) + [0, 10] + Array("abc".utf8)
        #expect(try Self.events([4, UInt8(ping.count)] + ping, to: &session).isEmpty)
        #expect(session.takeOutput() == [4, 8, 4] + Array("PONGabc".utf8))
    }

    @Test func aFloodOfPingsIsNotAnsweredWithoutEnd() throws {
        var session = Session(.router)
        _ = try Self.events(Self.greeting + Self.ready("DEALER"), to: &session)
        let ping = [4] + Array("PING".utf8) + [0, 10]
        let flood = [[UInt8]](repeating: [4, UInt8(ping.count)] + ping, count: 10_000).flatMap(\.self)
        #expect(try Self.events(flood, to: &session).isEmpty)
        #expect(session.takeOutput().count < 5_000)
    }

    @Test func aStrangerIsKnownByItsFirstBytes() {
        #expect(Self.failure(Array("GET / HTTP/1.1".utf8)) == .notZMTP)
        #expect(Self.failure([0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7E]) == .notZMTP)
        #expect(Self.failure([0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1]) == .oldVersion(1))
        var curve = Self.greeting
        curve.replaceSubrange(12..<17, with: Array("CURVE".utf8))
        #expect(Self.failure(curve) == .foreignMechanism("CURVE"))
        #expect(Self.failure(Self.greeting + Self.ready("SUB")) == .foreignSocketType("SUB"))
    }

    @Test func whatBreaksTheProtocolEndsTheConnection() {
        let start = Self.greeting + Self.ready("DEALER")
        let error = [5] + Array("ERROR".utf8) + [2] + Array("no".utf8)
        let broken: [([UInt8], ProtocolFailure)] = [
            (start + [8, 0], .malformed("a frame with reserved flags")),
            (start + [5, 0], .malformed("a command in more than one frame")),
            (Self.greeting + Self.frame([1]), .malformed("a message before the handshake")),
            (start + Self.ready("DEALER"), .malformed("a command that does not belong here")),
            (Self.greeting + [4, 2, 9, 0], .malformed("a command that ends too early")),
            (Self.greeting + [4, 6, 5] + Array("READY".utf8), .malformed("a handshake without Socket-Type")),
            (start + [2] + [UInt8](repeating: 0xFF, count: 8), .tooLong(.max)),
            (start + [2, 0, 0, 0, 0, 0, 0x80, 0, 1], .tooLong((8 << 20) + 1)),
            (Self.greeting + [4, UInt8(error.count)] + error, .refused(reason: "no")),
        ]
        for (bytes, expected) in broken { #expect(Self.failure(bytes) == expected) }
    }

    @Test func aLaterVersionIsSpokenToAsThree() throws {
        var greeting = Self.greeting
        greeting[10] = 4
        var session = Session(.router)
        #expect(try Self.events(greeting + Self.ready("DEALER"), to: &session) == [.established])
    }

    /// Any byte string gives events or a failure, never a trap.
    @Test func noInputMakesTheSessionTrap() {
        let seed = UInt64.random(in: 0..<1_000_000)
        var random = SplitMix64(state: seed)
        for round in 0..<3_000 {
            var bytes = Self.greeting + Self.ready("DEALER") + Self.frame([1, 2, 3])
            for _ in 0...(random.next() % 4) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes += (0..<random.next() % 40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            var session = Session(round % 2 == 0 ? .router : .dealer)
            do throws(ProtocolFailure) {
                _ = try Self.events(bytes, to: &session, pieces: 1 + Int(random.next() % 90))
            } catch {
                #expect(!"\(error)".isEmpty, "seed \(seed), round \(round)")
            }
        }
    }
}
