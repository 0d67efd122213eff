/// A whole HTTP/1.1 response, read from the bytes of a connection that the server closes behind it.
package struct HTTPResponse: Hashable, Sendable {
    package var status: Int
    /// Names in lower case, in the order of the response.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package static func == (left: HTTPResponse, right: HTTPResponse) -> Bool {
        left.status == right.status && left.body == right.body
            && left.headers.elementsEqual(right.headers) { $0 == $1 }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(status)
        hasher.combine(body)
    }

    package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// Why bytes are no response that this program reads.
    package enum Failure: Error, Hashable, Sendable {
        /// The connection ended before the response did.
        case truncated
        case malformed(String)
    }

    /// Reads all that came until the server closed.
    ///
    /// Interim responses (1xx) are skipped.
    package init(parsing bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        repeat {
            self = try HTTPResponse(takingHead: &rest)
        } while status < 200
        body = try readBody(rest)
    }

    /// Takes the first response from the bytes of a connection that stays open; nil while it is not whole.
    ///
    /// Bodies are those of a Content-Length; chunks, which taskq-ingest never sends, are malformed here.
    package static func takeFirst(from bytes: inout [UInt8]) throws(Failure) -> HTTPResponse? {
        guard let end = endOfHead(bytes[...]) else { return nil }
        var rest = bytes[...]
        var response = try HTTPResponse(takingHead: &rest)
        var length = 0
        if response.status >= 200, response.status != 204, response.status != 304 {
            guard let text = response.header("content-length"), let count = Int(text), count >= 0 else {
                throw .malformed("no Content-Length on a connection that stays open")
            }
            length = count
        }
        guard rest.count >= length else { return nil }
        response.body = Array(rest.prefix(length))
        bytes.removeFirst(end + 4 + length)
        return response.status < 200 ? try takeFirst(from: &bytes) : response
    }

    /// Without its body; `bytes` begins behind the head then.
    private init(takingHead bytes: inout ArraySlice<UInt8>) throws(Failure) {
        guard let end = Self.endOfHead(bytes) else { throw .truncated }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        bytes = bytes[(end + 4)...]
        status = try Self.status(of: lines.first ?? "")
        headers = try lines.dropFirst().map { line throws(Failure) in try Self.header(line) }
        body = []
    }

    private static func endOfHead(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        var index = bytes.startIndex
        while let found = bytes[index...].firstIndex(of: 13) {
            if found + 4 > bytes.endIndex { return nil }
            if bytes[found + 1] == 10, bytes[found + 2] == 13, bytes[found + 3] == 10 { return found }
            index = found + 1
        }
        return nil
    }

    private static func status(of line: Substring) throws(Failure) -> Int {
        let words = line.split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
            (100...599).contains(status)
        else { throw .malformed("status line") }
        return status
    }

    private static func header(_ line: Substring) throws(Failure) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
            throw .malformed("header")
        }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        return (line[..<colon].lowercased(), String(value))
    }

    private func readBody(_ bytes: ArraySlice<UInt8>) throws(Failure) -> [UInt8] {
        if status == 204 || status == 304 { return [] }
        if header("transfer-encoding")?.lowercased() == "chunked" { return try Self.unchunk(bytes) }
        guard let text = header("content-length") else { return Array(bytes) }
        guard let count = Int(text), count >= 0 else { throw .malformed("Content-Length") }
        guard bytes.count >= count else { throw .truncated }
        return Array(bytes.prefix(count))
    }

    private static func unchunk(_ bytes: ArraySlice<UInt8>) throws(Failure) -> [UInt8] {
        var body: [UInt8] = []
        var rest = bytes
        while true {
            guard let lineEnd = rest.firstIndex(of: 13), lineEnd + 1 < rest.endIndex else { throw .truncated }
            let digits = String(decoding: rest[..<lineEnd].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
            guard let count = Int(digits, radix: 16), count >= 0, count <= bytes.count else {
                throw .malformed("chunk")
            }
            rest = rest[(lineEnd + 2)...]
            if count == 0 { return body }
            guard rest.count >= count + 2 else { throw .truncated }
            body += rest.prefix(count)
            rest = rest.dropFirst(count + 2)
        }
    }
}
