private import ServiceLog
private import TaskModel
private import TaskValidation
package import WireProtocol

/// A task in words and in JSON.
package enum TaskText {
    package static func text(_ view: TaskView) throws -> String {
        var lines = [
            ("task", view.id.description), ("queue", view.queue), ("group", view.group),
            ("sequence", String(view.sequence.rawValue)), ("accepted", timestamp(view.id.unixMilliseconds)),
            ("state", state(view)), ("attempts", "\(view.receives) of \(view.maxAttempts)"),
        ]
        if !view.waitingBecause.isEmpty { lines.append(("waiting because", view.waitingBecause)) }
        if let finished = view.finishedAt { lines.append(("finished", timestamp(finished.rawValue))) }
        if !view.result.isEmpty { lines.append(("result", String(decoding: view.result, as: UTF8.self))) }
        if !view.resultError.isEmpty { lines.append(("result error", view.resultError)) }
        let width = lines.map(\.0.count).max() ?? 0
        var shown = lines.map { name, value in
            name + String(repeating: " ", count: width - name.count) + "  \(TerminalText.escaped(value))\n"
        }.joined()
        for attempt in try AttemptRecord.decodeHistory(view.history) { shown += text(attempt) }
        return shown
    }

    private static func state(_ view: TaskView) -> String {
        guard let reason = view.deadReason else { return view.state.label }
        return "\(view.state.label) (\(reason.label))"
    }

    private static func text(_ attempt: AttemptRecord) -> String {
        let took = HumanText.duration(milliseconds: attempt.durationMilliseconds)
        var shown = "\nattempt \(attempt.number): \(attempt.outcome.label) after \(took)"
        shown += " at \(timestamp(attempt.startedAt.rawValue)) by \(TerminalText.escaped(attempt.worker))\n"
        if !attempt.reason.isEmpty { shown += "  reason  \(TerminalText.escaped(attempt.reason))\n" }
        let tail = String(decoding: attempt.stderrTail, as: UTF8.self)
        for line in tail.split(separator: "\n") {
            shown += "  stderr  \(TerminalText.escaped(String(line)))\n"
        }
        return shown
    }

    package static func json(_ view: TaskView) throws -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("task_id", view.id.description)
        writer.member("state", view.state.label)
        writer.member("queue", view.queue)
        writer.member("group", view.group)
        writer.member("sequence", view.sequence.rawValue)
        writer.member("created_at", timestamp(view.id.unixMilliseconds))
        if let finished = view.finishedAt { writer.member("finished_at", timestamp(finished.rawValue)) }
        writer.member("receives", view.receives)
        writer.member("max_attempts", view.maxAttempts)
        if !view.waitingBecause.isEmpty { writer.member("waiting_because", view.waitingBecause) }
        if let reason = view.deadReason { writer.member("dead_reason", reason.label) }
        writer.key("attempts")
        writer.beginArray()
        for attempt in try AttemptRecord.decodeHistory(view.history) { write(attempt, to: &writer) }
        writer.endArray()
        if !view.result.isEmpty {
            writer.key("result")
            writer.raw(view.result)
        }
        if !view.resultError.isEmpty { writer.member("result_error", view.resultError) }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    private static func write(_ attempt: AttemptRecord, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("number", attempt.number)
        writer.member("outcome", attempt.outcome.label)
        writer.member("started_at", timestamp(attempt.startedAt.rawValue))
        writer.member("duration_ms", attempt.durationMilliseconds)
        writer.member("worker", attempt.worker)
        writer.member("reason", attempt.reason)
        writer.member("stderr", String(decoding: attempt.stderrTail, as: UTF8.self))
        writer.endObject()
    }

    static func timestamp(_ milliseconds: UInt64) -> String { LineFormats.timestamp(milliseconds) }
}
