import BrokerDaemon
import Journal

/// Finishes background jobs, in the order of their beginning, when the simulation says so.
final class SimulatedBackground: BackgroundWork {
    private var jobs: [BackgroundJob] = []
    private var results: [BackgroundResult] = []
    private(set) var checkpoints = 0

    var hasJobs: Bool { !jobs.isEmpty }
    var hasResults: Bool { !results.isEmpty }

    func submit(_ job: BackgroundJob) { jobs.append(job) }

    /// Runs the oldest job; its result is there for the next turn.
    func runOne() {
        guard !jobs.isEmpty else { return }
        let result = jobs.removeFirst().run()
        if case .checkpointWritten(let checkpoint) = result, checkpoint.error == nil { checkpoints += 1 }
        results.append(result)
    }

    /// The process is gone, and its thread with it.
    func brokerDied() {
        jobs = []
        results = []
    }

    func takeResults() -> [BackgroundResult] {
        defer { results = [] }
        return results
    }
}
