/// Reads a request's head: a strict subset of RFC 9112 in which every reader sees the same requests.
///
/// Lines end in CR LF and nothing else, no field is folded, no space stands before a colon, a body has
/// exactly one `Content-Length` or is `chunked` and nothing else. Whatever is not that is a fault.
struct RequestHeadParser {
    private let bytes: UnsafeRawBufferPointer
    private let limits: RequestLimits
    private var position = 0
    private var fields = 0
    private var hosts = 0
    private var hasContentLength = false

    /// `bytes` is a whole head, its empty line included.
    static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: RequestLimits
    ) throws(RequestFault) -> RequestHead {
        var parser = RequestHeadParser(bytes: bytes, limits: limits)
        return try parser.parse()
    }

    private init(bytes: UnsafeRawBufferPointer, limits: RequestLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    private mutating func parse() throws(RequestFault) -> RequestHead {
        let method = try parseMethod()
        let target = try parseTarget()
        let isHTTP11 = try parseVersion()
        var head = RequestHead(method: method, target: target)
        head.keepsAlive = isHTTP11
        while bytes[position] != Self.carriageReturn { try parseField(into: &head) }
        position += 2
        guard position == bytes.count else { throw .malformed }
        guard hosts == 1 || (!isHTTP11 && hosts == 0) else { throw .malformed }
        if head.isChunked, hasContentLength || !isHTTP11 { throw .malformed }
        head.length = position
        return head
    }

    private mutating func parseMethod() throws(RequestFault) -> RequestMethod {
        let start = position
        while Self.isToken(bytes[position]) { position += 1 }
        let name = start..<position
        guard !name.isEmpty, bytes[position] == Self.space else { throw .malformed }
        position += 1
        // Methods are words of one case.
        if isExactly(name, "POST") { return .post }
        if isExactly(name, "GET") { return .get }
        if isExactly(name, "DELETE") { return .delete }
        return isExactly(name, "HEAD") ? .head : .other
    }

    private mutating func parseTarget() throws(RequestFault) -> Range<Int> {
        let start = position
        while bytes[position] > Self.space, bytes[position] < 0x7F { position += 1 }
        guard position > start, bytes[position] == Self.space else { throw .malformed }
        // `*` is the target of OPTIONS alone; proxies' absolute form is for proxies.
        guard bytes[start] == UInt8(ascii: "/") || isExactly(start..<position, "*") else { throw .malformed }
        defer { position += 1 }
        return start..<position
    }

    /// True for HTTP/1.1, false for HTTP/1.0.
    private mutating func parseVersion() throws(RequestFault) -> Bool {
        guard bytes.count - position > 10 else { throw .malformed }
        let version = position..<position + 8
        let isHTTP11 = isExactly(version, "HTTP/1.1")
        guard isHTTP11 || isExactly(version, "HTTP/1.0") else { throw .malformed }
        position += 8
        try parseLineEnd()
        return isHTTP11
    }

    private mutating func parseLineEnd() throws(RequestFault) {
        guard bytes.count - position >= 2, bytes[position] == Self.carriageReturn,
            bytes[position + 1] == Self.lineFeed
        else { throw .malformed }
        position += 2
    }

    private mutating func parseField(into head: inout RequestHead) throws(RequestFault) {
        fields += 1
        guard fields <= limits.fieldsMax else { throw .headTooLarge }
        let nameStart = position
        while Self.isToken(bytes[position]) { position += 1 }
        let name = nameStart..<position
        guard !name.isEmpty, bytes[position] == UInt8(ascii: ":") else { throw .malformed }
        position += 1
        while Self.isBlank(bytes[position]) { position += 1 }
        let valueStart = position
        while Self.isFieldValue(bytes[position]) { position += 1 }
        var valueEnd = position
        while valueEnd > valueStart, Self.isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
        try parseLineEnd()
        try take(name, valueStart..<valueEnd, into: &head)
    }

    private mutating func take(
        _ name: Range<Int>, _ value: Range<Int>, into head: inout RequestHead
    ) throws(RequestFault) {
        switch name.count {
        case 4 where isSame(name, "host"): hosts += 1
        case 6 where isSame(name, "expect"):
            guard isSame(value, "100-continue") else { throw .expectationFailed }
            head.expectsContinue = true
        case 10 where isSame(name, "connection"):
            if lists(value, "close") { head.keepsAlive = false }
        case 11 where isSame(name, "taskq-group"): try takeOnce(value, &head.group)
        // W3C: more than one is as good as none.
        case 11 where isSame(name, "traceparent"): head.traceparent = head.traceparent == nil ? value : 0..<0
        case 12 where isSame(name, "content-type"): try takeOnce(value, &head.contentType)
        case 14 where isSame(name, "content-length"):
            guard !hasContentLength else { throw .malformed }
            hasContentLength = true
            head.contentLength = try length(value)
        case 15 where isSame(name, "idempotency-key"): try takeOnce(value, &head.idempotencyKey)
        case 17 where isSame(name, "transfer-encoding"):
            guard !head.isChunked, isSame(value, "chunked") else { throw .malformed }
            head.isChunked = true
        case _: break
        }
    }

    private func takeOnce(_ value: Range<Int>, _ field: inout Range<Int>?) throws(RequestFault) {
        guard field == nil else { throw .repeatedField }
        field = value
    }

    /// Digits only; anything too long for a body here is said to be so.
    private func length(_ value: Range<Int>) throws(RequestFault) -> Int {
        guard !value.isEmpty else { throw .malformed }
        var number = 0
        for index in value {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { throw .malformed }
            number = min(number * 10 + Int(digit), Int(Int32.max))
        }
        guard number <= limits.bodyBytesMax else { throw .bodyTooLarge }
        return number
    }

    /// Whether a comma-separated list has the word.
    private func lists(_ value: Range<Int>, _ word: StaticString) -> Bool {
        var start = value.lowerBound
        while start < value.upperBound {
            var end = start
            while end < value.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
            var first = start
            var last = end
            while first < last, Self.isBlank(bytes[first]) { first += 1 }
            while last > first, Self.isBlank(bytes[last - 1]) { last -= 1 }
            if isSame(first..<last, word) { return true }
            start = end + 1
        }
        return false
    }

    private func isExactly(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<range.count where bytes[range.lowerBound + index] != word.utf8Start[index] {
            return false
        }
        return true
    }

    /// Whatever the case; `word` is lower.
    private func isSame(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<range.count
        where Self.lowercased(bytes[range.lowerBound + index]) != word.utf8Start[index] {
            return false
        }
        return true
    }

    private static let space = UInt8(ascii: " ")
    private static let carriageReturn: UInt8 = 0x0D
    private static let lineFeed: UInt8 = 0x0A

    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private static func isFieldValue(_ byte: UInt8) -> Bool {
        byte >= 0x20 ? byte != 0x7F : byte == 0x09
    }

    /// RFC 9110's `tchar`: letters, digits and ``!#$%&'*+-.^_`|~``.
    private static func isToken(_ byte: UInt8) -> Bool {
        let half = byte < 64 ? lowTokens : highTokens
        return byte < 128 && half >> UInt64(byte & 63) & 1 == 1
    }

    /// Bit n: whether character n is one.
    private static let lowTokens: UInt64 = 0x03FF_6CFA_0000_0000
    /// Bit n: whether character 64 + n is one.
    private static let highTokens: UInt64 = 0x57FF_FFFF_C7FF_FFFE
}
