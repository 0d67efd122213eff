import TaskValidation

/// What is to become of a task.
public enum TaskAnswer: Sendable, Hashable {
    /// Done; the result is JSON of at most 16 KiB.
    case done(resultJSON: String?)
    /// Not now: tried again after the queue's back-off, or after so many seconds.
    case nack(String, retryAfterSeconds: Int?)
    /// Never: no retry will help.
    case dead(String)

    /// Done, with nothing to say.
    public static let ack = TaskAnswer.done(resultJSON: nil)

    /// Done, with a text as its result.
    public static func ack(result text: String) -> TaskAnswer {
        var quoted: [UInt8] = []
        JSONWriter.appendQuoted(text, to: &quoted)
        return .done(resultJSON: String(decoding: quoted, as: UTF8.self))
    }

    func line(id: String) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 128)
        writer.beginObject()
        writer.member("id", id)
        switch self {
        case .done(let resultJSON):
            writer.member("ack", true)
            if let resultJSON {
                writer.key("result")
                // A newline can only stand between tokens, and would end the line.
                writer.raw(resultJSON.utf8.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 })
            }
        case .nack(let reason, let seconds):
            writer.member("nack", reason)
            if let seconds { writer.member("retry_after", seconds) }
        case .dead(let reason):
            writer.member("dead", reason)
        }
        writer.endObject()
        return writer.bytes + [UInt8(ascii: "\n")]
    }
}
