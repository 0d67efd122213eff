import ServiceLog
import TaskModel
import TaskValidation
import WireProtocol

/// A task as `GET /tasks/{id}` shows it.
enum TaskViewJSON {
    static func write(_ view: TaskView) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 512 + view.history.count + view.result.count)
        writer.beginObject()
        writer.member("task_id", view.id.description)
        writer.member("state", view.state.label)
        writer.member("queue", view.queue)
        writer.member("group", view.group)
        writer.member("sequence", view.sequence.rawValue)
        writer.member("created_at", LineFormats.timestamp(view.id.unixMilliseconds))
        if let finished = view.finishedAt {
            writer.member("finished_at", LineFormats.timestamp(finished.rawValue))
        }
        writer.member("receives", view.receives)
        writer.member("max_attempts", view.maxAttempts)
        if !view.waitingBecause.isEmpty { writer.member("waiting_because", view.waitingBecause) }
        if let reason = view.deadReason { writer.member("dead_reason", reason.label) }
        writeAttempts(view.history, to: &writer)
        if !view.result.isEmpty {
            writer.key("result")
            writeResult(view.result, to: &writer)
        }
        if !view.resultError.isEmpty { writer.member("result_error", view.resultError) }
        writer.endObject()
        return writer.bytes
    }

    /// The result as the processor wrote it; as a string where it is no JSON after all.
    private static func writeResult(_ result: ArraySlice<UInt8>, to writer: inout JSONWriter) {
        do throws(JSONError) {
            writer.raw(try JSONValue.parse(result).rawBytes)
        } catch {
            writer.string(String(decoding: result, as: UTF8.self))
        }
    }

    private static func writeAttempts(_ history: ArraySlice<UInt8>, to writer: inout JSONWriter) {
        writer.key("attempts")
        let attempts = (try? AttemptRecord.decodeHistory(history)) ?? []  // ignoring: the broker reports it
        writer.beginArray()
        for attempt in attempts {
            writer.beginObject()
            writer.member("number", attempt.number)
            writer.member("outcome", attempt.outcome.label)
            writer.member("started_at", LineFormats.timestamp(attempt.startedAt.rawValue))
            writer.member("duration_ms", attempt.durationMilliseconds)
            writer.member("worker", attempt.worker)
            if !attempt.reason.isEmpty { writer.member("reason", attempt.reason) }
            if !attempt.stderrTail.isEmpty {
                writer.member("stderr", String(decoding: attempt.stderrTail, as: UTF8.self))
            }
            writer.endObject()
        }
        writer.endArray()
    }
}
