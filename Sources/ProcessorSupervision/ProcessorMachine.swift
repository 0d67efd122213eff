package import TaskModel

/// What one processor process is doing, and what its answers, its clock and its death mean.
///
/// Pure: the time is an argument, and what is to be done to the process is a return value.
package struct ProcessorMachine: Sendable {
    /// What the shell is to do to the process.
    package enum Order: Hashable, Sendable {
        case closeInput
        /// SIGTERM to the process group.
        case terminate
        /// SIGKILL to the process group.
        case kill
    }

    package struct Attempt: Hashable, Sendable {
        package let task: ProcessorTask
        package var timing: AttemptTiming
        package var result: ArraySlice<UInt8> = []
        package var resultError = ""
    }

    /// The way out of a process that is to end.
    package struct Ending: Hashable, Sendable {
        package enum Step: Hashable, Sendable {
            /// stdin is closed; SIGTERM follows.
            case inputClosed(terminateAt: MonotonicTime)
            case terminated(killAt: MonotonicTime)
            case killed
        }
        package var step: Step
        /// Said once the process is dead and not before: a retry must not overlap with it.
        package var report: Death
    }

    /// What a process's death means.
    package enum Death: Hashable, Sendable {
        /// It ended as it should, or nobody waits for it.
        case quiet
        /// The attempt in hand is over.
        case finished(Attempt, AttemptVerdict)
        /// It never got to work: the words for people.
        ///
        /// The task in hand goes back uncounted.
        case couldNotStart(Attempt?, reason: String)

        package var attempt: Attempt? {
            switch self {
            case .quiet: nil
            case .finished(let attempt, _): attempt
            case .couldNotStart(let attempt, _): attempt
            }
        }
    }

    package enum Phase: Hashable, Sendable {
        /// A stream process that has not said that it is ready.
        case starting(deadline: MonotonicTime)
        /// A stream process that waits for a task.
        case idle(since: MonotonicTime)
        /// `isLast`: the process ends after this task.
        case working(Attempt, isLast: Bool)
        case ending(Ending)
    }

    package let settings: ProcessorSettings
    package internal(set) var phase: Phase
    /// Whether a stream process was ever given a task.
    private var hasWorked = false
    /// A process that ends unasked within this time after ready, without a task in between, is one that
    /// cannot start.
    private static let soonMilliseconds: UInt64 = 1_000

    /// A stream process that was just spawned.
    package init(streamWith settings: ProcessorSettings, now: MonotonicTime) {
        self.settings = settings
        phase = .starting(deadline: now.advanced(byMilliseconds: settings.startTimeoutMilliseconds))
    }

    /// A oneshot process that was just spawned for a task.
    package init(oneshotWith settings: ProcessorSettings, task: ProcessorTask, now: MonotonicTime) {
        self.settings = settings
        phase = .working(Self.attempt(at: task, settings, now), isLast: true)
    }

    /// The task that what the process writes now belongs to.
    package var taskInHand: ProcessorTask.Label? {
        switch phase {
        case .starting, .idle: nil
        case .working(let attempt, _): attempt.task.label
        case .ending(let ending): ending.report.attempt?.task.label
        }
    }

    /// When ``passTime(now:)`` has something to do.
    package var nextDeadline: MonotonicTime? {
        switch phase {
        case .starting(let deadline): deadline
        case .idle: nil
        case .working(let attempt, _): attempt.timing.deadline
        case .ending(let ending):
            switch ending.step {
            case .inputClosed(let terminateAt): terminateAt
            case .terminated(let killAt): killAt
            case .killed: nil
            }
        }
    }

    private static func attempt(at task: ProcessorTask, _ settings: ProcessorSettings, _ now: MonotonicTime)
        -> Attempt
    {
        Attempt(
            task: task,
            timing: AttemptTiming(
                startedAt: now, timeoutMilliseconds: settings.timeoutMilliseconds,
                maxRuntimeMilliseconds: settings.maxRuntimeMilliseconds))
    }
}

// Tasks and stopping.
extension ProcessorMachine {
    /// Gives a task to a stream process that is idle.
    package mutating func assign(_ task: ProcessorTask, now: MonotonicTime) {
        guard case .idle = phase else {
            preconditionFailure("a task was given to a process that is not idle")
        }
        hasWorked = true
        phase = .working(Self.attempt(at: task, settings, now), isLast: false)
    }

    /// Lets the task in hand be finished, then ends the process; one with nothing in hand ends now.
    package mutating func finishAndEnd(now: MonotonicTime) -> Order? {
        switch phase {
        case .working(let attempt, _):
            phase = .working(attempt, isLast: true)
            return nil
        case .starting, .idle:
            return closeInput(now: now)
        case .ending:
            return nil
        }
    }

    /// Ends the process without waiting for its task, which is given back uncounted.
    package mutating func stop(now: MonotonicTime) -> Order? {
        switch phase {
        case .working(let attempt, _):
            return end(.finished(attempt, .released), now: now, grace: settings.stopKillMilliseconds)
        case .starting, .idle:
            return end(.quiet, now: now, grace: settings.stopKillMilliseconds)
        case .ending(let ending):
            guard case .inputClosed = ending.step else { return nil }
            return end(ending.report, now: now, grace: settings.stopKillMilliseconds)
        }
    }

    /// Kills the process at once, and nothing is said of its task: the delivery means nothing any more.
    package mutating func abandon() -> Order? {
        defer { phase = .ending(Ending(step: .killed, report: .quiet)) }
        if case .ending(let ending) = phase, ending.step == .killed { return nil }
        return .kill
    }

    mutating func closeInput(now: MonotonicTime) -> Order {
        let terminateAt = now.advanced(byMilliseconds: settings.closeGraceMilliseconds)
        phase = .ending(Ending(step: .inputClosed(terminateAt: terminateAt), report: .quiet))
        return .closeInput
    }

    mutating func end(_ report: Death, now: MonotonicTime, grace: UInt64? = nil) -> Order {
        let killAt = now.advanced(byMilliseconds: grace ?? settings.killGraceMilliseconds)
        phase = .ending(Ending(step: .terminated(killAt: killAt), report: report))
        return .terminate
    }
}

// The clock.
extension ProcessorMachine {
    /// What the time has brought about; asked again until it says nil.
    package mutating func passTime(now: MonotonicTime) -> Order? {
        guard let deadline = nextDeadline, deadline <= now else { return nil }
        switch phase {
        case .idle:
            return nil
        case .starting:
            let seconds = Self.rounded(Double(settings.startTimeoutMilliseconds) / 1_000)
            return end(
                .couldNotStart(nil, reason: "did not say that it is ready within \(seconds) s"), now: now)
        case .working(let attempt, _):
            let seconds = Double(attempt.timing.durationMilliseconds(until: now)) / 1_000
            let reason = "timed out after \(Self.rounded(seconds)) s"
            let verdict = AttemptVerdict.failed(.timedOut, reason: reason, retryAfterMilliseconds: nil)
            return end(.finished(attempt, verdict), now: now)
        case .ending(var ending):
            switch ending.step {
            case .inputClosed:
                return end(ending.report, now: now)
            case .terminated:
                ending.step = .killed
                phase = .ending(ending)
                return .kill
            case .killed:
                return nil
            }
        }
    }

    private static func rounded(_ seconds: Double) -> String {
        let tenths = (seconds * 10).rounded()
        return tenths.truncatingRemainder(dividingBy: 10) == 0
            ? String(Int(tenths / 10)) : String(tenths / 10)
    }
}

// Death.
extension ProcessorMachine {
    /// - Parameter byMemory: the kernel killed it for its memory.
    package func ended(_ status: ExitStatus, byMemory: Bool, now: MonotonicTime) -> Death {
        switch phase {
        case .starting:
            return .couldNotStart(
                nil, reason: "ended with \(Self.words(status)) before it said that it is ready")
        case .idle(let since):
            // One that recycles itself after some tasks is welcome to; one that cannot stay is not.
            guard now.milliseconds(since: since) < Self.soonMilliseconds, !hasWorked else { return .quiet }
            return .couldNotStart(
                nil, reason: "ended with \(Self.words(status)) right after it said that it is ready")
        case .working(let attempt, _):
            switch settings.mode {
            case .oneshot: return oneshotEnded(attempt, status, byMemory: byMemory)
            case .stream: return .finished(attempt, Self.failure(status, byMemory, "ended without an answer"))
            }
        case .ending(let ending):
            return ending.report
        }
    }

    private func oneshotEnded(_ attempt: Attempt, _ status: ExitStatus, byMemory: Bool) -> Death {
        switch status {
        case .exited(0):
            return .finished(attempt, .acked(result: attempt.result, resultError: attempt.resultError))
        case .exited(65):
            return .finished(attempt, .dead(reason: "exit 65"))
        case .exited(126), .exited(127):
            return .couldNotStart(attempt, reason: Self.words(status))
        case .exited, .signalled:
            return .finished(attempt, Self.failure(status, byMemory, ""))
        }
    }

    private static func failure(_ status: ExitStatus, _ byMemory: Bool, _ reason: String) -> AttemptVerdict {
        switch status {
        case .exited(let number):
            .failed(.exited(status: number), reason: reason, retryAfterMilliseconds: nil)
        case .signalled(let number):
            .failed(byMemory ? .outOfMemory : .signalled(number), reason: reason, retryAfterMilliseconds: nil)
        }
    }

    package static func words(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let number): "exit \(number)"
        case .signalled(let number): "signal \(number)"
        }
    }
}
