/// Gathers the steps of each task into one line: `0198…4e10 accepted → leased → completed 12 ms`.
///
/// A story is told when it ends, or when a moment has passed since its first untold step; what was told
/// before is then left out. Pure; time enters.
package struct TaskStories: Sendable {
    /// How a step ends a line.
    package enum Tone: Hashable, Sendable {
        case underway
        case good
        case bad
    }

    package struct Line: Hashable, Sendable {
        package var tone: Tone
        /// Without its end, not escaped.
        package var text: String

        package init(tone: Tone, text: String) {
            self.tone = tone
            self.text = text
        }
    }

    private struct Story {
        var queue: String
        /// Not told yet.
        var steps: [String] = []
        var isContinued = false
        /// Of the untold steps, the worst.
        var tone = Tone.underway
        var firstMilliseconds: UInt64?
        var lastMilliseconds: UInt64?
        /// When it is told though it has not ended; nil while nothing is untold.
        var dueAt: UInt64?
    }

    /// Stories kept at once; the oldest are forgotten.
    private static let storiesMax = 10_000
    private static let stepsMax = 16
    private static let patienceMilliseconds: UInt64 = 300
    private static let dayMilliseconds: UInt64 = 86_400_000

    private var stories: [String: Story] = [:]
    private var order: [String] = []

    package init() {}

    /// Takes a line of the broker about a task.
    ///
    /// Nil: it is about something else, and shown as it is.
    package mutating func take(_ line: ChildLine, at now: UInt64) -> [Line]? {
        guard let task = line.fields["task.id"], let step = Self.step(line) else { return nil }
        var story = stories[task] ?? Story(queue: "")
        if stories[task] == nil { remember(task) }
        if let queue = line.fields["task.queue"] { story.queue = queue }
        story.firstMilliseconds = story.firstMilliseconds ?? line.dayMilliseconds
        story.lastMilliseconds = line.dayMilliseconds ?? story.lastMilliseconds
        story.steps.append(step.words)
        if story.steps.count > Self.stepsMax { story.steps.removeFirst(story.steps.count - Self.stepsMax) }
        if step.tone == .bad { story.tone = .bad }
        story.dueAt = story.dueAt ?? now + Self.patienceMilliseconds
        stories[task] = step.isLast ? nil : story
        return step.isLast ? [Self.tell(task, story, step.tone, isEnd: true)] : []
    }

    /// What has waited long enough to be told unfinished.
    package mutating func due(at now: UInt64) -> [Line] {
        var lines: [Line] = []
        for task in order {
            guard let due = stories[task]?.dueAt, due <= now, let story = stories[task] else { continue }
            lines.append(Self.tell(task, story, story.tone, isEnd: false))
            stories[task]?.dueAt = nil
            stories[task]?.steps = []
            stories[task]?.isContinued = true
            stories[task]?.tone = .underway
        }
        order.removeAll { stories[$0] == nil }
        return lines
    }

    /// When ``due(at:)`` has something to tell.
    package var nextDeadline: UInt64? { stories.values.compactMap(\.dueAt).min() }

    private mutating func remember(_ task: String) {
        order.append(task)
        guard order.count > Self.storiesMax else { return }
        for forgotten in order.prefix(Self.storiesMax / 10) { stories[forgotten] = nil }
        order.removeFirst(Self.storiesMax / 10)
    }

    private static func tell(_ task: String, _ story: Story, _ tone: Tone, isEnd: Bool) -> Line {
        let steps = (story.isContinued ? ["…"] : []) + story.steps + (isEnd ? [] : ["…"])
        var text = "\(short(task)) \(story.queue)  \(steps.joined(separator: " → "))"
        if isEnd, let first = story.firstMilliseconds, let last = story.lastMilliseconds {
            // Past midnight the time of day begins anew.
            text +=
                "  " + HumanText.duration(milliseconds: (last + dayMilliseconds - first) % dayMilliseconds)
        }
        return Line(tone: tone, text: text)
    }

    /// The beginning, which is the time, and the end, which tells tasks of one moment apart.
    private static func short(_ task: String) -> String {
        task.count > 16 ? "\(task.prefix(8))…\(task.suffix(6))" : task
    }

    private static func step(_ line: ChildLine) -> (words: String, tone: Tone, isLast: Bool)? {
        let attempt = line.fields["task.attempt"]
        let reason = line.fields["reason"].map { " (\($0))" } ?? ""
        switch line.message {
        case "task accepted": return ("accepted", .underway, false)
        case "task leased":
            return (
                attempt.map { $0 == "1" ? "leased" : "leased, attempt \($0)" } ?? "leased", .underway, false
            )
        case "task attempt failed":
            let outcome = line.fields["outcome"] ?? "failed"
            return ("attempt \(attempt ?? "?") failed: \(outcome)\(reason)", .bad, false)
        case "task completed": return ("completed", .good, true)
        case "task dead-lettered": return ("dead-lettered\(reason)", .bad, true)
        case "task cancelled": return ("cancelled", .bad, true)
        case _ where line.message.hasPrefix("task parked"): return ("parked", .bad, true)
        case _: return nil
        }
    }
}
