/// One answer, ready to be written.
struct HTTPAnswer: Hashable, Sendable {
    var status: Status
    var headers: [Header] = []
    var body: [UInt8] = []

    struct Header: Hashable, Sendable {
        let name: String
        let value: String
    }

    enum Status: Int, Hashable, Sendable {
        case ok = 200
        case created = 201
        case noContent = 204
        case temporaryRedirect = 307
        case badRequest = 400
        case notFound = 404
        case methodNotAllowed = 405
        case requestTimeout = 408
        case conflict = 409
        case gone = 410
        case contentTooLarge = 413
        case expectationFailed = 417
        case unprocessableContent = 422
        case headerFieldsTooLarge = 431
        case internalServerError = 500
        case serviceUnavailable = 503

        var reason: String {
            switch self {
            case .ok: "OK"
            case .created: "Created"
            case .noContent: "No Content"
            case .temporaryRedirect: "Temporary Redirect"
            case .badRequest: "Bad Request"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .requestTimeout: "Request Timeout"
            case .conflict: "Conflict"
            case .gone: "Gone"
            case .contentTooLarge: "Content Too Large"
            case .expectationFailed: "Expectation Failed"
            case .unprocessableContent: "Unprocessable Content"
            case .headerFieldsTooLarge: "Request Header Fields Too Large"
            case .internalServerError: "Internal Server Error"
            case .serviceUnavailable: "Service Unavailable"
            }
        }
    }

    init(_ status: Status, headers: [Header] = [], json body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer of the form `{"detail":"…"}`; `detail` needs no escaping.
    init(_ status: Status, headers: [Header] = [], detail: StaticString) {
        self.init(status, headers: headers, json: Array("{\"detail\":\"\(detail)\"}".utf8))
    }

    init(_ status: Status, headers: [Header] = []) {
        self.status = status
        self.headers = headers
    }

    /// The answer as it goes over the wire.
    ///
    /// To a HEAD request there is no body, but its length is told.
    func rendered(closes: Bool, withoutBody: Bool = false) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(256 + body.count)
        output += Array("HTTP/1.1 \(status.rawValue) \(status.reason)\r\n".utf8)
        if !body.isEmpty { output += Array("Content-Type: application/json\r\n".utf8) }
        if status != .noContent { output += Array("Content-Length: \(body.count)\r\n".utf8) }
        for header in headers { output += Array("\(header.name): \(header.value)\r\n".utf8) }
        output += Array("X-Content-Type-Options: nosniff\r\n".utf8)
        if closes { output += Array("Connection: close\r\n".utf8) }
        output += [0x0D, 0x0A]
        if !withoutBody { output += body }
        return output
    }
}

extension HTTPAnswer {
    /// Nothing was added: the client may send it again at once.
    static let refused = unavailable(outcome: "refused")

    /// The broker may or may not have the task.
    static func unknownOutcome(location: String?) -> HTTPAnswer {
        var answer = unavailable(outcome: "unknown")
        if let location { answer.headers.append(Header(name: "Location", value: location)) }
        return answer
    }

    private static func unavailable(outcome: String) -> HTTPAnswer {
        HTTPAnswer(
            .serviceUnavailable,
            headers: [
                Header(name: "Retry-After", value: "1"), Header(name: "Taskq-Outcome", value: outcome),
            ],
            detail: "Failed to enqueue task")
    }

    /// Where the broker is asked a question and does not answer.
    static let brokerSilent = HTTPAnswer(
        .serviceUnavailable, headers: [Header(name: "Retry-After", value: "1")],
        detail: "The broker does not answer")

    static let notFound = HTTPAnswer(.notFound, detail: "Not Found")

    static let tooManyConnections = HTTPAnswer(
        .serviceUnavailable,
        headers: [Header(name: "Retry-After", value: "1"), Header(name: "Taskq-Outcome", value: "refused")],
        detail: "Too many connections")

    static func methodNotAllowed(allowed: String) -> HTTPAnswer {
        HTTPAnswer(
            .methodNotAllowed, headers: [Header(name: "Allow", value: allowed)], detail: "Method Not Allowed")
    }

    init(_ fault: RequestFault) {
        switch fault {
        case .malformed: self.init(.badRequest, detail: "Invalid HTTP request")
        case .repeatedField: self.init(.badRequest, detail: "A header field was sent twice")
        case .headTooLarge: self.init(.headerFieldsTooLarge, detail: "Request Header Fields Too Large")
        case .bodyTooLarge: self.init(.contentTooLarge, detail: "Request body too large")
        case .expectationFailed: self.init(.expectationFailed, detail: "Expectation Failed")
        }
    }
}
