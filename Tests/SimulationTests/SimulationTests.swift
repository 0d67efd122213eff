import Simulation
import TestSupport
import Testing

/// Histories of the whole broker under faults; `make sim` runs as many as wanted.
@Suite struct SimulationTests {
    @Test func noHistoryBreaksAGuarantee() async throws {
        var tally = Tally()
        for seed in 1...60 as ClosedRange<UInt64> {
            // On a thread of its own: a history is long work, and the pool has one thread a core.
            let report = try await DedicatedThreads.run { HistoryReport.of(HistorySetting(seed: seed)) }
            tally.add(report.tally)
            #expect(report.violations.isEmpty, "make sim SEED=\(seed): \(report.violations)")
        }
        // A simulation in which nothing happens proves nothing.
        #expect(tally[.crashes] >= tally[.histories])
        #expect(tally[.deliveries] >= tally[.histories] * 20)
    }

    @Test(arguments: [3, 17] as [UInt64]) func aSeedReplaysExactly(seed: UInt64) {
        let first = HistoryReport.of(HistorySetting(seed: seed, operations: 150))
        let second = HistoryReport.of(HistorySetting(seed: seed, operations: 150))
        #expect(first.tally == second.tally)
        #expect(first.violations == second.violations)
    }
}
