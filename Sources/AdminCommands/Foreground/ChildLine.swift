private import TaskValidation

/// One line that a daemon wrote with `--log-format json`, or anything else that came out of it.
package struct ChildLine: Hashable, Sendable {
    package var level: String
    package var program: String
    package var message: String
    /// Milliseconds of the day, from the line's own time; nil where it has none.
    package var dayMilliseconds: UInt64?
    package var fields: [String: String]

    /// Nil for what is not a log line: the last words of a crash, a library's own output.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.first == UInt8(ascii: "{") else { return nil }
        let parsed = try? JSONValue.parse(bytes)  // ignoring: then it is shown as it came
        guard let members = parsed?.members, let message = parsed?["message"]?.string,
            let level = parsed?["level"]?.string, let program = parsed?["program"]?.string
        else { return nil }
        self.level = level
        self.program = program
        self.message = message
        dayMilliseconds = parsed?["time"]?.string.flatMap(Self.dayMilliseconds)
        fields = [:]
        for member in members where !["time", "level", "program", "message"].contains(member.key) {
            fields[member.key] = member.value.string ?? String(decoding: member.value.rawBytes, as: UTF8.self)
        }
    }

    /// Reads the time of day out of `2026-01-02T03:04:05.678Z`.
    private static func dayMilliseconds(_ time: String) -> UInt64? {
        guard let start = time.firstIndex(of: "T") else { return nil }
        let parts = time[time.index(after: start)...].split { $0 == ":" || $0 == "." || $0 == "Z" }
        let numbers = parts.compactMap { UInt64($0) }
        guard parts.count == 4, numbers.count == 4, numbers.allSatisfy({ $0 < 1_000 }) else { return nil }
        return ((numbers[0] * 60 + numbers[1]) * 60 + numbers[2]) * 1_000 + numbers[3]
    }
}
