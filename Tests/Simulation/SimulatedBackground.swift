import BrokerDaemon

/// Finishes background jobs, in the order of their beginning, when the simulation says so.
final class SimulatedBackground: BackgroundWork {
    private var jobs: [BackgroundJob] = []
    private var results: [BackgroundResult] = []

    var hasJobs: Bool { !jobs.isEmpty }
    var hasResults: Bool { !results.isEmpty }

    func submit(_ job: BackgroundJob) { jobs.append(job) }

    /// Runs the oldest job; its result is there for the next turn.
    func runOne() {
        guard !jobs.isEmpty else { return }
        results.append(jobs.removeFirst().run())
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
