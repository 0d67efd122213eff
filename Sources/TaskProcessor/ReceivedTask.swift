private import Glibc
internal import TaskValidation

/// One delivery of a task.
public struct ReceivedTask: Sendable {
    /// A UUID, the same for every delivery of the task: what makes an effect happen once.
    public let id: String
    /// The queue's name, at most 64 bytes.
    public let queue: String
    /// The ordering key, 1 to 128 bytes of printable ASCII: the tasks of a group come one after the other.
    public let group: String
    /// Place in the order of acceptance, growing; a redrive gives a new one.
    public let sequence: UInt64
    /// Which delivery this is, from 1; more than 1 means that the task may have been done before.
    public let attempt: Int
    /// Deliveries after which the task is dead-lettered, at least 1.
    public let maxAttempts: Int
    /// When the attempt times out as it was delivered, milliseconds since 1970; ``extend(by:)`` moves the
    /// true deadline, not this.
    public let deadlineUnixMilliseconds: Int64
    /// W3C trace context as the client gave it; nil if it gave none.
    public let traceparent: String?
    /// The JSON that was posted.
    public let payload: TaskPayload
    private let answers: AnswerChannel

    /// A line of the stream protocol; nil for what is none.
    init?(line: [UInt8], answers: AnswerChannel) {
        let parsed = try? JSONValue.parse(envelope: line[...])  // ignoring: the caller tells of such a line
        guard let task = parsed, let id = task["id"]?.string, let payload = task["payload"] else {
            return nil
        }
        self.id = id
        self.payload = TaskPayload(payload)
        self.answers = answers
        queue = task["queue"]?.string ?? ""
        group = task["group"]?.string ?? ""
        sequence = task["sequence"]?.integer(UInt64.self) ?? 0
        attempt = task["attempt"]?.integer() ?? 1
        maxAttempts = task["max_attempts"]?.integer() ?? 1
        deadlineUnixMilliseconds = task["deadline"]?.integer(Int64.self) ?? 0
        traceparent = task["traceparent"]?.string
    }

    /// A oneshot processor's task: the payload is all of stdin, the rest stands in the environment; nil
    /// where the payload is no JSON.
    init?(payload bytes: [UInt8], environment: (String) -> String?, answers: AnswerChannel) {
        let parsed = try? JSONValue.parse(bytes)  // ignoring: the caller tells of such a payload
        guard let parsed else { return nil }
        payload = TaskPayload(parsed)
        self.answers = answers
        id = environment("TASKQ_TASK_ID") ?? ""
        queue = environment("TASKQ_QUEUE") ?? ""
        group = environment("TASKQ_GROUP") ?? ""
        sequence = environment("TASKQ_SEQUENCE").flatMap { UInt64($0) } ?? 0
        attempt = environment("TASKQ_ATTEMPT").flatMap { Int($0) } ?? 1
        maxAttempts = environment("TASKQ_MAX_ATTEMPTS").flatMap { Int($0) } ?? 1
        deadlineUnixMilliseconds = environment("TASKQ_DEADLINE").flatMap { Int64($0) } ?? 0
        traceparent = environment("TRACEPARENT")
    }

    /// How long the attempt may still take as it was delivered; zero once that time is over.
    ///
    /// Read from the wall clock: a clock that is set anew moves it.
    public var timeLeft: Duration {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let milliseconds = Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
        return .milliseconds(max(0, deadlineUnixMilliseconds - milliseconds))
    }

    /// Moves the deadline to now and so long, at most `max_runtime` (1 h unless configured) from the start.
    ///
    /// Has no effect once the attempt is over. Safe to call from any thread.
    public func extend(by duration: Duration) { answers.extend(by: duration, id: id) }

    /// Says how much is done, from 0 to 1, for people to see.
    ///
    /// What is outside of that range is cut to it. Safe to call from any thread.
    public func report(progress share: Double) { answers.report(progress: share, id: id) }

    /// The payload as a type of one's own.
    ///
    /// Members that the type does not name are ignored. Numbers must fit their type exactly; a `Date` is what
    /// Foundation makes of a number, so a time in ISO 8601 is best decoded as a `String`.
    ///
    /// - Throws: ``PayloadError``, which names the member. Thrown on by a handler, it dead-letters the task:
    ///   no retry will make another payload of it.
    public func decode<Payload: Decodable>(
        _ type: Payload.Type = Payload.self
    ) throws(PayloadError) -> Payload {
        try payload.decode(type)
    }
}
