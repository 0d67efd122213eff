import TaskValidation

/// One delivery of a task.
public struct ReceivedTask: Sendable {
    /// A UUID, the same for every delivery: what makes an effect happen once.
    public let id: String
    public let queue: String
    public let group: String
    /// From 1.
    public let attempt: Int
    public let maxAttempts: Int
    /// Milliseconds since 1970 at which the attempt times out.
    public let deadline: Int
    /// W3C trace context.
    public let traceparent: String?
    public let payload: TaskPayload
    private let answers: Descriptor

    init?(line: [UInt8], answers: Descriptor) {
        let parsed = try? JSONValue.parse(line)  // ignoring: the caller tells of a line that is no task
        guard let task = parsed, let id = task["id"]?.string, let payload = task["payload"] else {
            return nil
        }
        self.id = id
        self.payload = TaskPayload(payload)
        self.answers = answers
        queue = task["queue"]?.string ?? ""
        group = task["group"]?.string ?? ""
        attempt = task["attempt"]?.integer() ?? 1
        maxAttempts = task["max_attempts"]?.integer() ?? 1
        deadline = task["deadline"]?.integer() ?? 0
        traceparent = task["traceparent"]?.string
    }

    /// Moves the deadline to now and so many seconds.
    public func extend(bySeconds seconds: Int) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("id", id)
        writer.member("extend", seconds)
        writer.endObject()
        _ = answers.write(writer.bytes + [UInt8(ascii: "\n")])
    }

    /// Says how much is done, from 0 to 1.
    public func report(progress share: Double) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("id", id)
        writer.key("progress")
        writer.double(share)
        writer.endObject()
        _ = answers.write(writer.bytes + [UInt8(ascii: "\n")])
    }
}

/// A task's payload, or a part of it.
///
/// JSON, read-only.
public struct TaskPayload: Sendable {
    private let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    /// The JSON as it came.
    public var bytes: [UInt8] { Array(value.rawBytes) }

    /// A member of an object.
    public subscript(key: String) -> TaskPayload? { value[key].map(TaskPayload.init) }

    /// The elements of an array; nil for anything else.
    public var elements: [TaskPayload]? { value.elements?.map(TaskPayload.init) }
    public var string: String? { value.string }
    public var integer: Int? { value.integer() }
    public var number: Double? { value.double }
    public var bool: Bool? { value.bool }
    public var isNull: Bool { value.isNull }
    public var isObject: Bool { value.members != nil }
}
