private import Glibc
private import LinuxSystem
private import Logging
import PluginKeeper
private import ServiceLog

/// Shows what the stack and its members say, on standard output.
struct StackPrinter {
    /// What a line shows of a level, and its colour.
    private static let levels: [String: String] = [
        "trace": "2", "debug": "2", "info": "32", "notice": "36", "warning": "33", "error": "31",
        "critical": "31",
    ]
    /// The worker's own view of what the broker's lines about a task tell already.
    private static let toldByBroker: Set<String> = ["attempt failed", "task rejected by its processor"]
    /// The same about workers.
    private static let comingAndGoing: Set<String> = [
        "connected to the broker", "stopping", "worker stopped",
    ]

    private let isJSON: Bool
    private let colour: Bool
    private var stories = TaskStories()

    init(isJSON: Bool) {
        self.isJSON = isJSON
        colour = !isJSON && isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
    }

    var nextDeadline: UInt64? { stories.nextDeadline }

    mutating func show(
        _ bytes: ArraySlice<UInt8>, from member: StackMember, _ line: ChildLine?, at now: UInt64
    ) {
        guard !isJSON else {
            let text = String(decoding: bytes, as: UTF8.self)
            return line == nil ? say(text, from: member.label) : write(text)
        }
        guard let line else {
            return write(
                painted("2", member.label + ": ")
                    + TerminalText.escaped(String(decoding: bytes, as: UTF8.self)))
        }
        if member == .broker, let told = stories.take(line, at: now) { return tell(told) }
        if let plugin = line.fields["plugin"] { return show(line, of: plugin) }
        if member.isWorker, line.fields["task.id"] != nil, Self.toldByBroker.contains(line.message) { return }
        if member.isWorker, Self.comingAndGoing.contains(line.message) { return }
        show(line, label: member.label)
    }

    /// Tells the tasks that have been underway for a while.
    mutating func tick(at now: UInt64) {
        guard !isJSON else { return }
        tell(stories.due(at: now))
    }

    /// The stack's own words.
    func say(_ text: String, from label: String = "taskq") {
        guard isJSON else { return write(painted("36", "\(label): ") + TerminalText.escaped(text)) }
        let now = Clocks.wallMilliseconds()
        let line = LogLine(level: .notice, message: text, metadata: [:], wallMilliseconds: now)
        write(LineFormats.json(line, identifier: label))
    }

    /// The plugin keeper's words.
    func tell(_ notice: KeeperNotice) {
        guard !isJSON else {
            let facts = notice.fields.mapValues { Logger.MetadataValue.string($0) }
            let metadata = notice.catalog?.with(facts) ?? facts
            let line = LogLine(
                level: Logger.Level(rawValue: notice.level.rawValue) ?? .notice, message: notice.message,
                metadata: metadata, wallMilliseconds: Clocks.wallMilliseconds())
            return write(LineFormats.json(line, identifier: "taskq-plugins"))
        }
        show(
            level: notice.level.rawValue, notice.message, fields: notice.fields, label: "taskq-plugins")
    }

    /// Lines of our own making, shown as they are; not in JSON.
    func banner(_ text: String) {
        guard !isJSON else { return }
        FileText.write(text, to: STDOUT_FILENO)
    }

    private func tell(_ lines: [TaskStories.Line]) {
        for line in lines {
            let text = TerminalText.escaped(line.text)
            switch line.tone {
            case .underway: write(text)
            case .good: write(painted("32", text))
            case .bad: write(painted("31", text))
            }
        }
    }

    /// A processor's own output.
    private func show(_ line: ChildLine, of plugin: String) {
        let text = TerminalText.escaped(line.message)
        let tint = ["warning", "error", "critical"].contains(line.level) ? Self.levels[line.level] : nil
        let name = painted("35", "\(TerminalText.escaped(plugin)) | ")
        write("  \(name)\(tint.map { painted($0, text) } ?? text)")
    }

    private func show(_ line: ChildLine, label: String) {
        show(level: line.level, line.message, fields: line.fields, label: label)
    }

    private func show(level: String, _ message: String, fields: [String: String], label: String) {
        let shown = fields.filter { $0.key != "message.id" }.sorted { $0.key < $1.key }
        let facts = shown.map { " \($0.key)=\($0.value)" }.joined()
        let word = level == "info" || level == "notice" ? "" : "\(level): "
        let head = painted(Self.levels[level] ?? "0", "\(label): \(word)")
        write(head + TerminalText.escaped(message) + painted("2", TerminalText.escaped(facts)))
    }

    private func painted(_ code: String, _ text: String) -> String {
        colour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    private func write(_ line: String) {
        FileText.write(line + "\n", to: STDOUT_FILENO)
    }
}
