private import ServiceLog
private import TaskValidation

/// A line of a story in words and in JSON, its end included.
package enum StoryText {
    private static let programWidth = 13
    private static let levelWidth = 8
    private static let attemptWidth = 3
    private static let taskWidth = 36

    /// Time, program, level, attempt, what was said; with `showingTask` the task's id before that.
    package static func text(_ line: StoryLine, showingTask: Bool = false) -> String {
        var columns = [
            LineFormats.timestamp(line.wallMilliseconds), padded(speaker(line), programWidth),
            padded(line.level, levelWidth), padded(line.attempt.map { "#\($0)" } ?? "-", attemptWidth),
        ]
        if showingTask { columns.append(padded(line.taskID ?? "-", taskWidth)) }
        columns.append(line.plugin == nil ? withoutColumns(line) : line.message)
        return columns.map { TerminalText.escaped($0) }.joined(separator: "  ") + "\n"
    }

    /// Anybody may send journald a line that calls itself taskq-broker: where it did not come from the unit
    /// of that name, it shows from which.
    private static func speaker(_ line: StoryLine) -> String {
        if line.source == .record { return "(record)" }
        let unit = line.unit ?? "no unit"
        guard unit.prefix(while: { $0 != "@" && $0 != "." }) == line.program else {
            return "\(line.program) (\(unit))"
        }
        return line.plugin == nil ? line.program : "processor"
    }

    /// The message without the facts that the columns, or the command line, have told.
    private static func withoutColumns(_ line: StoryLine) -> String {
        let told = [
            ("task.id", line.taskID), ("task.attempt", line.attempt.map { String($0) }),
            ("attempt", line.attempt.map { String($0) }), ("task.queue", line.queue), ("queue", line.queue),
        ]
        let facts = told.compactMap { key, value in value.map { "\(key)=\($0)" } }
        var words = line.message.split(separator: " ", omittingEmptySubsequences: false)
        words.removeAll { word in facts.contains { $0 == word } }
        return words.joined(separator: " ")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    package static func json(_ line: StoryLine) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("time", LineFormats.timestamp(line.wallMilliseconds))
        writer.member("level", line.level)
        writer.member("program", line.program)
        writer.member("message", line.message)
        writer.member("source", line.source.rawValue)
        let texts = [
            ("unit", line.unit), ("task_id", line.taskID), ("queue", line.queue), ("group", line.group),
            ("plugin", line.plugin), ("stream", line.stream),
        ]
        for (name, value) in texts { if let value { writer.member(name, value) } }
        if let attempt = line.attempt { writer.member("attempt", attempt) }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
