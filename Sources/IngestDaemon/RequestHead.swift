/// The methods that something is answered to; all others are `other`.
enum RequestMethod: Hashable, Sendable {
    case post
    case get
    case delete
    case head
    case other
}

/// The head of one request: where its parts lie, in bytes from the head's beginning.
///
/// Only the fields that are looked at are kept; all have been checked to be well-formed.
struct RequestHead: Hashable, Sendable {
    var method: RequestMethod
    /// Path and query, as they were sent.
    var target: Range<Int>
    /// Bytes of the head, the empty line included.
    var length = 0
    /// Bytes of the body; 0 where there is none and where it comes in chunks.
    var contentLength = 0
    var isChunked = false
    var keepsAlive = true
    var expectsContinue = false
    var contentType: Range<Int>?
    var idempotencyKey: Range<Int>?
    var group: Range<Int>?
    var traceparent: Range<Int>?
}

/// What an HTTP client did wrong before its request could be looked at.
///
/// Each ends the connection.
enum RequestFault: Error, Hashable, Sendable {
    /// Not HTTP/1.1 as RFC 9112 has it, or a form of it that hides requests from some readers.
    case malformed
    case headTooLarge
    case bodyTooLarge
    /// An `Expect` other than `100-continue`.
    case expectationFailed
    /// A field that may come once came twice.
    case repeatedField
}

struct RequestLimits: Hashable, Sendable {
    var headBytesMax = 16 * 1_024
    var fieldsMax = 100
    var bodyBytesMax = 1 << 20
}
