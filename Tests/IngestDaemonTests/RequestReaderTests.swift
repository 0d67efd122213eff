import TestSupport
import Testing

@testable import IngestDaemon

@Suite struct RequestReaderTests {
    private static let limits = RequestLimits(headBytesMax: 512, fieldsMax: 8, bodyBytesMax: 64)

    private struct Read: Equatable {
        var method = RequestMethod.other
        var target = ""
        var body = ""
        var keepsAlive = true
    }

    /// All requests of a text that comes in pieces of a size, and the fault that ends them.
    private func read(_ text: String, pieces: Int = .max) -> ([Read], RequestFault?) {
        var reader = RequestReader(limits: Self.limits)
        var rest = Array(text.utf8)[...]
        var bytes: [UInt8] = []
        var requests: [Read] = []
        while true {
            do throws(RequestFault) {
                let step = try bytes.advance(&reader)
                if case .complete(let request) = step {
                    requests.append(show(request, bytes))
                    bytes.removeFirst(request.length)
                    continue
                }
            } catch {
                return (requests, error)
            }
            guard !rest.isEmpty else { return (requests, nil) }
            bytes += rest.prefix(pieces)
            rest = rest.dropFirst(pieces)
        }
    }

    private func show(_ request: RequestReader.Request, _ bytes: [UInt8]) -> Read {
        let head = bytes[request.headStart..<request.headStart + request.head.length]
        let target = request.head.target
        let body =
            switch request.body {
            case .inPlace(let range): Array(bytes[range])
            case .assembled(let content): content
            }
        return Read(
            method: request.head.method,
            target: String(
                decoding: head[head.startIndex + target.lowerBound..<head.startIndex + target.upperBound],
                as: UTF8.self),
            body: String(decoding: body, as: UTF8.self), keepsAlive: request.head.keepsAlive)
    }

    private static let good: [(text: String, read: Read)] = [
        ("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", Read(method: .get, target: "/a?b=c")),
        (
            "POST /tasks HTTP/1.1\r\nhOsT:x\r\nContent-length:\t 5 \r\n\r\nhello",
            Read(method: .post, target: "/tasks", body: "hello")
        ),
        ("\r\nDELETE /t HTTP/1.1\r\nHost:\r\n\r\n", Read(method: .delete, target: "/t")),
        (
            "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: foo , Close\r\n\r\n",
            Read(method: .head, target: "/", keepsAlive: false)
        ),
        ("GET / HTTP/1.0\r\n\r\n", Read(method: .get, target: "/", keepsAlive: false)),
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", Read(target: "*")),
        ("get / HTTP/1.1\r\nHost: x\r\n\r\n", Read(target: "/")),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n"
                + "0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
            Read(method: .post, target: "/", body: "abc0123456789")
        ),
        ("GET /\u{7E} HTTP/1.1\r\nHost: x\r\nA: \u{E9}\t!\r\n\r\n", Read(method: .get, target: "/~")),
    ]

    @Test func requestsAreReadWhateverThePiecesTheyComeIn() {
        let stream = Self.good.map(\.text).joined()
        for pieces in [1, 2, 3, 7, 64, .max] {
            let (requests, fault) = read(stream, pieces: pieces)
            #expect(fault == nil)
            #expect(requests == Self.good.map(\.read))
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\n\r\n",
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", "GET /\r\nHost: x\r\n\r\n",
        "GET / http/1.1\r\nHost: x\r\n\r\n", "GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n", "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA\u{0}: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\u{0}\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n123456789\r\n", "\r\n\r\n\r\nGET",
        "GET / HTTP/1.1\r\nHost: x\r\n\u{1}", "\u{16}\u{3}\u{1}\u{2}\u{0}\n",
    ])
    func whatIsNotStrictHTTPIsAFaultAndNotAnotherRequest(text: String) {
        let (requests, fault) = read(text + "\r\n\r\n")
        #expect(requests.isEmpty)
        #expect(fault == .malformed)
    }

    @Test func whatIsTooLargeIsSaidToBeSo() {
        let start = "POST / HTTP/1.1\r\nHost: x\r\n"
        let long = String(repeating: "x", count: 600)
        #expect(read(start + "A: \(long)\r\n\r\n").1 == .headTooLarge)
        #expect(read(start + "A: \(long)", pieces: 100).1 == .headTooLarge)
        let fields = (0..<8).map { "A\($0): b\r\n" }.joined()
        #expect(read(start + fields + "\r\n").1 == .headTooLarge)
        #expect(read(start + "Content-Length: 65\r\n\r\n").1 == .bodyTooLarge)
        #expect(read(start + "Content-Length: 99999999999999999999999\r\n\r\n").1 == .bodyTooLarge)
        #expect(read(start + "Content-Length: 64\r\n\r\n").1 == nil)
        let chunk = "20\r\n\(long.prefix(32))\r\n"
        #expect(read(start + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk).1 == nil)
        #expect(
            read(start + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "1\r\n").1 == .bodyTooLarge)
        #expect(read(start + "Expect: 200-ok\r\n\r\n").1 == .expectationFailed)
        #expect(read(start + "Taskq-Group: a\r\nTaskq-Group: a\r\n\r\n").1 == .repeatedField)
    }

    @Test func aClientThatAsksIsToldToContinueOnce() throws {
        var reader = RequestReader(limits: Self.limits)
        let head = Array(
            "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n".utf8)
        #expect(try head.advance(&reader) == .needsBody(bytesMax: 2, asksToContinue: true))
        #expect(try (head + [0x61]).advance(&reader) == .needsBody(bytesMax: 2, asksToContinue: false))
        guard case .complete = try (head + [0x61, 0x61]).advance(&reader) else {
            Issue.record("the request is complete")
            return
        }
    }

    @Test func noBytesWhateverMakeItTrap() {
        var generator = SeededGenerator(seed: 5)
        var complete = 0
        for _ in 0..<30_000 {
            var bytes = Array(Self.good[Int.random(in: 0..<Self.good.count, using: &generator)].text.utf8)
            for _ in 0..<Int.random(in: 0..<4, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 2: bytes.insert(contentsOf: Array("\r\n\r\n".utf8).prefix(2), at: place)
                case _: bytes.removeSubrange(place...)
                }
            }
            let pieces = Int.random(in: 1...40, using: &generator)
            complete += read(String(decoding: bytes, as: UTF8.self), pieces: pieces).0.count
        }
        #expect(complete > 1_000)
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` that keeps the type of the error.
    func advance(_ reader: inout RequestReader) throws(RequestFault) -> RequestReader.Step {
        let outcome = withUnsafeBytes { bytes -> Result<RequestReader.Step, RequestFault> in
            do throws(RequestFault) { return .success(try reader.advance(over: bytes)) } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
