import QueueStateMachine
import TaskModel

/// Verbs about whole queues: which groups are blocked, why nothing goes on, and deletion.
extension ScenarioRunner {
    /// The verb `blocked QUEUE [limit=N] [after=GROUP]`.
    func blocked(_ arguments: [String], _ options: [String: String]) -> [String] {
        let page = fixture.machine.blockedGroups(
            of: arguments.first ?? "tasks", after: options["after"],
            limit: options["limit"].flatMap { Int($0) } ?? 100, now: fixture.clock.monotonic)
        guard let page else { return ["no such list"] }
        return page.groups.map { group in
            let retry = group.retryMilliseconds.map { "retry in \($0) ms" } ?? "parked"
            return "group \(group.name.isEmpty ? "-" : group.name) head \(MachineFixture.number(group.head)) "
                + "waiting \(group.waiting) attempt \(group.receives) of \(group.maxAttempts) \(retry) "
                + "(\(readable(group.waitingBecause)))"
        } + (page.hasMore ? ["and more"] : [])
    }

    func reason(_ arguments: [String]) throws -> String {
        guard let queue = fixture.machine.queue(named: arguments.first ?? "tasks") else {
            throw Failure(description: "no such queue")
        }
        let view = fixture.machine.overview(of: queue.number, at: fixture.clock)
        return view.waitingBecause.isEmpty ? "nothing waits" : readable(view.waitingBecause)
    }

    /// The verb `delete QUEUE [purge=yes]`: every step until the queue is gone or nothing goes on.
    mutating func delete(_ arguments: [String], _ options: [String: String]) -> [String] {
        var lines: [String] = []
        while true {
            let step = fixture.machine.deletionStep(
                of: arguments[0], purges: options["purge"] == "yes", actor: "admin")
            switch step {
            case .refused(let reason): return lines + ["refused: \(reason)"]
            case .waitForLeases: return lines + ["waits for leases"]
            case .purge(let id):
                if let record = fixture.machine.purge(of: id) { fixture.stage(record) }
                lines.append("purged \(MachineFixture.number(id))")
            case .cancel(let id):
                let cancellation = fixture.machine.cancellation(
                    of: id, actor: "admin", earlier: fixture.history(of: id), at: fixture.clock)
                if case .record(let record) = cancellation { fixture.stage(record) }
                lines.append("cancelled \(MachineFixture.number(id))")
            case .record(let record):
                fixture.stage(record)
                if case .queueDeleted = record { return lines + ["deleted"] }
                lines.append("paused")
            }
        }
    }
}
