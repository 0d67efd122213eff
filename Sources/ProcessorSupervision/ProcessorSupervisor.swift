private import Glibc
internal import LinuxSystem
package import TaskModel

/// Runs the processes of one processor on the thread that calls it: no threads, no locks, no waiting of its
/// own.
///
/// The caller polls ``pollDescriptor`` and the clock up to ``nextDeadline``, calls ``turn(now:)``, and acts
/// on the events. The thread must live as long as the process: its children die with it.
package final class ProcessorSupervisor {
    package struct Options: Sendable {
        package var program: ProcessorProgram
        package var settings: ProcessorSettings
        package var surroundings: ProcessorSurroundings
        /// Nil runs whatever is there.
        package var trust: PluginTrust?
        /// A file whose change is told, `plugin.toml`; it need not exist.
        package var manifest: String?
        /// Stalls everything: the manifest cannot be read.
        package var manifestProblem: String?
        /// True in a process that has no other children: then every orphan is a leftover.
        package var ownsEveryOrphan = false

        package init(
            program: ProcessorProgram, settings: ProcessorSettings, surroundings: ProcessorSurroundings
        ) {
            self.program = program
            self.settings = settings
            self.surroundings = surroundings
        }
    }

    static let scratchBytes = 64 << 10
    /// Killed leftovers that were slow to die are looked at again after this, milliseconds.
    static let reapMilliseconds: UInt64 = 20
    /// A reader of output that said no is asked again after this, milliseconds.
    static let outputRetryMilliseconds: UInt64 = 5

    private(set) var options: Options
    let epoll: Epoll
    let scratch: UnsafeMutableRawBufferPointer
    /// Takes a line of output, or says no: then it comes again, and the processors are held back by their
    /// pipes.
    let takeOutput: (OutputLine) -> Bool
    var slots: [ProcessorProcess?]
    /// Names the process that a slot holds, so that an event for its predecessor is not taken for its own.
    var generations: [UInt64]
    var gate = StartGate()
    var events: [ProcessorEvent] = []
    var untakenOutput: [OutputLine] = []
    var outputRetryAt: MonotonicTime?
    var problem: StartProblem?
    var toldProbing = false
    var isDraining = false
    var memory = MemoryWitness()
    /// Leftovers that were killed and have not died yet.
    var dying: [Int32] = []
    var reapAt: MonotonicTime?
    var watch: ProgramWatch
    var spawns: UInt64 = 0
    let markerPrefix: String
    private var ready: [Epoll.Event] = []
    private var toldTrustWarnings: Set<String> = []

    /// Becomes the subreaper of this process's descendants, and ignores SIGPIPE.
    package init(
        _ options: Options, takeOutput: @escaping (OutputLine) -> Bool
    ) throws(ProcessorSupervisionError) {
        precondition(options.settings.concurrency > 0, "a processor has one process at least")
        self.options = options
        self.takeOutput = takeOutput
        do throws(SystemError) {
            try ProcessControl.becomeSubreaper()
            epoll = try Epoll()
        } catch {
            throw .system(error)
        }
        SignalDescriptor.ignoreBrokenPipes()
        scratch = .allocate(byteCount: Self.scratchBytes, alignment: 16)
        slots = Array(repeating: nil, count: options.settings.concurrency)
        generations = Array(repeating: 0, count: options.settings.concurrency)
        watch = ProgramWatch(options.program, manifest: options.manifest)
        markerPrefix = "TASKQ_PROCESSOR=\(getpid())-\(Clocks.monotonicNanoseconds())"
        try register(watch.descriptor, token: Self.watchToken, interest: .readable)
    }

    /// Kills what still runs: nobody would ever hear of it again.
    deinit {
        for process in slots { process?.child.sendToGroup(signal: SIGKILL) }
        for case let process? in slots {
            _ = try? process.child.waitForExit(timeoutMilliseconds: 1_000)  // ignoring: KILL was sent
        }
        scratch.deallocate()
    }

    /// Readable while ``turn(now:)`` has something to do.
    package var pollDescriptor: CInt { epoll.rawValue }

    /// How many tasks may be held at once, those in hand included: the worker's credit.
    package var capacity: Int {
        if isDraining { return 0 }
        switch options.settings.mode {
        case .oneshot:
            let dying = slots.count { $0.map { $0.machine.taskInHand == nil } ?? false }
            return max(0, gate.startsMax(of: slots.count) - dying)
        case .stream:
            return slots.count { process in
                switch process?.machine.phase {
                case nil, .starting: false
                case .idle, .working: true
                case .ending(let ending): ending.report.attempt != nil
                }
            }
        }
    }

    package var settings: ProcessorSettings { options.settings }

    /// Bounds of the attempts of processes that start from now on, milliseconds.
    package func bound(timeoutMilliseconds: UInt64, maxRuntimeMilliseconds: UInt64) {
        options.settings.timeoutMilliseconds = timeoutMilliseconds
        options.settings.maxRuntimeMilliseconds = maxRuntimeMilliseconds
    }

    /// Processes that exist, at whatever they are.
    package var processCount: Int { slots.count { $0 != nil } }
    package var isStalled: Bool { gate.isStalled }
    /// The pids of the processes, for people and tests.
    package var pids: [Int32] { slots.compactMap { $0?.child.pid } }

    /// When ``turn(now:)`` has something to do even if nothing happens.
    package var nextDeadline: MonotonicTime? {
        var next = MonotonicTime(rawValue: .max)
        for case let process? in slots {
            if let deadline = process.machine.nextDeadline { next = min(next, deadline) }
        }
        if let retry = gate.nextDeadline, !isDraining { next = min(next, retry) }
        if let outputRetryAt { next = min(next, outputRetryAt) }
        if let reapAt { next = min(next, reapAt) }
        return next.rawValue < .max ? next : nil
    }

    /// Looks at the program, and starts the processes of a stream processor.
    package func start(now: MonotonicTime) {
        if let problem = preflight() { return startFailed(problem, now: now) }
        fillSlots(now: now)
    }

    /// Does everything that is due, without waiting, and hands out what has happened.
    package func turn(now: MonotonicTime) throws(ProcessorSupervisionError) -> [ProcessorEvent] {
        do throws(SystemError) {
            try epoll.wait(into: &ready, timeoutMilliseconds: 0)
        } catch {
            throw .system(error)
        }
        // What was printed before an answer belongs to the task that the answer ends, and is ready with it.
        for event in ready where isOutput(event) { handle(event, now: now) }
        for event in ready where !isOutput(event) { handle(event, now: now) }
        passTime(now: now)
        return takeEvents()
    }

    /// What ``assign(_:now:wall:)`` and the like have brought about since the last turn.
    package func takeEvents() -> [ProcessorEvent] {
        guard !events.isEmpty else { return [] }
        defer { events = [] }
        return events
    }

    /// Why the program must not or cannot be run, as far as a look at it tells.
    func preflight() -> StartProblem? {
        if let sentence = options.manifestProblem { return StartProblem(sentence) }
        let inspection = ProgramInspection(
            of: options.program, searchPath: options.surroundings.searchPath, trust: options.trust)
        for sentence in inspection.warnings where toldTrustWarnings.insert(sentence).inserted {
            events.append(.notice(ProcessorNotice(sentence: sentence)))
        }
        return inspection.problem
    }

    func facts() -> ProgramFacts {
        let program = options.program
        return ProgramFacts(
            lookingAt: program.path, directory: program.directory, searchPath: options.surroundings.searchPath
        )
    }

    func startFailed(_ problem: StartProblem, now: MonotonicTime) {
        gate.startFailed(now: now)
        guard problem != self.problem || toldProbing else { return }
        self.problem = problem
        toldProbing = false
        events.append(.stalled(problem))
    }

    func startSucceeded() {
        problem = nil
        toldProbing = false
        if gate.startSucceeded() { events.append(.unstalled) }
    }
}
