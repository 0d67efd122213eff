import TaskModel
import WireProtocol

extension HTTPAnswer {
    /// What the broker said of a post that it did not take.
    init(_ outcome: EnqueueOutcome) {
        switch outcome {
        case .keyConflict:
            self.init(
                .unprocessableContent, detail: "Idempotency-Key was used before with another body or group")
        case .unknownQueue: self = .notFound
        case .queueFull, .deduplicationFull, .paused, .diskFull, .idInUse: self = .refused
        case .accepted, .replayed: preconditionFailure("an accepted post is answered by CreatedAnswer")
        }
    }

    init(_ answer: LookupAnswer) {
        switch answer {
        case .found(let view): self.init(.ok, json: TaskViewJSON.write(view))
        case .unknown: self = .notFound
        case .forgotten: self = .forgotten
        case .tooManyWaiters:
            self.init(
                .serviceUnavailable, headers: [Header(name: "Retry-After", value: "1")],
                detail: "Too many requests are waiting")
        }
    }

    init(_ outcome: CancelOutcome) {
        switch outcome {
        case .cancelled: self.init(.noContent)
        case .notCancellable:
            self.init(.conflict, detail: "The task is being processed, or has been")
        case .unknown: self = .notFound
        case .forgotten: self = .forgotten
        }
    }

    private static let forgotten = HTTPAnswer(.gone, detail: "Finished and forgotten, or never accepted")
}
