import Glibc

package struct HTTPTestResponse: Equatable, Sendable {
    package let status: Int
    /// In the order of arrival, names as they were written.
    package let headers: [Header]
    package let body: [UInt8]

    package struct Header: Equatable, Sendable {
        package let name: String
        package let value: String
    }

    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The value of the first header of that name, in any case.
    package subscript(header name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// One HTTP/1.1 connection that blocks, for tests.
///
/// It sends what it is told, right or wrong. Not for use from two threads; call it from ``DedicatedThreads``
/// where many run at once.
package final class HTTPTestClient {
    private let descriptor: CInt
    private var received: [UInt8] = []

    package init(_ address: SocketAddress, timeout: Duration = .seconds(40)) throws(TestSupportError) {
        descriptor = try address.connect(timeout: timeout)
    }

    deinit { close(descriptor) }

    /// A connection for one exchange, on a thread of its own.
    package static func once(
        _ address: SocketAddress, _ method: String, _ path: String, headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> HTTPTestResponse {
        try await DedicatedThreads.run {
            try HTTPTestClient(address).request(method, path, headers: headers, body: body)
        }
    }

    package func request(
        _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
    ) throws(TestSupportError) -> HTTPTestResponse {
        var head = "\(method) \(path) HTTP/1.1\r\n"
        if headers["Host"] == nil { head += "Host: test\r\n" }
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { head += "\(name): \(value)\r\n" }
        if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
        try send(head + "\r\n" + (body ?? ""))
        return try response(toHead: method == "HEAD")
    }

    package func post(
        _ path: String, _ json: String, headers: [String: String] = [:]
    ) throws(TestSupportError) -> HTTPTestResponse {
        let headers = headers.merging(["Content-Type": "application/json"]) { given, _ in given }
        return try request("POST", path, headers: headers, body: json)
    }

    package func send(_ text: String) throws(TestSupportError) { try send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) throws(TestSupportError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw .systemCall(name: "send", errno: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// The next response on the connection; bodies by Content-Length.
    package func response(toHead isHead: Bool = false) throws(TestSupportError) -> HTTPTestResponse {
        let terminator = Array("\r\n\r\n".utf8)
        while received.firstRange(of: terminator) == nil { try receiveMore() }
        guard let end = received.firstRange(of: terminator) else { throw .malformedResponse(bytes: received) }
        let lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let statusWords = (lines.first ?? "").split(separator: " ")
        guard statusWords.count >= 2, statusWords[0] == "HTTP/1.1", let status = Int(statusWords[1]) else {
            throw .malformedResponse(bytes: received)
        }
        var headers: [HTTPTestResponse.Header] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .malformedResponse(bytes: received) }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers.append(.init(name: String(line[..<colon]), value: String(value)))
        }
        received.removeSubrange(..<end.upperBound)
        let length = headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        let isWithoutBody = isHead || status == 204 || status / 100 == 1
        let bodyCount = isWithoutBody ? 0 : length
        while received.count < bodyCount { try receiveMore() }
        let body = Array(received.prefix(bodyCount))
        received.removeFirst(bodyCount)
        return HTTPTestResponse(status: status, headers: headers, body: body)
    }

    /// Shows the server the end of the requests while its answers can still come.
    package func finishSending() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// Waits until the server closes.
    ///
    /// False if it sends more instead.
    package func isClosedByServer() throws(TestSupportError) -> Bool {
        if !received.isEmpty { return false }
        do throws(TestSupportError) {
            try receiveMore()
            return false
        } catch .connectionClosed {
            return true
        }
    }

    private func receiveMore() throws(TestSupportError) {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count == 0 || (count < 0 && errno == ECONNRESET) {
            throw .connectionClosed(received: received)
        }
        guard count > 0 else { throw .systemCall(name: "recv", errno: errno) }
        received += chunk[..<count]
    }
}
