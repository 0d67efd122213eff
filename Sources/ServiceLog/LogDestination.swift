private import Glibc
private import LinuxSystem
import Systemd

/// Where lines go, and in which form.
package enum LogFormat: String, Hashable, Sendable, CaseIterable {
    /// journald where standard error is its stream, text elsewhere.
    case automatic = "auto"
    case text
    case json
    case journald

    package var resolved: LogFormat {
        guard self == .automatic else { return self }
        return Journald.isStandardError() ? .journald : .text
    }
}

/// Writes batches of lines to a descriptor or to journald.
///
/// Used by the log's thread only.
struct LogDestination {
    private let identifier: String
    private let format: LogFormat
    private let descriptor: CInt
    private let colour: Bool

    init(identifier: String, format: LogFormat, descriptor: CInt) {
        self.identifier = identifier
        self.format = format.resolved
        self.descriptor = descriptor
        colour = self.format == .text && isatty(descriptor) == 1 && getenv("NO_COLOR") == nil
    }

    /// A log that cannot be written has nobody to tell: what fails is left out.
    func write(_ lines: [LogLine]) {
        switch format {
        case .journald: for line in lines { sendToJournald(line) }
        case .json:
            writeText(lines.map { LineFormats.json($0, identifier: identifier) })
        case .text, .automatic:
            writeText(lines.map { LineFormats.text($0, identifier: identifier, colour: colour) })
        }
    }

    private func sendToJournald(_ line: LogLine) {
        var entry = Journald.Entry()
        LineFormats.journald(line, identifier: identifier, into: &entry)
        try? Journald.send(entry)  // ignoring: nobody is left to be told
    }

    private func writeText(_ lines: [String]) {
        guard !lines.isEmpty else { return }
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        bytes.withUnsafeBytes { content in
            try? OwnedDescriptor.writeAll(descriptor, content)  // ignoring: nobody is left to be told
        }
    }
}
