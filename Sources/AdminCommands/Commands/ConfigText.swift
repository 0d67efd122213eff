import Configuration
private import ServiceLog
private import TaskValidation

/// A configuration in words and in JSON.
package enum ConfigText {
    /// Every key with its value and its origin, then what single queues have of their own.
    package static func table(_ report: ConfigurationReport) -> String {
        var table = TextTable([("KEY", .left), ("VALUE", .left), ("FROM", .left)])
        for value in report.values {
            table.add([value.key, "\(value.value)", value.origin.map { place($0) } ?? "default"])
        }
        return table.render()
    }

    /// One line, and a line for each thing that is right but may surprise.
    package static func verdict(_ report: ConfigurationReport) -> String {
        let set = report.values.count { $0.origin != nil }
        let files = report.files.isEmpty ? "no file" : report.files.joined(separator: ", ")
        let lines = ["configuration is right: \(files), \(set) values set, the others at their defaults"]
        return (lines + report.notices.map { "note: \($0)" })
            .map { TerminalText.escaped($0) + "\n" }.joined()
    }

    /// A line a mistake: place, key, what was expected and what was found; then how many.
    package static func mistakes(_ report: ConfigurationReport) -> String {
        let count = report.problems.count
        let lines = report.problems.map { TerminalText.escaped($0.description) }
        let sum = "taskq: \(count) \(count == 1 ? "mistake" : "mistakes"): no daemon starts with this"
        return (lines + [sum]).map { "\($0)\n" }.joined()
    }

    package static func json(_ report: ConfigurationReport) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("valid", report.isValid)
        write("files", report.files, to: &writer)
        writer.key("problems")
        writer.beginArray()
        for problem in report.problems {
            writer.beginObject()
            write(problem.position, to: &writer)
            writer.member("key", problem.key)
            writer.member("message", problem.message)
            writer.endObject()
        }
        writer.endArray()
        write("notices", report.notices, to: &writer)
        writer.key("values")
        writer.beginArray()
        for value in report.values {
            writer.beginObject()
            writer.member("key", value.key)
            writer.key("value")
            write(value.value, to: &writer)
            write(value.origin ?? SourcePosition(source: "default"), to: &writer)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    private static func place(_ position: SourcePosition) -> String {
        position.line > 0 ? "\(position.source):\(position.line)" : position.source
    }

    /// `line` and `column` are null where the source has none.
    private static func write(_ position: SourcePosition, to writer: inout JSONWriter) {
        writer.member("source", position.source)
        for (name, number) in [("line", position.line), ("column", position.column)] {
            writer.key(name)
            if position.line > 0 { writer.integer(number) } else { writer.null() }
        }
    }

    private static func write(_ name: String, _ texts: [String], to writer: inout JSONWriter) {
        writer.key(name)
        writer.beginArray()
        for text in texts { writer.string(text) }
        writer.endArray()
    }

    /// Durations and sizes as a file says them: scripts need no table of units per key.
    private static func write(_ value: ConfigurationValue, to writer: inout JSONWriter) {
        switch value {
        case .text(let text): writer.string(text)
        case .number(let number): writer.integer(number)
        case .hundredths(let number): writer.double(Double(number) / 100)
        case .flag(let flag): writer.bool(flag)
        case .list(let texts):
            writer.beginArray()
            for text in texts { writer.string(text) }
            writer.endArray()
        case .duration(let milliseconds): writer.string(Quantities.durationText(milliseconds))
        case .size(let bytes): writer.string(Quantities.sizeText(bytes))
        case .absent: writer.null()
        }
    }
}
