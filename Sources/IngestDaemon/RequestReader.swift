/// Finds one request after the other in what a connection receives.
///
/// Fed with everything that has come and was not yet used, it says how far it got. Pure: no I/O, no clock.
struct RequestReader {
    enum Step: Hashable, Sendable {
        /// Nothing of a request has come.
        case empty
        case needsHead
        /// A head has come; its body, of at most so many bytes, has not, or not wholly.
        ///
        /// `asksToContinue` is true once, where the client waits to be told to go on.
        case needsBody(bytesMax: Int, asksToContinue: Bool)
        case complete(Request)
    }

    struct Request: Hashable, Sendable {
        let head: RequestHead
        /// Where the head begins in the bytes.
        let headStart: Int
        let body: Body
        /// How many bytes to drop when the request has been looked at.
        let length: Int
    }

    enum Body: Hashable, Sendable {
        /// A range of the bytes.
        case inPlace(Range<Int>)
        /// Put together from its chunks.
        case assembled([UInt8])
    }

    private enum Stage {
        case head(scanned: Int)
        case body(RequestHead, start: Int)
        case chunks(RequestHead, start: Int, ChunkedBody)
    }

    private let limits: RequestLimits
    private var stage = Stage.head(scanned: 0)
    private var saidContinue = false

    init(limits: RequestLimits) {
        self.limits = limits
    }

    /// Looks at the bytes again, after more have come or a request was dropped.
    mutating func advance(over bytes: UnsafeRawBufferPointer) throws(RequestFault) -> Step {
        if case .head(let scanned) = stage {
            let start = Self.emptyLines(bytes)
            guard bytes.count > start else { return .empty }
            guard let end = Self.headEnd(bytes, from: max(scanned, start)) else {
                guard bytes.count - start <= limits.headBytesMax else { throw .headTooLarge }
                try Self.refuseBareLineFeed(bytes, from: scanned)
                stage = .head(scanned: max(start, bytes.count - 3))
                return .needsHead
            }
            guard end - start <= limits.headBytesMax else { throw .headTooLarge }
            let head = try RequestHeadParser.parse(
                UnsafeRawBufferPointer(rebasing: bytes[start..<end]), limits: limits)
            stage =
                head.isChunked
                ? .chunks(head, start: start, ChunkedBody(offset: end, limits: limits))
                : .body(head, start: start)
        }
        return try advanceBody(over: bytes)
    }

    private mutating func advanceBody(over bytes: UnsafeRawBufferPointer) throws(RequestFault) -> Step {
        switch stage {
        case .head: return .needsHead
        case .body(let head, let start):
            let bodyStart = start + head.length
            let end = bodyStart + head.contentLength
            guard bytes.count >= end else { return needsBody(head) }
            return complete(head, start, .inPlace(bodyStart..<end), length: end)
        case .chunks(let head, let start, var body):
            guard try body.advance(over: bytes) else {
                stage = .chunks(head, start: start, body)
                return needsBody(head)
            }
            return complete(head, start, .assembled(body.content), length: body.offset)
        }
    }

    private mutating func needsBody(_ head: RequestHead) -> Step {
        let asks = head.expectsContinue && !saidContinue
        saidContinue = true
        return .needsBody(
            bytesMax: head.isChunked ? limits.bodyBytesMax : head.contentLength, asksToContinue: asks)
    }

    private mutating func complete(_ head: RequestHead, _ start: Int, _ body: Body, length: Int) -> Step {
        stage = .head(scanned: 0)
        saidContinue = false
        return .complete(Request(head: head, headStart: start, body: body, length: length))
    }

    /// Bytes of empty lines before a request, which a client may leave behind the one before; at most two.
    private static func emptyLines(_ bytes: UnsafeRawBufferPointer) -> Int {
        var start = 0
        while start < 4, bytes.count >= start + 2, bytes[start] == 0x0D, bytes[start + 1] == 0x0A {
            start += 2
        }
        return start
    }

    /// The index after the first empty line.
    private static func headEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start + 3
        while index < bytes.count {
            // Of four bytes in a row the last says how far the end may be away.
            switch bytes[index] {
            case 0x0A:
                if bytes[index - 1] == 0x0D, bytes[index - 2] == 0x0A, bytes[index - 3] == 0x0D {
                    return index + 1
                }
                index += 2
            case 0x0D: index += 1
            case _: index += 4
            }
        }
        return nil
    }

    /// A client that ends its lines otherwise would wait for its answer until the time-out.
    private static func refuseBareLineFeed(
        _ bytes: UnsafeRawBufferPointer, from start: Int
    ) throws(RequestFault) {
        for index in start..<bytes.count where bytes[index] == 0x0A {
            guard index > 0, bytes[index - 1] == 0x0D else { throw .malformed }
        }
    }
}
