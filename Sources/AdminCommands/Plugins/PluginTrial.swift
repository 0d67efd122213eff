private import Glibc
private import LinuxSystem
private import ProcessorSupervision
private import TaskModel

/// One of the things that `taskq plugin test --torture` does to a processor.
package enum PluginTrial: String, Hashable, Sendable, CaseIterable {
    case sameTaskTwice = "the same task twice"
    case emptyObject = "an empty object"
    case largePayload = "a payload of 1 MiB"
    case everyCharacter = "text with every kind of character"
    case deepPayload = "a payload nested 64 deep"
    case extremeNumbers = "numbers that fit no type"
    case laterVersion = "members of a later version"
    case answersOnly = "nothing but answers on descriptor 3"
    case leftovers = "nothing left running"
    case slowReader = "a slow reader of its output"
    case terminated = "SIGTERM while working"
    case killed = "SIGKILL while working"
    case inputEndsEarly = "stdin ends early"
    case hundredTasks = "100 tasks in a row"

    package struct Outcome: Hashable, Sendable {
        package enum Grade: String, Hashable, Sendable {
            case good
            /// Nothing is wrong; somebody should think of it.
            case remark
            case bad
        }

        package var trial: PluginTrial
        package var grade: Grade
        package var happened: String
        package var meaning: String
    }

    private static let deafMilliseconds: UInt64 = 500
    /// Moments of a task at which it is cut short, evenly spread from its start.
    private static let momentCount = 4
    private static let rowCount = 100

    /// - Parameter payload: JSON that the processor acks when all is well.
    ///
    /// Each trial begins with an empty state folder, so that none sees what another has left there.
    package func run(_ subject: PluginUnderTest, payload: [UInt8]) throws -> Outcome {
        let plugin = try subject.withOwnState("\(self)")
        switch self {
        case .terminated, .killed: return try interrupted(plugin, payload)
        case .sameTaskTwice: return try with(plugin) { try sameTaskTwice(plugin, $0, payload) }
        case .emptyObject: return try with(plugin) { try emptyObject(plugin, $0) }
        case .largePayload: return try with(plugin) { try largePayload(plugin, $0, payload) }
        case .everyCharacter: return try with(plugin) { try everyCharacter(plugin, $0, payload) }
        case .deepPayload: return try with(plugin) { try deepPayload(plugin, $0, payload) }
        case .extremeNumbers: return try with(plugin) { try extremeNumbers(plugin, $0, payload) }
        case .laterVersion: return try laterVersion(plugin, payload)
        case .answersOnly: return try answersOnly(plugin, payload)
        case .leftovers: return try leftovers(plugin, payload)
        case .slowReader: return try with(plugin) { try slowReader(plugin, $0, payload) }
        case .inputEndsEarly: return try with(plugin) { try inputEndsEarly(plugin, $0, payload) }
        case .hundredTasks: return try with(plugin) { try hundredTasks(plugin, $0, payload) }
        }
    }

    private func with(
        _ plugin: PluginUnderTest, _ body: (PluginRehearsal) throws -> Outcome
    ) throws -> Outcome {
        let rehearsal = try plugin.rehearsal()
        defer { try? rehearsal.close() }  // ignoring: the outcome is known
        return try body(rehearsal)
    }

    func outcome(_ grade: Outcome.Grade, _ happened: String, _ meaning: String) -> Outcome {
        Outcome(trial: self, grade: grade, happened: happened, meaning: meaning)
    }

    private func sameTaskTwice(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        var task = try plugin.task(payload)
        let first = try rehearsal.run(task)
        task.label.attempt = 2
        let second = try rehearsal.run(task)
        let happened = "\(PluginVerdictText.words(first)), then \(PluginVerdictText.words(second))"
        if first.isAcked, second.isAcked {
            let meaning = "a task may come twice: see to it that its effect happened once"
            return outcome(.good, happened, meaning)
        }
        guard first.isAcked else { return outcome(.bad, happened, "the task fails without any torture") }
        let meaning = "a task that is done and comes again must be acked, or it ends in the dead-letter queue"
        return outcome(.bad, happened, meaning)
    }

    private func slowReader(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        rehearsal.turnDeaf(milliseconds: Self.deafMilliseconds)
        let ending = try rehearsal.run(try plugin.task(payload))
        try rehearsal.wait(milliseconds: 2 * Self.deafMilliseconds) { rehearsal.lineCount > 0 }
        let happened = PluginVerdictText.words(ending)
        guard ending.isAcked else {
            return outcome(.bad, happened, "it fails where the log is slow: output waits, nothing is dropped")
        }
        if rehearsal.lineCount == 0 {
            return outcome(.good, "\(happened), nothing printed", "there is nothing that could be held back")
        }
        let lines = rehearsal.lineCount == 1 ? "1 line" : "\(rehearsal.lineCount) lines"
        return outcome(.good, "\(happened), \(lines) came later", "nothing that it prints is lost")
    }

    private func hundredTasks(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        let startedAt = PluginRehearsal.now()
        var acked = 0
        var firstFailure: String?
        var processes: Set<Int32> = []
        for number in 1...Self.rowCount {
            let ending = try rehearsal.run(try plugin.task(payload))
            processes.formUnion(rehearsal.supervisor.pids)
            if ending.isAcked {
                acked += 1
            } else if firstFailure == nil {
                firstFailure = "number \(number) failed first: \(PluginVerdictText.words(ending))"
            }
            if case .stalled = ending { break }
        }
        let took = PluginRehearsal.now().milliseconds(since: startedAt)
        let rate = UInt64(acked) * 1_000 / max(took, 1)
        var happened = "\(acked) of \(Self.rowCount) acked in \(HumanText.duration(milliseconds: took))"
        if let firstFailure {
            return outcome(.bad, "\(happened); \(firstFailure)", "one task must not spoil the next")
        }
        happened += ", \(HumanText.count(rate)) a second"
        if plugin.settings.mode == .stream, processes.count > 1 {
            let meaning = "a warm process goes on to the end of its stdin; mode oneshot is one task each"
            return outcome(.remark, "\(happened), in \(processes.count) processes", meaning)
        }
        return outcome(.good, happened, "it stays whole from task to task")
    }
}

// The ends of processes.
extension PluginTrial {
    /// Cuts the task short at several moments, and has it come again each time, as after a restart.
    private func interrupted(_ plugin: PluginUnderTest, _ payload: [UInt8]) throws -> Outcome {
        let whole = try plugin.rehearse(try plugin.task(payload)).ending
        guard case .attempted(let attempt) = whole, attempt.isAcked else {
            return outcome(.bad, PluginVerdictText.words(whole), "the task fails without any torture")
        }
        var cut = 0
        for share in 0..<Self.momentCount {
            let task = try plugin.task(payload)
            let moment = attempt.durationMilliseconds * UInt64(share) / UInt64(Self.momentCount)
            let ending = try cutShort(plugin, task, after: moment)
            let words = HumanText.duration(milliseconds: moment)
            switch ending {
            case .over: continue
            case .cut: cut += 1
            case .hadToBeKilled(let grace):
                let happened = "still there \(HumanText.duration(milliseconds: grace)) after the signal"
                let meaning = "it does not listen to SIGTERM: a stop takes long and ends in SIGKILL"
                return outcome(.bad, happened, meaning)
            }
            var again = task
            again.label.attempt = 2
            let second = try plugin.rehearse(again).ending
            guard second.isAcked else {
                let happened = "cut short after \(words), then \(PluginVerdictText.words(second))"
                return outcome(.bad, happened, "what it left half done keeps the task from being done")
            }
        }
        let length = HumanText.duration(milliseconds: attempt.durationMilliseconds)
        guard cut > 0 else {
            let happened = "never in time: a task takes \(length)"
            return outcome(.remark, happened, "nothing was cut short; try it with a longer task")
        }
        let happened = "cut short \(cut) times within \(length), acked the second time"
        return outcome(.good, happened, "see to it that its effect happened once")
    }

    private enum Cut {
        case cut
        /// The task was over before the signal.
        case over
        case hadToBeKilled(graceMilliseconds: UInt64)
    }

    private func cutShort(
        _ plugin: PluginUnderTest, _ task: ProcessorTask, after moment: UInt64
    ) throws -> Cut {
        let rehearsal = try plugin.rehearsal()
        defer { try? rehearsal.close() }  // ignoring: the outcome is known
        guard try rehearsal.assign(task) else { return .over }
        if moment > 0 { try rehearsal.wait(milliseconds: moment) { rehearsal.hasEnding } }
        if rehearsal.hasEnding { return .over }
        guard self == .terminated else {
            for pid in rehearsal.supervisor.pids { kill(-pid, SIGKILL) }
            _ = try rehearsal.waitForEnd(of: task)
            return .cut
        }
        let toldAt = PluginRehearsal.now()
        rehearsal.supervisor.stop(now: toldAt)
        let grace = plugin.settings.stopKillMilliseconds
        try rehearsal.wait(milliseconds: 2 * grace + 1_000) { rehearsal.supervisor.processCount == 0 }
        let took = PluginRehearsal.now().milliseconds(since: toldAt)
        return took >= grace ? .hadToBeKilled(graceMilliseconds: grace) : .cut
    }

    private func inputEndsEarly(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        switch plugin.settings.mode {
        case .oneshot: return try halfAPayload(plugin, rehearsal, payload)
        case .stream: return try endWithoutTask(plugin, rehearsal)
        }
    }

    /// What a process sees whose worker dies while it writes.
    private func halfAPayload(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        let half = Array(payload.prefix(payload.count / 2))
        let ending = try rehearsal.run(try plugin.task(half))
        let happened = "half of the payload, then the end: \(PluginVerdictText.words(ending))"
        guard case .attempted(let attempt) = ending else { return outcome(.bad, happened, "it cannot start") }
        if attempt.isAcked {
            let meaning = "it did not notice: a payload that is read should be checked to be whole JSON"
            return outcome(.remark, happened, meaning)
        }
        if case .failed(.timedOut, _, _) = attempt.verdict {
            return outcome(.bad, happened, "it waits for what will never come")
        }
        return outcome(.good, happened, "half a task is not done")
    }

    private func endWithoutTask(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal
    ) throws -> Outcome {
        try rehearsal.wait { rehearsal.supervisor.capacity > 0 || rehearsal.problem != nil }
        if let problem = rehearsal.problem { return outcome(.bad, problem, "it cannot start") }
        let closedAt = PluginRehearsal.now()
        rehearsal.supervisor.drain(now: closedAt)
        let grace = plugin.settings.closeGraceMilliseconds
        try rehearsal.wait(milliseconds: plugin.settings.killGraceMilliseconds + grace + 1_000) {
            rehearsal.supervisor.processCount == 0
        }
        let took = PluginRehearsal.now().milliseconds(since: closedAt)
        let words = HumanText.duration(milliseconds: took)
        if took < grace {
            return outcome(.good, "ended by itself after \(words)", "a stop or an upgrade is quick")
        }
        if took < grace + plugin.settings.killGraceMilliseconds {
            let meaning = "SIGTERM ended it: end the loop at the end of stdin"
            return outcome(.remark, "gone after \(words)", meaning)
        }
        let meaning = "it listens neither to the end of stdin nor to SIGTERM"
        return outcome(.bad, "killed after \(words)", meaning)
    }
}
