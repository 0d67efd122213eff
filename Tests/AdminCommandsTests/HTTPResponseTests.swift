import AdminCommands
import Testing

@Suite struct HTTPResponseTests {
    @Test func aResponseHasItsStatusItsHeadersAndItsBody() throws {
        let text = "HTTP/1.1 201 Created\r\nLocation: /tasks/x\r\ncontent-length: 2\r\n\r\n{}rest"
        let response = try HTTPResponse(parsing: Array(text.utf8))
        #expect(response.status == 201)
        #expect(response.header("location") == "/tasks/x")
        #expect(response.body == Array("{}".utf8))
    }

    @Test func withoutALengthTheBodyLastsToTheEnd() throws {
        let response = try HTTPResponse(parsing: Array("HTTP/1.1 200 OK\r\n\r\nall of it".utf8))
        #expect(response.body == Array("all of it".utf8))
    }

    @Test func chunksAreJoined() throws {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
        #expect(try HTTPResponse(parsing: Array(text.utf8)).body == Array("abc0123456789".utf8))
    }

    @Test func anInterimResponseIsSkipped() throws {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
        #expect(try HTTPResponse(parsing: Array(text.utf8)).status == 204)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ])
    func aResponseThatEndsEarlyIsTruncated(text: String) {
        #expect(throws: HTTPResponse.Failure.truncated) { try HTTPResponse(parsing: Array(text.utf8)) }
    }

    @Test(arguments: [
        "SSH-2.0-x\r\n\r\n\r\n\r\n", "HTTP/1.1 two OK\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n",
    ])
    func whatIsNoResponseIsRefused(text: String) {
        #expect(throws: HTTPResponse.Failure.self) { try HTTPResponse(parsing: Array(text.utf8)) }
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080", "127.0.0.1:8080", ""), ("http://localhost", "localhost:80", ""),
        ("http://[::1]:9/a/b/", "[::1]:9", "/a/b"), ("http://[::1]", "[::1]:80", ""),
        ("http://h:1/", "h:1", ""),
    ])
    func anAddressIsAHostAPortAndAPrefix(url: String, authority: String, prefix: String) throws {
        let address = try #require(HTTPAddress(url))
        #expect(address.authority == authority)
        #expect(address.prefix == prefix)
    }

    @Test(arguments: [
        "", "localhost:80", "https://x", "http://", "http://:80", "http://h:x", "http://h:1/a b",
        "http://a@b",
    ])
    func anythingElseIsNoAddress(url: String) {
        #expect(HTTPAddress(url) == nil)
    }

    @Test func responsesOfOneConnectionAreTakenOneByOneWhereverTheyAreCut() throws {
        let text =
            "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\n\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
            + "HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var received: [UInt8] = []
            var found: [HTTPResponse] = []
            for piece in [bytes[..<cut], bytes[cut...]] {
                received += piece
                while let response = try HTTPResponse.takeFirst(from: &received) { found.append(response) }
            }
            #expect(found.map(\.status) == [201, 422], "cut at \(cut)")
            #expect(found.map(\.body) == [Array("\r\n\r\n".utf8), Array("{}".utf8)])
            #expect(received.isEmpty)
        }
    }

    @Test func onAConnectionThatStaysOpenABodyNeedsALength() {
        var bytes = Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
        #expect(throws: HTTPResponse.Failure.self) { try HTTPResponse.takeFirst(from: &bytes) }
    }

    @Test(
        arguments: [
            (#"{"detail":"Not Found"}"#, "Not Found"), ("<html>no\n</html>", "<html>no</html>"),
            (
                #"{"detail":[{"type":"missing","loc":["body","title"],"msg":"Field required","input":{}},"#
                    + #"{"type":"enum","loc":["body","tasks",3,"priority"],"msg":"Input should be 'low'"}]}"#,
                "title: Field required; tasks.3.priority: Input should be 'low'"
            ),
            (
                #"{"detail":[{"loc":["body",7],"msg":"JSON decode error","ctx":{"error":"no name"}}]}"#,
                "7: JSON decode error (no name)"
            ),
            (#"{"detail":[]}"#, #"{"detail":[]}"#), ("", ""),
        ] as [(String, String)])
    func anErrorSaysInOneLineWhereAndWhat(body: String, text: String) throws {
        let head = "HTTP/1.1 422 X\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        #expect(try HTTPResponse(parsing: Array((head + body).utf8)).detailText == text)
    }
}
