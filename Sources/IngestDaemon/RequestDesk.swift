import TaskModel
import TaskValidation
import WireProtocol

/// What is to be done about a request.
enum RequestAction: Hashable, Sendable {
    case answer(HTTPAnswer)
    case post(NewPost)
    case lookup(TaskID, waitMilliseconds: UInt32)
    case cancel(TaskID)
    case tellReadiness
}

/// Looks at whole requests and decides what is to be done, without doing it.
///
/// No I/O, no clock.
struct RequestDesk {
    private var mint: TaskIDMint

    init(mint: TaskIDMint) {
        self.mint = mint
    }

    /// - Parameter queues: those the broker has published; empty as long as it has published none.
    mutating func decide(
        _ request: RequestReader.Request, in bytes: UnsafeRawBufferPointer, queues: [String: QueueListing],
        now: WallTime
    ) -> RequestAction {
        let head = UnsafeRawBufferPointer(
            rebasing: bytes[request.headStart..<request.headStart + request.head.length])
        let target = UnsafeRawBufferPointer(rebasing: head[request.head.target])
        let path = UnsafeRawBufferPointer(rebasing: target.prefix { $0 != UInt8(ascii: "?") })
        let route = Route.find(path)
        switch route {
        case .unknown: return .answer(.notFound)
        case .redirect(let shorter):
            return .answer(Self.redirect(to: shorter, query: target.dropFirst(path.count)))
        case .queue, .task, .health, .readiness: break
        }
        guard route.allows(request.head.method) else {
            return .answer(.methodNotAllowed(allowed: route.allowedMethods))
        }
        switch route {
        case .queue(let name):
            guard queues.isEmpty || queues[name] != nil else { return .answer(.notFound) }
            return decidePost(request, head: head, bytes: bytes, queue: name, now: now)
        case .task(let id):
            return request.head.method == .delete
                ? .cancel(id) : Self.lookup(id, query: target.dropFirst(path.count))
        case .health: return .answer(HTTPAnswer(.ok, json: Array(#"{"status":"ok"}"#.utf8)))
        case .readiness: return .tellReadiness
        case .unknown, .redirect: return .answer(.notFound)
        }
    }

    private static func redirect(to path: String, query: Slice<UnsafeRawBufferPointer>) -> HTTPAnswer {
        let location = path + String(decoding: query, as: UTF8.self)
        return HTTPAnswer(.temporaryRedirect, headers: [.init(name: "Location", value: location)])
    }

    /// `query` begins with its question mark, or is empty.
    ///
    /// Unknown parameters are ignored, of equal ones the last holds.
    private static func lookup(_ id: TaskID, query: Slice<UnsafeRawBufferPointer>) -> RequestAction {
        var seconds = 0
        for parameter in query.dropFirst().split(separator: UInt8(ascii: "&")) {
            guard parameter.starts(with: "wait=".utf8) else { continue }
            let text = String(decoding: parameter.dropFirst(5), as: UTF8.self)
            guard text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let value = Int(text) else {
                return refuseWait(.integerParsing, text)
            }
            guard value <= Limits.waitSecondsMax else {
                return refuseWait(.lessThanEqual(Limits.waitSecondsMax), text)
            }
            seconds = value
        }
        return .lookup(id, waitMilliseconds: UInt32(seconds * 1_000))
    }

    private static func refuseWait(_ problem: ValidationError.Problem, _ text: String) -> RequestAction {
        refuse(HTTPValidationError(problem, in: "query", named: "wait", input: text))
    }

    private static func refuse(_ error: HTTPValidationError) -> RequestAction {
        .answer(HTTPAnswer(.unprocessableContent, json: error.json))
    }

    private mutating func decidePost(
        _ request: RequestReader.Request, head: UnsafeRawBufferPointer, bytes: UnsafeRawBufferPointer,
        queue: String, now: WallTime
    ) -> RequestAction {
        let fields: PostFields
        do throws(HTTPValidationError) {
            fields = try PostFields(request.head, in: head)
        } catch {
            return Self.refuse(error)
        }
        switch request.body {
        case .inPlace(let range):
            return decidePost(
                UnsafeRawBufferPointer(rebasing: bytes[range]), fields: fields, queue: queue, now: now)
        case .assembled(let content):
            return content.withUnsafeBytes { decidePost($0, fields: fields, queue: queue, now: now) }
        }
    }

    private mutating func decidePost(
        _ body: UnsafeRawBufferPointer, fields: PostFields, queue: String, now: WallTime
    ) -> RequestAction {
        guard !body.isEmpty else { return Self.refuse(TaskSchema.missingBody) }
        guard fields.saysJSON else { return Self.refuse(TaskSchema.notJSON(ArraySlice(body))) }
        let id = mint.next(unixMilliseconds: now.rawValue)
        var payload: [UInt8] = []
        var contentStart = 0
        do throws(ValidationFailure) {
            if queue == Route.builtInQueue {
                try TaskSchema.normalise(body, id: id, now: now, appendingTo: &payload)
                contentStart = TaskSchema.idPrefixBytes
            } else {
                try AnyJSON.normalise(body, appendingTo: &payload)
            }
        } catch {
            switch error {
            case .unreadable:
                return .answer(HTTPAnswer(.badRequest, detail: "There was an error parsing the body"))
            case .invalid(let errors): return Self.refuse(errors)
            }
        }
        let digests = fields.idempotencyKey.map { key in
            Enqueue.KeyDigests(
                key: ContentDigest.ofKey(apiKey: [], key: key),
                content: ContentDigest.ofContent(group: fields.group.utf8, stored: payload[contentStart...]))
        }
        return .post(
            NewPost(
                queue: queue, group: fields.group, id: id, key: digests, traceparent: fields.traceparent[...],
                payload: payload[...]))
    }
}
