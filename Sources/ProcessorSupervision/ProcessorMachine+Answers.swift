package import TaskModel

extension ProcessorMachine {
    /// What an answer means to the shell.
    package enum AnswerAction: Hashable, Sendable {
        case none
        /// The process takes tasks from now on.
        case ready
        /// The attempt is over; the process ends where there is an order, and is free where there is none.
        case finished(Attempt, AttemptVerdict, Order?)
        /// The process ends; what is to be said of its attempt is said at its death.
        case ends(Order)
        case progress(TaskID, share: Double)
        /// Changes nothing; the log tells of it.
        case ignored(String)
    }

    package mutating func take(_ answer: ProcessorAnswer, now: MonotonicTime) -> AnswerAction {
        switch phase {
        case .starting: takeBeforeReady(answer, now: now)
        case .idle: takeWithoutTask(answer)
        case .working(let attempt, let isLast):
            switch settings.mode {
            case .oneshot: takeFromOneshot(answer, attempt, now: now)
            case .stream: takeFromStream(answer, attempt, isLast: isLast, now: now)
            }
        // Past its deadline or told to stop: what it says now is too late.
        case .ending: .none
        }
    }

    private mutating func takeBeforeReady(_ answer: ProcessorAnswer, now: MonotonicTime) -> AnswerAction {
        guard case .ready(let version) = answer else {
            return .ignored("descriptor 3 before ready: \(answer)")
        }
        guard version == ProcessorAnswer.protocolVersion else {
            let reason = "speaks version \(version) of the processor protocol; this taskq speaks version 1"
            return .ends(end(.couldNotStart(nil, reason: reason), now: now))
        }
        phase = .idle(since: now)
        return .ready
    }

    private func takeWithoutTask(_ answer: ProcessorAnswer) -> AnswerAction {
        if case .ready = answer { return .none }
        return .ignored("an answer without a task: \(answer)")
    }

    private mutating func takeFromOneshot(
        _ answer: ProcessorAnswer, _ attempt: Attempt, now: MonotonicTime
    ) -> AnswerAction {
        var attempt = attempt
        switch answer {
        case .result(let result):
            attempt.keep(result)
        case .extend(_, let seconds):
            return extend(attempt, bySeconds: seconds, isLast: true, now: now)
        case .progress(_, let share):
            return .progress(attempt.task.id, share: share)
        case .bad(let reason):
            if attempt.resultError.isEmpty { attempt.resultError = "descriptor 3: \(reason)" }
            phase = .working(attempt, isLast: true)
            return .ignored("descriptor 3: \(reason)")
        case .ready:
            return .none
        case .ack, .nack, .dead:
            return .ignored("the exit status of a oneshot processor is its answer: \(answer)")
        }
        phase = .working(attempt, isLast: true)
        return .none
    }

    private mutating func takeFromStream(
        _ answer: ProcessorAnswer, _ attempt: Attempt, isLast: Bool, now: MonotonicTime
    ) -> AnswerAction {
        switch answer {
        case .ready:
            return .none
        case .bad(let reason):
            return badAnswer(reason, attempt, now: now)
        case .result:
            return badAnswer("a result without ack", attempt, now: now)
        case .ack(let id, _), .nack(let id, _, _), .dead(let id, _), .extend(let id, _), .progress(let id, _):
            guard let id else { return badAnswer("no id: \(answer)", attempt, now: now) }
            guard TaskID(id) == attempt.task.id else {
                return .ignored("an answer for another task: \(answer)")
            }
        }
        switch answer {
        case .ack(_, let result):
            var finished = attempt
            if let result { finished.keep(result) }
            return finish(
                attempt, .acked(result: finished.result, resultError: finished.resultError), isLast, now)
        case .nack(_, let reason, let delay):
            return finish(
                attempt, .failed(.nacked, reason: reason, retryAfterMilliseconds: delay), isLast, now)
        case .dead(_, let reason):
            return finish(attempt, .dead(reason: reason), isLast, now)
        case .extend(_, let seconds):
            return extend(attempt, bySeconds: seconds, isLast: isLast, now: now)
        case .progress(_, let share):
            return .progress(attempt.task.id, share: share)
        case .ready, .bad, .result:
            return .none
        }
    }

    /// The process cannot be trusted with another task: it may still be at work on this one.
    private mutating func badAnswer(_ reason: String, _ attempt: Attempt, now: MonotonicTime) -> AnswerAction
    {
        let verdict = AttemptVerdict.failed(
            .badAnswer, reason: "bad answer: \(reason)", retryAfterMilliseconds: nil)
        return .ends(end(.finished(attempt, verdict), now: now))
    }

    private mutating func finish(
        _ attempt: Attempt, _ verdict: AttemptVerdict, _ isLast: Bool, _ now: MonotonicTime
    ) -> AnswerAction {
        if isLast { return .finished(attempt, verdict, closeInput(now: now)) }
        phase = .idle(since: now)
        return .finished(attempt, verdict, nil)
    }

    private mutating func extend(
        _ attempt: Attempt, bySeconds seconds: Double, isLast: Bool, now: MonotonicTime
    ) -> AnswerAction {
        var attempt = attempt
        let wasCut = attempt.timing.extend(bySeconds: seconds, now: now)
        phase = .working(attempt, isLast: isLast)
        return wasCut ? .ignored("extend \(seconds) s goes beyond max_runtime and was cut") : .none
    }
}

extension ProcessorMachine.Attempt {
    /// Keeps the newest result; one over the limit is dropped, and the attempt says so.
    mutating func keep(_ result: ArraySlice<UInt8>) {
        if result.count <= Limits.resultBytesMax {
            self.result = result
            resultError = ""
        } else {
            self.result = []
            resultError = "result of \(result.count) bytes dropped, at most \(Limits.resultBytesMax) are kept"
        }
    }
}
