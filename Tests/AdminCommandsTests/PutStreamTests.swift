import AdminCommands
import Glibc
import TestSupport
import Testing

/// `taskq put --ndjson` against a server that does what servers do.
@Suite struct PutStreamTests {
    private static func accept(_ post: FakeIngest.Post) -> FakeIngest.Reaction {
        .answer(status: 201, body: #"{"task_id":"id-\#(post.body)"}"#)
    }

    /// The exit code of a command that posts the lines, and the posts that came.
    private static func put(
        _ lines: String, _ options: [String] = [],
        _ react: @escaping @Sendable (FakeIngest.Post) -> FakeIngest.Reaction
    ) throws -> (code: Int32, posts: [FakeIngest.Post]) {
        try TemporaryDirectory.with { directory in
            try directory.write(lines, to: "lines")
            let (posts, code) = try FakeIngest.with(react) { url in
                AdminProgram.run(
                    ["put", "mail", "@" + directory.path("lines"), "--ndjson", "--url", url] + options)
            }
            return (code, posts)
        }
    }

    private static func lines(_ count: Int) -> String { (1...count).map { "\($0)\n" }.joined() }

    @Test func oneConnectionCarriesTheLinesInTheirOrder() throws {
        let (code, posts) = try Self.put(Self.lines(500), [], Self.accept)
        #expect(code == 0)
        #expect(posts.map(\.body) == (1...500).map(String.init))
        #expect(posts.allSatisfy { $0.connection == 0 })
        #expect(posts.allSatisfy { !$0.head.contains("Idempotency-Key") })
        #expect(posts.first?.head.hasPrefix("POST /queues/mail/tasks HTTP/1.1\r\n") == true)
    }

    @Test func eachLineHasAKeyOfItsOwn() throws {
        let (code, posts) = try Self.put(
            "1\n\n3", ["--idempotency-key", "january", "--group", "g"], Self.accept)
        #expect(code == 0)
        #expect(posts.map { $0.head.contains("Idempotency-Key: january/1") } == [true, false])
        #expect(posts.map { $0.head.contains("Idempotency-Key: january/3") } == [false, true])
        #expect(posts.allSatisfy { $0.head.contains("Taskq-Group: g") })
    }

    @Test func whatCameBehindTheLastAnswerOfAConnectionIsSentAgainInItsPlace() throws {
        let (code, posts) = try Self.put(Self.lines(200)) { post in
            // As ingest does behind a body that is too large, and when it stops.
            post.index == 9
                ? .answerAndClose(status: 413, body: #"{"detail":"Request body too large"}"#)
                : Self.accept(post)
        }
        #expect(code == 1, "each tenth line was refused")
        #expect(posts.map(\.body) == (1...200).map(String.init), "none was lost, doubled or moved")
        #expect(posts.last?.connection == 19)
    }

    @Test(arguments: [400, 409, 413, 422])
    func aLineThatIsRefusedForItselfDoesNotStopTheOthers(status: Int) throws {
        let (code, posts) = try Self.put(Self.lines(20)) { post in
            post.body == "7" ? .answer(status: status, body: #"{"detail":"no"}"#) : Self.accept(post)
        }
        #expect(code == 1)
        #expect(posts.count == 20)
    }

    @Test(arguments: [(404, 4), (503, 3), (500, 3), (401, 1), (301, 1)] as [(Int, Int32)])
    func whatConcernsAllLinesEndsTheCommand(status: Int, code: Int32) throws {
        let (found, posts) = try Self.put(Self.lines(2_000)) { post in
            post.index >= 6 ? .answer(status: status, body: #"{"detail":"no"}"#) : Self.accept(post)
        }
        #expect(found == code)
        #expect(posts.count < 2_000, "what was not on its way stays")
    }

    @Test func aConnectionThatBreaksLeavesItsLinesUnknownAndEndsTheCommand() throws {
        let (code, posts) = try Self.put(Self.lines(2_000)) { post in
            post.index == 5 ? .hangUp : Self.accept(post)
        }
        #expect(code == 3)
        #expect(posts.count == 6, "nothing is sent twice by itself")
    }

    @Test func severalConnectionsCarryEveryLineOnceAlsoWhereTheyEnd() throws {
        let (code, posts) = try Self.put(Self.lines(1_000), ["--connections", "4"]) { post in
            post.index == 99
                ? .answerAndClose(status: 201, body: #"{"task_id":"x"}"#) : Self.accept(post)
        }
        #expect(code == 0)
        #expect(posts.compactMap { Int($0.body) }.sorted() == Array(1...1_000))
        #expect(Set(posts.map(\.connection)).count >= 4)
    }

    @Test func aLineLongerThanAnyBodyIsRefusedWithoutBeingSent() throws {
        let long = String(repeating: " ", count: LineCutter.lineBytesMax + 1)
        let (code, posts) = try Self.put("1\n\"\(long)\"\n3\n", [], Self.accept)
        #expect(code == 1)
        #expect(posts.map(\.body) == ["1", "3"])
    }

    @Test func anEmptyFileIsNothingToDo() throws {
        let (code, posts) = try Self.put("", [], Self.accept)
        #expect(code == 0)
        #expect(posts.isEmpty)
    }
}
