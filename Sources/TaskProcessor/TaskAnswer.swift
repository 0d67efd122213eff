internal import TaskModel
internal import TaskValidation

/// What is to become of a task.
public enum TaskAnswer: Sendable, Hashable {
    /// Done, with a result that is kept with the task: any JSON, at most 16 KiB.
    ///
    /// What is larger or no JSON is dropped, and the log says so; the task is done all the same.
    case done(resultJSON: String?)
    /// Not now: tried again after the queue's back-off, or after the given time, at most an hour.
    ///
    /// A reason of more than 1 KiB is cut. With `mode = "oneshot"` the back-off always holds.
    case nack(String, retryAfter: Duration? = nil)
    /// Never: dead-lettered now, for no retry will help.
    case dead(String)

    /// Done, with nothing to say.
    public static let ack = TaskAnswer.done(resultJSON: nil)

    /// Done, with a text as its result.
    public static func ack(result text: String) -> TaskAnswer {
        var quoted: [UInt8] = []
        JSONWriter.appendQuoted(text, to: &quoted)
        return .done(resultJSON: String(decoding: quoted, as: UTF8.self))
    }

    /// What a handler's error means: a payload of another type can never be done, anything else may be
    /// later.
    init(for error: any Error) {
        if let error = error as? PayloadError {
            self = .dead(error.description)
        } else {
            self = .nack("\(error)")
        }
    }

    /// The result as it may be sent, or why it is not; nil and nil where there is none.
    ///
    /// - Parameter bytesMax: what the line has room for.
    static func checked(_ resultJSON: String, bytesMax: Int) -> (bytes: [UInt8]?, complaint: String?) {
        let bytes = Array(resultJSON.utf8)
        guard bytes.count <= bytesMax else {
            let limit = Limits.resultBytesMax
            return (nil, "a result of \(bytes.count) bytes is dropped: at most \(limit) are kept")
        }
        do throws(JSONError) {
            _ = try JSONValue.parse(bytes)
        } catch {
            return (nil, "a result that is no JSON is dropped: \(error.message), byte \(error.byteOffset)")
        }
        // A newline can only stand between tokens, and would end the line.
        return (bytes.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }, nil)
    }

    static func cut(_ reason: String) -> String {
        reason.cutToUTF8(bytes: AttemptRecord.reasonBytesMax)
    }
}
