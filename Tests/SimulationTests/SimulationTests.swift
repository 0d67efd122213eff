import Simulation
import TestSupport
import Testing

/// Histories of the whole broker under faults; `make sim` runs as many as wanted.
@Suite struct SimulationTests {
    private static func report(_ setting: HistorySetting) async throws -> HistoryReport {
        // On a thread of its own: a history is long work, and the pool has one thread a core.
        try await DedicatedThreads.run { HistoryReport.of(setting) }
    }

    @Test func noHistoryBreaksAGuarantee() async throws {
        var tally = Tally()
        for seed in 1...30 as ClosedRange<UInt64> {
            let report = try await Self.report(HistorySetting(seed: seed))
            tally.add(report.tally)
            #expect(report.violations.isEmpty, "make sim SEED=\(seed): \(report.violations)")
        }
        // A simulation in which nothing happens proves nothing.
        #expect(tally[.lives] >= tally[.histories] * 3)
        #expect(tally[.deliveries] >= tally[.histories] * 50)
        #expect(tally[.completed] >= tally[.histories] * 20)
        #expect(tally[.powerCuts] > 0 && tally[.crashInCall] > 0 && tally[.bitFlips] > 0)
    }

    /// Seeds that found something, with what it was; docs/TESTING.md tells the stories.
    @Test(
        arguments: [
            (166, .spine, "a payload read for long was sent though its lease had ended"),
            (32_998, .spine, "zeros that a recovery could not sync were taken for a new segment"),
            (92_740, .spine, "zeros that a recovery could not sync were taken for a new segment"),
            (35_321, .spine, "a payload read for long was sent to a connection that another had replaced"),
            (62_682, .spine, "the journal's name was on disk before its first segment's"),
            (142_961, .spine, "a late hello overtook the death that waited for the disk"),
            (161_234, .spine, "a late hello overtook the death that waited for the disk"),
            (128_747, .spine, "a late hello of an older connection took back what the newer one was given"),
            (10_714, .spine, "the oracle took a late answer for a second life of a cancelled task"),
            (59_582, .spine, "the oracle took a late answer for a second life of a cancelled task"),
            (101_763, .spine, "the oracle took a late answer for a second life of a cancelled task"),
            (29_555, .deleting, "the oracle took an answer from before a second post for one after it"),
            (58_115, .deleting, "the oracle forgot a deletion of the turn in which a task was posted again"),
            (73_238, .deleting, "the oracle took a second post for a redrive that was in doubt"),
        ] as [(UInt64, HistorySetting.Era, String)])
    func whatWasFoundOnceStaysMended(seed: UInt64, era: HistorySetting.Era, finding: String) async throws {
        let report = try await Self.report(HistorySetting(seed: seed, era: era))
        let command = "make sim SEED=\(seed) ARGS='--era \(era.rawValue)'"
        #expect(report.violations.isEmpty, "\(finding), \(command): \(report.violations)")
    }

    @Test(arguments: [3, 17] as [UInt64]) func aSeedReplaysExactly(seed: UInt64) async throws {
        let first = try await Self.report(HistorySetting(seed: seed, operations: 120))
        let second = try await Self.report(HistorySetting(seed: seed, operations: 120))
        #expect(first.tally == second.tally)
        #expect(first.digest == second.digest)
        #expect(first.violations == second.violations)
    }

    /// The test of the test: what no correct journal can survive has to be seen.
    @Test func aDiskThatLiesAboutSyncsIsFoundOut() async throws {
        var found = 0
        for seed in 1...10 as ClosedRange<UInt64> {
            var setting = HistorySetting(seed: seed, operations: 80)
            setting.diskLies = true
            let report = try await Self.report(setting)
            if report.violations.contains(where: { $0.hasPrefix("A: ") }) { found += 1 }
        }
        #expect(found >= 8, "acknowledged tasks were lost, and \(found) of 10 histories saw it")
    }
}
