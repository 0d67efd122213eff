import Configuration
private import Glibc
private import ServiceLog
import TaskModel
import WireProtocol

/// Tells one task's story out of journald and the broker's record, in the order of time.
struct StoryTelling {
    static let foreground =
        "a stack in the foreground writes its lines to where 'taskq up' runs (its log), not to journald"

    private let task: TaskID
    private let paths: StatePaths
    private let show: (StoryLine) throws -> Void
    /// Of the last entry shown.
    private var cursor: String?

    init(_ task: TaskID, _ paths: StatePaths, show: @escaping (StoryLine) throws -> Void) {
        self.task = task
        self.paths = paths
        self.show = show
    }

    private var matches: [String] { ["TASKQ_TASK_ID=\(task)"] }

    /// Shows what there is up to now; a failure is thrown after that.
    mutating func tell(_ interruption: inout Interruption) throws {
        var record = Record(task, paths)
        guard paths.state == nil else { return try tellRecordAlone(record) }
        var isEmpty = true
        var problem: CommandFailure?
        do {
            if record.isKnown {
                let own = JournaldQuery(matches: matches + ["SYSLOG_IDENTIFIER=taskq-broker"])
                try Journalctl.read(own, &interruption) { record.steps.remove(toldBy: $0.line) }
            }
            try Journalctl.read(JournaldQuery(matches: matches), &interruption) { entry in
                isEmpty = false
                for line in record.steps.take(before: entry.line.wallMilliseconds) { try show(line) }
                try show(entry.line)
                cursor = entry.cursor
            }
        } catch let failure as CommandFailure {
            problem = failure
        }
        for line in record.steps.take() { try show(line) }
        if let problem { throw problem }
        guard isEmpty, !record.isKnown else { return record.noteIfSilent() }
        throw record.problem?.saying("journald has no line of task \(task) either")
            ?? .notFound("nothing is known of task \(task): neither the broker nor journald has it")
    }

    /// Shows what comes after that, without an end.
    func follow(_ interruption: inout Interruption) throws {
        guard paths.state == nil else { throw CommandFailure.failed("nothing to follow: \(Self.foreground)") }
        var query = JournaldQuery(matches: matches)
        query.afterCursor = cursor
        query.follows = true
        try Journalctl.read(query, &interruption) { try show($0.line) }
    }

    private func tellRecordAlone(_ record: Record) throws {
        var record = record
        guard record.isKnown else {
            throw record.problem
                ?? .notFound("the broker knows no task \(task); \(Self.foreground)")
        }
        Record.note("\(Self.foreground); this is the broker's record alone")
        for line in record.steps.take() { try show(line) }
    }
}

/// What the broker answered about a task.
private struct Record {
    var steps = RecordedSteps()
    private(set) var isKnown = false
    /// Why there was no answer.
    private(set) var problem: CommandFailure?

    init(_ task: TaskID, _ paths: StatePaths) {
        do {
            let client = try AdminClient(paths)
            if case .found(let view) = try client.lookup(task) {
                steps = try RecordedSteps(view)
                isKnown = true
            }
        } catch let failure as CommandFailure {
            problem = failure
        } catch {
            problem = .failed("the broker's record of the task cannot be read: \(error)")
        }
    }

    func noteIfSilent() {
        if let problem { Self.note("this is journald's part alone: \(problem)") }
    }

    static func note(_ text: String) {
        FileText.write("taskq: note: \(TerminalText.escaped(text))\n", to: STDERR_FILENO)
    }
}
