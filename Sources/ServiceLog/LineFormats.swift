package import Logging
package import Systemd

/// One line in each of the forms that it is written in.
///
/// Pure.
package enum LineFormats {
    /// Name and level as words, the message, then `key=value`; escaped, on one line, without its end.
    package static func text(_ line: LogLine, identifier: String, colour: Bool) -> String {
        let time = clockText(line.wallMilliseconds)
        let level = line.level.rawValue
        let padded = level + String(repeating: " ", count: max(0, 7 - level.count))
        let name = TerminalText.escaped(identifier)
        let message = TerminalText.escaped(line.message)
        let fields = pairs(line.metadata)
        guard colour else { return "\(time) \(padded) \(name): \(message)\(fields)" }
        let tint = colourCode(line.level)
        return "\u{1B}[2m\(time)\u{1B}[0m \(tint)\(padded)\u{1B}[0m \u{1B}[2m\(name):\u{1B}[0m \(message)"
            + "\u{1B}[2m\(fields)\u{1B}[0m"
    }

    /// One JSON object, without the line's end; metadata keys as they are, all values strings.
    package static func json(_ line: LogLine, identifier: String) -> String {
        var object = "{\"time\":\"\(timestamp(line.wallMilliseconds))\",\"level\":\"\(line.level.rawValue)\""
        object += ",\"program\":\(jsonString(identifier)),\"message\":\(jsonString(line.message))"
        for (key, value) in sorted(line.metadata) {
            // The four words above are the line's own.
            let name = ["time", "level", "program", "message"].contains(key) ? "metadata.\(key)" : key
            object += ",\(jsonString(name)):\(jsonString(value))"
        }
        return object + "}"
    }

    /// Fields for journald: `task.id` becomes TASKQ_TASK_ID, `message.id` becomes MESSAGE_ID.
    ///
    /// The message has the metadata too: a plain `journalctl` shows nothing else. A processor's own words,
    /// which name their plugin, stay alone.
    package static func journald(_ line: LogLine, identifier: String, into entry: inout Journald.Entry) {
        let facts = line.metadata["plugin"] == nil ? pairs(line.metadata) : ""
        entry.add("MESSAGE", (line.message + facts).utf8)
        entry.add("PRIORITY", String(priority(line.level)).utf8)
        entry.add("SYSLOG_IDENTIFIER", identifier.utf8)
        for (key, value) in sorted(line.metadata) {
            entry.add(key == "message.id" ? "MESSAGE_ID" : fieldName(key), value.utf8)
        }
    }

    /// A field's name of at most 64 characters, as journald demands: `task.id` is TASKQ_TASK_ID, `task.queue`
    /// and
    /// `queue` are both TASKQ_QUEUE.
    package static func fieldName(_ key: String) -> String {
        let word = key.hasPrefix("task.") && key != "task.id" ? key.dropFirst("task.".count) : key[...]
        let body = word.utf8.prefix(58).map { byte -> Character in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): Character(UnicodeScalar(byte - 32))
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                Character(UnicodeScalar(byte))
            case _: "_"
            }
        }
        return "TASKQ_" + String(body)
    }

    /// syslog's numbers: 7 debug to 2 crit.
    package static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func colourCode(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info: "\u{1B}[32m"
        case .notice: "\u{1B}[36m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }

    /// ` key=value` each.
    private static func pairs(_ metadata: Logger.Metadata) -> String {
        sorted(metadata).filter { $0.key != "message.id" }.map { key, value in
            " \(TerminalText.escaped(key))=\(quoted(value))"
        }.joined()
    }

    private static func sorted(_ metadata: Logger.Metadata) -> [(key: String, value: String)] {
        metadata.map { ($0.key, $0.value.description) }.sorted { $0.0 < $1.0 }
    }

    private static func quoted(_ value: String) -> String {
        let shown = TerminalText.escaped(value)
        return shown.isEmpty || shown.contains(" ") || shown.contains("\"") || shown.contains("=")
            ? "'\(shown)'" : shown
    }

    static func jsonString(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case _: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
