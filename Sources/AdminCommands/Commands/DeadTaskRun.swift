private import LinuxSystem
import TaskModel
import WireProtocol

/// One command's way through dead tasks, at its pace, until it is done or has to stop.
struct DeadTaskRun: ~Copyable {
    /// Why a command leaves tasks where they are.
    enum Stop: Hashable, Sendable {
        case interrupted
        case noRoom(String)
    }

    private let act: TaskAct
    private let participle: String
    private let total: Int
    private let client: AdminClient
    private let startedAt = Clocks.monotonicNanoseconds()
    private var pace: Pace
    private var interruption: Interruption
    private var progress = ProgressLine()
    private(set) var counts = ActCounts()
    private(set) var stop: Stop?

    init(
        _ act: TaskAct, participle: String, total: Int, pace: Pace, _ interruption: consuming Interruption,
        _ client: AdminClient
    ) {
        self.act = act
        self.participle = participle
        self.total = total
        self.pace = pace
        self.interruption = interruption
        self.client = client
    }

    /// Does it to these, unless there is a reason to stop: see ``stop``.
    mutating func take(_ tasks: [TaskID]) throws(CommandFailure) {
        for start in stride(from: 0, to: tasks.count, by: pace.batch) where stop == nil {
            let batch = Array(tasks[start..<min(start + pace.batch, tasks.count)])
            let time = pace.grant(batch.count, now: Clocks.monotonicNanoseconds())
            if try interruption.wait(untilNanoseconds: time) {
                stop = .interrupted
                return
            }
            counts.add(try client.act(act, on: batch))
            if let sentence = counts.noRoom { stop = .noRoom(sentence) }
            progress.show(
                counts.progress(
                    participle, of: total, elapsed: Clocks.monotonicNanoseconds() - startedAt))
        }
    }

    mutating func endProgress() { progress.end() }
}

/// What became of the tasks of one command.
struct ActCounts: Hashable, Sendable {
    private(set) var done = 0
    /// Not dead any more, or not known.
    private(set) var missed = 0
    /// Why the rest has to wait; nil while there is room.
    private(set) var noRoom: String?

    mutating func add(_ outcomes: [ActOutcome]) {
        for outcome in outcomes {
            switch outcome {
            case .done: done += 1
            case .notInState, .unknown: missed += 1
            case .queueFull, .diskFull: noRoom = outcome.sentence
            }
        }
    }

    /// `redriven: 3` or `redriven: 3 of 7`, and what was gone.
    func text(_ participle: String, of total: Int? = nil) -> String {
        let whole = total.map { " of \(max($0, done + missed))" } ?? ""
        return "\(participle): \(done)\(whole)" + (missed == 0 ? "" : ", not dead any more: \(missed)")
    }

    /// - Parameter elapsed: nanoseconds since the first.
    func progress(_ participle: String, of total: Int, elapsed: UInt64) -> String {
        let past = UInt64(done + missed)
        let left = UInt64(max(0, total - done - missed))
        guard past > 0, left > 0 else { return text(participle, of: total) }
        let milliseconds = elapsed / 1_000_000 * left / past
        return "\(text(participle, of: total)), about \(HumanText.duration(milliseconds: milliseconds)) left"
    }

    func json(total: Int, stop: DeadTaskRun.Stop?) -> String {
        let whole = max(total, done + missed)
        let reason =
            switch stop {
            case nil: ""
            case .interrupted: #","stopped_because":"interrupted""#
            case .noRoom(let why): #","stopped_because":"\#(why)""#
            }
        return #"{"done":\#(done),"missed":\#(missed),"total":\#(whole)\#(reason)}"# + "\n"
    }
}
