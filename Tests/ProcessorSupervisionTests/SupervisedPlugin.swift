import Glibc
import LinuxSystem
import ProcessorSupervision
import TaskModel
import TestSupport

/// A processor written by a test, run for real, with everything that was heard from it.
final class SupervisedPlugin {
    let supervisor: ProcessorSupervisor
    let directory: TemporaryDirectory
    private(set) var events: [ProcessorEvent] = []
    private let lines = Lines()
    /// A reader that says no, until a test lets it say yes.
    var refusesOutput: Bool {
        get { lines.isRefusing }
        set { lines.isRefusing = newValue }
    }

    private final class Lines {
        var taken: [ProcessorSupervision.OutputLine] = []
        var isRefusing = false
    }

    static func with(
        _ script: String, named name: String = "processor", mode: mode_t = 0o755,
        settings: (inout ProcessorSettings) -> Void = { _ in },
        _ body: @escaping @Sendable (SupervisedPlugin) throws -> Void
    ) async throws {
        var values = ProcessorSettings()
        values.killGraceMilliseconds = 300
        values.closeGraceMilliseconds = 100
        settings(&values)
        let chosen = values
        try await RealProcesses.run { try run(script, named: name, mode: mode, chosen, body) }
    }

    private static func run(
        _ script: String, named name: String, mode: mode_t, _ settings: ProcessorSettings,
        _ body: (SupervisedPlugin) throws -> Void
    ) throws {
        try TemporaryDirectory.with { directory in
            try directory.write(script, to: name, mode: mode)
            let plugin = try SupervisedPlugin(directory, name, settings)
            try body(plugin)
        }
    }

    init(_ directory: TemporaryDirectory, _ name: String, _ settings: ProcessorSettings) throws {
        self.directory = directory
        let program = ProcessorProgram(
            queue: "mail", executable: directory.path(name), directory: directory.path,
            command: settings.command,
            searchPath: ProcessorSurroundings.usualSearchPath, isExecutable: FileContents.isExecutableFile)
        var surroundings = ProcessorSurroundings()
        surroundings.home = directory.path
        let options = ProcessorSupervisor.Options(
            program: program, settings: settings, surroundings: surroundings)
        let lines = self.lines
        supervisor = try ProcessorSupervisor(options) { line in
            guard !lines.isRefusing else { return false }
            lines.taken.append(line)
            return true
        }
        supervisor.start(now: Self.now())
    }

    static func now() -> MonotonicTime { MonotonicTime(rawValue: Clocks.monotonicNanoseconds()) }

    var output: [ProcessorSupervision.OutputLine] { lines.taken }
    var outputText: [String] { output.map { String(decoding: $0.text, as: UTF8.self) } }

    static func task(
        _ payload: String = "{\"n\":1}", number: UInt64 = 1, group: String = "g", attempt: UInt32 = 1
    ) -> ProcessorTask {
        ProcessorTask(
            label: .init(
                id: TaskID(high: 0x0198_f6e2_7c1a_7d54, low: 0x9b3e_0000_0000_0000 + number), group: group,
                attempt: attempt),
            queue: "mail", sequence: TaskSequence(rawValue: number), maxAttempts: 5,
            traceparent: [], payload: Array(payload.utf8)[...])
    }

    /// Gives the task away; a stream processor is waited for until it is ready.
    @discardableResult
    func assign(_ task: ProcessorTask = SupervisedPlugin.task()) throws -> Int {
        var slot: Int?
        try wait("a free process") {
            slot = supervisor.assign(
                task, now: Self.now(), wall: WallTime(rawValue: Clocks.wallMilliseconds()))
            events += supervisor.takeEvents()
            return slot != nil
        }
        guard let slot else { throw TestFailure(sentence: "no free process") }
        return slot
    }

    /// Gives a task away and waits for its end.
    func run(_ task: ProcessorTask = SupervisedPlugin.task()) throws -> FinishedAttempt {
        let before = finished.count
        try assign(task)
        try wait("the end of the attempt") { finished.count > before }
        return finished[before]
    }

    var finished: [FinishedAttempt] {
        events.compactMap { if case .finished(_, let attempt) = $0 { attempt } else { nil } }
    }
    var problems: [String] {
        events.compactMap { if case .stalled(let problem) = $0 { problem.sentence } else { nil } }
    }
    var notices: [String] {
        events.compactMap { if case .notice(let notice) = $0 { notice.sentence } else { nil } }
    }

    /// Turns on the kernel's events until the condition holds.
    func wait(_ what: String, seconds: UInt64 = 20, until condition: () throws -> Bool) throws {
        let deadline = Self.now().advanced(byMilliseconds: seconds * 1_000)
        while try !condition() {
            let now = Self.now()
            guard now < deadline else {
                throw TestFailure(sentence: "waited in vain for \(what); \(events) \(outputText)")
            }
            let wake = min(supervisor.nextDeadline ?? deadline, deadline)
            let timeout = CInt(clamping: wake.milliseconds(since: now) + 1)
            try OwnedDescriptor.waitUntilReady(
                supervisor.pollDescriptor, events: Int16(POLLIN), timeoutMilliseconds: timeout)
            events += try supervisor.turn(now: Self.now())
        }
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let sentence: String
    var description: String { sentence }
}

/// Whether a process exists and is no zombie.
func isAlive(_ pid: Int32) -> Bool {
    guard let bytes = try? TextFile.bytes(of: "/proc/\(pid)/stat") else { return false }  // ignoring: gone
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: ")").last?.split(separator: " ")
    return fields?.first.map { $0 != "Z" && $0 != "X" } ?? false
}
