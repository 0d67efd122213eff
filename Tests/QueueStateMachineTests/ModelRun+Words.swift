import QueueStateMachine
import TaskModel

/// The state machine's terms in the reference queue's words, and back.
extension ModelRun {
    static func settings(_ rules: ModelRules) -> QueueSettings {
        var settings = QueueSettings()
        settings.maxAttempts = UInt32(rules.attempts)
        settings.leaseMilliseconds = UInt64(rules.lease)
        settings.retryInitialMilliseconds = UInt64(rules.retry)
        settings.retryMaxMilliseconds = UInt64(rules.retryMax)
        settings.retentionMilliseconds = UInt64(rules.retention)
        settings.dedupWindowMilliseconds = UInt64(rules.window)
        settings.historyMilliseconds = UInt64(rules.history)
        settings.maxDepth = UInt64(rules.depth)
        settings.defaultGroup = rules.ownGroups ? .task : .queue
        switch rules.exhausted {
        case .deadLetter: settings.onExhausted = .deadLetter
        case .park: settings.onExhausted = .parkGroup
        case .halt: settings.onExhausted = .haltQueue
        }
        return settings
    }

    static func words(_ record: JournalRecord) -> String {
        switch record {
        case .released(let release): "released \(number(release.id))"
        case .attemptFailed(let failure): "failed \(number(failure.id)) retry in \(failure.retryMilliseconds)"
        case .completed(let completion): "completed \(number(completion.id))"
        case .cancelled(let cancellation): "cancelled \(number(cancellation.id))"
        case .deadLettered(let death):
            "dead \(number(death.id)) \(death.reason) after \(death.summary.receives)"
        case .parked(let parking): "parked \(number(parking.id)) halting \(parking.haltsQueue)"
        case .unparked(let id): "unparked \(number(id))"
        case .redriven(let redrive): "redriven \(number(redrive.id)) to \(redrive.sequence.rawValue)"
        case .purged(let id): "purged \(number(id))"
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .historyForgotten,
            .moved:
            "\(record)"
        }
    }

    private static func number(_ id: TaskID) -> Int { MachineFixture.number(id) }

    static func answer(_ answer: ModelAnswer) -> Answer {
        switch answer {
        case .ack: .ack(result: [], resultError: "")
        case .nack(let after):
            .nack(
                Failure(
                    outcome: .exited(status: 1), durationMilliseconds: 1,
                    retryAfterMilliseconds: after.map { UInt64($0) }))
        case .reject: .reject(Failure(outcome: .rejected, durationMilliseconds: 1))
        case .release: .release
        }
    }

    /// A group that is a task's own has the task's id for a name.
    static func group(_ name: String, _ number: Int) -> String {
        name == MachineFixture.id(number).description ? "own\(number)" : name
    }

    static func payload(_ body: Int) -> ArraySlice<UInt8> { Array("body \(body)".utf8)[...] }

    static func session(_ worker: String, _ run: Int) -> SessionID {
        SessionID(rawValue: worker.utf8.reduce(UInt64(run)) { $0 << 8 | UInt64($1) })
    }

    static func digest(_ text: String) -> Digest {
        let sum = text.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
        return Digest(high: sum, low: ~sum)
    }
}
