/// What a unit's file, as `systemctl cat` shows it with its drop-ins, allows and forbids to what it runs.
///
/// Pure.
package enum UnitProperties {
    /// What concerns the daemon that the unit is for, and not the surroundings of what runs in it.
    private static let omitted: Set<String> = [
        "Type", "NotifyAccess", "RemainAfterExit", "PIDFile", "BusName", "Slice", "WatchdogSec",
        "WatchdogSignal",
        "Restart", "RestartSec", "RestartPreventExitStatus", "RestartForceExitStatus", "SuccessExitStatus",
        "StateDirectory", "StateDirectoryMode", "RuntimeDirectory", "RuntimeDirectoryMode",
        "RuntimeDirectoryPreserve", "LoadCredential", "LoadCredentialEncrypted", "SetCredential",
        "StandardInput", "StandardOutput", "StandardError", "LogNamespace",
        "ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition", "ExecReload", "ExecStop",
        "ExecStopPost",
    ]

    /// `Name=value` of each line of `[Service]` that is for what runs, in the order of the text: a later one
    /// adds to, or replaces, an earlier one as systemd has it.
    ///
    /// `%i` becomes the instance's name, which for queues needs no escaping; `%%` a percent sign.
    package static func read(_ text: String, instance: String) -> [String] {
        var isService = false
        var properties: [String] = []
        for line in logicalLines(text) {
            if line.hasPrefix("[") {
                isService = line == "[Service]"
                continue
            }
            guard isService, let equals = line.firstIndex(of: "=") else { continue }
            let name = line[..<equals].split(separator: " ").joined(separator: " ")
            guard !name.isEmpty, !omitted.contains(name) else { continue }
            let value = line[line.index(after: equals)...].drop { $0 == " " || $0 == "\t" }
            properties.append("\(name)=\(expanded(value, instance))")
        }
        return properties
    }

    /// Without comments and blank lines; a backslash at the end continues a line.
    private static func logicalLines(_ text: String) -> [String] {
        var lines: [String] = []
        var begun: String?
        for line in text.split(separator: "\n") {
            let trimmed = line.drop { $0 == " " || $0 == "\t" }
            if trimmed.hasPrefix("#") || trimmed.hasPrefix(";") { continue }
            let whole = (begun.map { $0 + " " } ?? "") + trimmed
            if whole.hasSuffix("\\") {
                begun = String(whole.dropLast())
            } else {
                begun = nil
                lines.append(whole)
            }
        }
        return lines
    }

    private static func expanded(_ value: Substring, _ instance: String) -> String {
        var text = ""
        var rest = value
        while let percent = rest.firstIndex(of: "%") {
            text += rest[..<percent]
            let specifier = rest[percent...].prefix(2)
            switch specifier {
            case "%i", "%I": text += instance
            case "%%": text += "%"
            case _: text += specifier
            }
            rest = rest[percent...].dropFirst(2)
        }
        return text + rest
    }
}
