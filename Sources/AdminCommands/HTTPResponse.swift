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
        while true {
            guard let end = Self.endOfHead(rest) else { throw .truncated }
            let lines = String(decoding: rest[..<end], as: UTF8.self).split(separator: "\r\n")
            rest = rest[(end + 4)...]
            status = try Self.status(of: lines.first ?? "")
            headers = try lines.dropFirst().map { line throws(Failure) in try Self.header(line) }
            body = []
            if status >= 200 { break }
        }
        body = try readBody(rest)
    }

    private static func endOfHead(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (bytes.startIndex...(bytes.endIndex - 4)).first { index in
            bytes[index..<(index + 4)].elementsEqual([13, 10, 13, 10])
        }
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
