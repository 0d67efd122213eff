import Glibc
import TestSupport
import Testing

/// Histories of the whole broker under faults.
///
/// `TASKQ_SIM_SEED` runs one seed, `TASKQ_SIM_COUNT` so many.
@Suite struct SimulationTests {
    private static func number(_ name: String) -> UInt64? {
        getenv(name).flatMap { UInt64(String(cString: $0)) }
    }

    @Test func noHistoryBreaksAGuarantee() async throws {
        let seeds: [UInt64]
        if let only = Self.number("TASKQ_SIM_SEED") {
            seeds = [only]
        } else {
            seeds = (1...(Self.number("TASKQ_SIM_COUNT") ?? 60)).map { $0 }
        }
        var crashes = 0
        var deliveries = 0
        for seed in seeds {
            // On a thread of its own: a history is seconds of work, and the pool has one thread a core.
            let summary = try await DedicatedThreads.run {
                var history = History(seed: seed, operations: 200)
                return history.run()
            }
            crashes += summary.crashes
            deliveries += summary.deliveries
            #expect(summary.violations.isEmpty, "TASKQ_SIM_SEED=\(seed): \(summary)")
        }
        // A simulation in which nothing happens proves nothing.
        #expect(crashes >= seeds.count)
        #expect(deliveries >= seeds.count * 20)
    }

    @Test(arguments: [3, 17] as [UInt64]) func aSeedReplaysExactly(seed: UInt64) {
        var first = History(seed: seed, operations: 150)
        var second = History(seed: seed, operations: 150)
        #expect("\(first.run())" == "\(second.run())")
    }
}
