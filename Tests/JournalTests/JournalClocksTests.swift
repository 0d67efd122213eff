import Journal
import TaskModel
import Testing

@Suite struct JournalClocksTests {
    private let day: UInt64 = 24 * 3_600_000

    private func advance(boot: UInt64, boottime: UInt64, wall: UInt64) -> UInt64 {
        let before = BatchClocks(
            journal: JournalTime(rawValue: 1_000),
            raw: RawClocks(boottimeMilliseconds: 500, wallMilliseconds: 50_000, bootID: 1))
        let now = RawClocks(boottimeMilliseconds: boottime, wallMilliseconds: wall, bootID: boot)
        return before.advanced(to: now).journal.rawValue - 1_000
    }

    @Test func withinABootJournalTimeFollowsBoottimeWhateverTheWallClockDoes() {
        #expect(advance(boot: 1, boottime: 800, wall: 50_300) == 300)
        #expect(advance(boot: 1, boottime: 800, wall: 0) == 300)
        #expect(advance(boot: 1, boottime: 800, wall: 50_000 + 3_650 * day) == 300)
        #expect(advance(boot: 1, boottime: 500 + 30 * day, wall: 50_000) == 30 * day)
    }

    @Test func acrossBootsJournalTimeFollowsTheWallClockWithinADay() {
        #expect(advance(boot: 2, boottime: 3, wall: 50_700) == 700)
        #expect(advance(boot: 2, boottime: 3, wall: 50_000 + 3_650 * day) == day)
        #expect(advance(boot: 2, boottime: 900_000, wall: 49_000) == 0)
    }

    @Test func journalTimeNeverGoesBack() {
        #expect(advance(boot: 1, boottime: 100, wall: 50_300) == 0)
        #expect(advance(boot: 2, boottime: 900_000, wall: 0) == 0)
    }

    @Test func journalTimeGoesOnWhereTheLastBatchLeftIt() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk, at: 10)
        try journal.write([accepted(1, payload: [1])], at: 250)
        journal.close()
        var sink = Collector()
        var again = try Journal.open(
            storage: disk.restarted(), options: Journal.small, clocks: clocks(400), sink: &sink)
        let time = again.beginBatch(clocks: clocks(1_000))
        #expect(sink.applied.map(\.position.time.rawValue) == [240])
        #expect(time.rawValue == 990)
    }
}
