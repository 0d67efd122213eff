import TaskModel
package import WireProtocol

/// The steps of a task as the broker's journal keeps them, to fill the gaps of what journald has.
///
/// journald has no line of a step where `log.tasks` left it out, or where it is too long ago. Pure.
package struct RecordedSteps: Sendable {
    private enum Kind: Hashable, Sendable {
        case accepted
        case failed
        case ended
    }

    private struct Step: Sendable {
        var kind: Kind
        /// A processor's last words, then the step itself.
        var lines: [StoryLine]
        var wallMilliseconds: UInt64
        var attempt: UInt32?
    }

    /// journald's time of a step and the journal's differ by the clock's corrections between the two.
    private static let toleranceMilliseconds: UInt64 = 60_000

    /// In the order of their times.
    private var steps: [Step] = []

    /// Of a task that the broker does not know.
    package init() {}

    package init(_ view: TaskView) throws {
        func line(_ time: UInt64, _ level: String, _ message: String, attempt: UInt32? = nil) -> StoryLine {
            var line = StoryLine(.record, at: time, level: level, program: "taskq-broker", message: message)
            line.taskID = view.id.description
            line.queue = view.queue
            line.group = view.group
            line.attempt = attempt
            return line
        }
        func add(_ kind: Kind, _ lines: [StoryLine], _ attempt: UInt32? = nil) {
            guard let time = lines.last?.wallMilliseconds else { return }
            steps.append(Step(kind: kind, lines: lines, wallMilliseconds: time, attempt: attempt))
        }
        let accepted = view.id.unixMilliseconds
        add(.accepted, [line(accepted, "info", "task accepted")])
        var latest = accepted
        for attempt in try AttemptRecord.decodeHistory(view.history) {
            let end = attempt.startedAt.rawValue + attempt.durationMilliseconds
            latest = max(latest, end)
            let number = attempt.number == 0 ? nil : attempt.number
            var words = String(decoding: attempt.stderrTail, as: UTF8.self).split(separator: "\n").map {
                line(end, "info", String($0), attempt: number)
            }
            for index in words.indices {
                words[index].plugin = view.queue
                words[index].stream = "stderr"
            }
            let reason = attempt.reason.isEmpty ? "" : ": \(attempt.reason)"
            let said = "task attempt failed: \(attempt.outcome.label)\(reason)"
            add(.failed, words + [line(end, "warning", said, attempt: number)], number)
        }
        if let (level, message) = Self.ending(view) {
            add(.ended, [line(view.finishedAt?.rawValue ?? latest, level, message)])
        }
        // Stable: what has one time stays in the order of its telling.
        steps = steps.enumerated().sorted {
            ($0.element.wallMilliseconds, $0.offset) < ($1.element.wallMilliseconds, $1.offset)
        }.map(\.element)
    }

    private static func ending(_ view: TaskView) -> (level: String, message: String)? {
        switch view.state {
        case .pending, .leased: nil
        case .completed: ("info", "task completed")
        case .cancelled: ("notice", "task cancelled")
        case .parked: ("error", "task parked; its group is blocked")
        case .deadLettered: ("error", "task dead-lettered: \(view.deadReason?.label ?? "no reason is kept")")
        }
    }

    /// Takes out the step that a line of the broker has told already.
    package mutating func remove(toldBy line: StoryLine) {
        guard line.source == .journald, line.plugin == nil else { return }
        let found = steps.firstIndex { step in
            switch step.kind {
            case .accepted: line.message.hasPrefix("task accepted")
            case .failed:
                line.message.hasPrefix("task attempt failed") && line.attempt == step.attempt
                    && Self.isNear(line, step)
            case .ended: Self.tells(line.message, step.lines.last?.message ?? "") && Self.isNear(line, step)
            }
        }
        if let found { steps.remove(at: found) }
    }

    /// Whether both begin with the same two words, "task completed" say.
    private static func tells(_ message: String, _ recorded: String) -> Bool {
        func head(_ text: String) -> [Substring] {
            text.split { $0 == " " || $0 == ":" || $0 == ";" }.prefix(2).map { $0 }
        }
        return head(message) == head(recorded)
    }

    private static func isNear(_ line: StoryLine, _ step: Step) -> Bool {
        let (early, late) = (
            min(line.wallMilliseconds, step.wallMilliseconds),
            max(line.wallMilliseconds, step.wallMilliseconds)
        )
        return late - early <= toleranceMilliseconds
    }

    /// The lines of the steps before a time, which are then gone; nil takes all.
    package mutating func take(before wallMilliseconds: UInt64? = nil) -> [StoryLine] {
        let count = steps.prefix { step in wallMilliseconds.map { step.wallMilliseconds < $0 } ?? true }.count
        defer { steps.removeFirst(count) }
        return steps.prefix(count).flatMap(\.lines)
    }
}
