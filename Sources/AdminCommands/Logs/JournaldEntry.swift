private import TaskValidation

/// One line of `journalctl --output=json`.
///
/// Values are text, null where journalctl left them out for their length, a list of bytes where they are not
/// plain text, or a list of those where a field occurs more than once; the first is taken.
package struct JournaldEntry: Hashable, Sendable {
    /// The fields that ``line`` reads: what `--output-fields` is to name.
    package static let fields = [
        "MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "TASKQ_TASK_ID", "TASKQ_QUEUE", "TASKQ_GROUP",
        "TASKQ_ATTEMPT", "TASKQ_PLUGIN", "TASKQ_STREAM", "_SYSTEMD_UNIT", "_SOURCE_REALTIME_TIMESTAMP",
    ]

    /// Where the entry stands, for `--after-cursor`.
    package let cursor: String
    package let line: StoryLine

    /// Nil for what is no entry: `-- No entries --`, a remark, a line cut short.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.first == UInt8(ascii: "{") else { return nil }
        let parsed = try? JSONValue.parse(bytes)  // ignoring: then it is no entry
        guard let entry = parsed, let cursor = Self.text(entry["__CURSOR"]) else { return nil }
        // The time at which it was sent; the other one is that of journald's writing.
        let times = ["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"]
        let microseconds = times.lazy.compactMap { Self.text(entry[$0]).flatMap { UInt64($0) } }.first
        var line = StoryLine(
            .journald, at: (microseconds ?? 0) / 1_000, level: Self.level(Self.text(entry["PRIORITY"])),
            program: Self.text(entry["SYSLOG_IDENTIFIER"]) ?? "?", message: Self.text(entry["MESSAGE"]) ?? "")
        line.unit = Self.text(entry["_SYSTEMD_UNIT"])
        line.taskID = Self.text(entry["TASKQ_TASK_ID"])
        line.queue = Self.text(entry["TASKQ_QUEUE"])
        line.group = Self.text(entry["TASKQ_GROUP"])
        line.attempt = Self.text(entry["TASKQ_ATTEMPT"]).flatMap { UInt32($0) }
        line.plugin = Self.text(entry["TASKQ_PLUGIN"])
        line.stream = Self.text(entry["TASKQ_STREAM"])
        self.cursor = cursor
        self.line = line
    }

    private static func text(_ value: JSONValue?) -> String? {
        guard let value else { return nil }
        switch value.content {
        case .string(let text), .number(let text): return text
        case .array(let elements):
            guard let first = elements.first else { return "" }
            if first.elements != nil || first.string != nil { return text(first) }
            let bytes = elements.compactMap { element -> UInt8? in
                if case .number(let digits) = element.content { UInt8(digits) } else { nil }
            }
            return bytes.count == elements.count ? String(decoding: bytes, as: UTF8.self) : nil
        case .object, .bool, .null: return nil
        }
    }

    /// The word for one of syslog's numbers.
    private static func level(_ priority: String?) -> String {
        switch priority {
        case "7": "debug"
        case "6", nil: "info"
        case "5": "notice"
        case "4": "warning"
        case "3": "error"
        case _: "critical"
        }
    }
}
