import TaskModel

/// What a request is about, from its path alone.
///
/// Paths are compared as they were sent, never normalised.
enum Route: Hashable, Sendable {
    /// `/tasks` and `/queues/{queue}/tasks`. The name is well-formed; whether the queue exists is not known
    /// here.
    case queue(String)
    /// `/tasks/{id}`.
    case task(TaskID)
    case health
    case readiness
    /// A path above with a slash behind it, which it is sent on without.
    case redirect(String)
    case unknown

    static let builtInQueue = "tasks"

    /// `path` ends before the query.
    static func find(_ path: UnsafeRawBufferPointer) -> Route {
        if path.count == 6, path.starts(with: "/tasks".utf8) { return .queue(builtInQueue) }
        return findOther(String(decoding: path, as: UTF8.self))
    }

    private static func findOther(_ path: String) -> Route {
        if path == "/healthz" { return .health }
        if path == "/readyz" { return .readiness }
        if path.utf8.count > 1, path.hasSuffix("/") {
            let shorter = String(path.dropLast())
            return shorter.hasSuffix("/") || find(shorter) == .unknown ? .unknown : .redirect(shorter)
        }
        let steps = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if steps.count == 2, steps.first == "tasks", let id = steps.last.flatMap({ TaskID($0) }) {
            return .task(id)
        }
        if steps.count == 3, steps.first == "queues", steps.last == "tasks",
            QueueDeclaration.isValidName(steps[steps.startIndex + 1])
        {
            return .queue(String(steps[steps.startIndex + 1]))
        }
        return .unknown
    }

    private static func find(_ path: String) -> Route {
        path == "/tasks" ? .queue(builtInQueue) : findOther(path)
    }

    /// The `Allow` of a 405.
    var allowedMethods: String {
        switch self {
        case .queue: "POST"
        case .task: "GET, DELETE"
        case .health, .readiness: "GET"
        case .redirect, .unknown: ""
        }
    }

    func allows(_ method: RequestMethod) -> Bool {
        switch (self, method) {
        case (.queue, .post), (.task, .get), (.task, .delete), (.health, .get), (.readiness, .get): true
        case (_, .post), (_, .get), (_, .delete), (_, .head), (_, .other): false
        }
    }
}
