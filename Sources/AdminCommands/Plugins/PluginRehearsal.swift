private import Glibc
internal import LinuxSystem
package import ProcessorSupervision
internal import TaskModel

/// Runs one plugin as a worker would, without a broker: the same supervisor, real processes.
///
/// The thread must live as long as the rehearsal: its processes die with it.
package final class PluginRehearsal {
    /// How one attempt ended.
    package struct Attempt: Sendable {
        package var verdict: AttemptVerdict
        package var durationMilliseconds: UInt64
        /// How the process ended; nil where it lives on for the next task.
        package var exit: ExitStatus?

        package var isAcked: Bool {
            if case .acked = verdict { true } else { false }
        }
    }

    /// What came of a task.
    package enum Ending: Sendable {
        case attempted(Attempt)
        /// The processor does not start; the sentence names the cure.
        case stalled(String)

        package var isAcked: Bool {
            if case .attempted(let attempt) = self { attempt.isAcked } else { false }
        }
    }

    /// The last lines of output, and how many there were.
    private final class Output {
        let heard: (OutputLine) -> Void
        init(_ heard: @escaping (OutputLine) -> Void) { self.heard = heard }

        var lines: [OutputLine] = []
        var count: UInt64 = 0
        /// Nothing is taken before this.
        var deafUntil = MonotonicTime(rawValue: 0)
    }

    /// No trial waits longer than a task may take, plus this, milliseconds.
    private static let slackMilliseconds: UInt64 = 10_000

    package let supervisor: ProcessorSupervisor
    private let output: Output
    /// What a worker would log beside the output.
    private(set) var notices: [ProcessorNotice] = []
    private(set) var problem: String?
    private var finished: [FinishedAttempt] = []

    /// - Parameter heard: gets each line of output as it comes, also the ones that are not kept.
    init(
        _ options: ProcessorSupervisor.Options, hearing heard: @escaping (OutputLine) -> Void = { _ in }
    ) throws(ProcessorSupervisionError) {
        let output = Output(heard)
        self.output = output
        supervisor = try ProcessorSupervisor(options) { line in
            guard Self.now() >= output.deafUntil else { return false }
            output.count += 1
            output.lines.append(line)
            output.heard(line)
            if output.lines.count > RehearsalReport.linesMax { output.lines.removeFirst() }
            return true
        }
        supervisor.start(now: Self.now())
    }

    static func now() -> MonotonicTime { MonotonicTime(rawValue: Clocks.monotonicNanoseconds()) }

    var lines: [OutputLine] { output.lines }
    var lineCount: UInt64 { output.count }

    /// Whether the task that was assigned last is over.
    var hasEnding: Bool { !finished.isEmpty }

    /// Takes no line of output for so long.
    func turnDeaf(milliseconds: UInt64) {
        output.deafUntil = Self.now().advanced(byMilliseconds: milliseconds)
    }

    /// Does one task and waits for its end.
    func run(_ task: ProcessorTask) throws -> Ending {
        guard try assign(task) else { return .stalled(problem ?? "no process became free") }
        return try waitForEnd(of: task)
    }

    /// False where the processor does not start.
    func assign(_ task: ProcessorTask) throws -> Bool {
        finished = []
        var slot: Int?
        try wait { [self] in
            guard problem == nil else { return true }
            slot = supervisor.assign(
                task, now: Self.now(), wall: WallTime(rawValue: Clocks.wallMilliseconds()))
            take(supervisor.takeEvents())
            return slot != nil || problem != nil
        }
        return slot != nil
    }

    func waitForEnd(of task: ProcessorTask) throws -> Ending {
        try wait { [self] in !finished.isEmpty }
        guard let attempt = finished.first else { return .stalled(problem ?? "no end was seen") }
        if case .released = attempt.verdict, let problem { return .stalled(problem) }
        return .attempted(
            Attempt(
                verdict: attempt.verdict, durationMilliseconds: attempt.durationMilliseconds,
                exit: attempt.exit))
    }

    /// Turns on the kernel's events until the condition holds or `limit` has passed.
    func wait(
        milliseconds limit: UInt64? = nil, until condition: () throws -> Bool
    ) throws {
        let settings = supervisor.settings
        let longest = max(settings.maxRuntimeMilliseconds, settings.timeoutMilliseconds)
        let usual = longest + settings.startTimeoutMilliseconds + Self.slackMilliseconds
        let deadline = Self.now().advanced(byMilliseconds: limit ?? usual)
        while try !condition() {
            let now = Self.now()
            guard now < deadline else { return }
            let wake = min(supervisor.nextDeadline ?? deadline, deadline)
            try OwnedDescriptor.waitUntilReady(
                supervisor.pollDescriptor, events: Int16(POLLIN),
                timeoutMilliseconds: CInt(clamping: wake.milliseconds(since: now) + 1))
            take(try supervisor.turn(now: Self.now()))
        }
    }

    /// Ends the processes, and hears their last words.
    func close() throws {
        supervisor.drain(now: Self.now())
        try wait(milliseconds: Self.slackMilliseconds) { [self] in supervisor.processCount == 0 }
    }

    private func take(_ events: [ProcessorEvent]) {
        for event in events {
            switch event {
            case .finished(_, let attempt): finished.append(attempt)
            case .stalled(let stall): problem = stall.sentence
            case .notice(let notice): notices.append(notice)
            case .progress, .probing, .unstalled, .manifestChanged: break
            }
        }
    }
}
