import QueueStateMachine
import TaskModel

/// What operators do to whole queues, in as many steps as the broker takes.
extension ModelRun {
    mutating func declareQueue(_ queue: String, _ rules: ModelRules) -> Lines {
        fixture.declare(queue, Self.settings(rules))
        model.declare(queue, rules)
        return ([], [])
    }

    mutating func pauseQueue(_ queue: String, _ pause: ModelPause) -> Lines {
        change(queue, set: pause == .deliveries ? .deliveries : .ingest, clear: [])
        model.pause(queue, "\(pause)")
        return ([], [])
    }

    /// Ending a halt gives every head that it held a fresh count first.
    mutating func resumeQueue(_ queue: String) -> Lines {
        var machine: [String] = []
        while let head = fixture.machine.headHeldByHalt(of: queue) {
            guard let record = fixture.machine.unparking(of: head) else { break }
            fixture.stage(record)
            machine.append(Self.words(record))
        }
        change(queue, set: [], clear: [.deliveries, .ingest, .halted])
        return (machine, model.resume(queue))
    }

    private mutating func change(_ queue: String, set: QueuePauses, clear: QueuePauses) {
        let operation = fixture.machine.pausing(queue, set: set, clear: clear, actor: "model", reason: "")
        if case .record(let record) = operation { fixture.stage(record) }
    }

    /// All that one request for a deletion can do.
    mutating func deleteQueue(_ queue: String, purges: Bool) -> Lines {
        var machine: [String] = []
        var order: [Int] = []
        loop: while true {
            switch fixture.machine.deletionStep(of: queue, purges: purges, actor: "model") {
            case .refused:
                machine.append("refused")
                break loop
            case .waitForLeases:
                machine.append("waits for leases")
                break loop
            case .cancel(let id):
                order.append(MachineFixture.number(id))
                let decision = fixture.machine.cancellation(
                    of: id, actor: "model", earlier: fixture.history(of: id), at: fixture.clock)
                guard case .record(let record) = decision else {
                    machine.append("\(decision)")
                    break loop
                }
                machine.append(stage(record))
            case .purge(let id): machine.append(stage(fixture.machine.purge(of: id)))
            case .record(let record):
                fixture.stage(record)
                if case .queueDeleted = record {
                    machine.append("deleted \(queue)")
                    break loop
                }
            }
        }
        return (machine, model.delete(queue, purges: purges, order: order))
    }
}
