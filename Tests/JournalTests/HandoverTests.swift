import Glibc
import TaskModel
import Testing

@testable import Journal

/// Guarantee I where whole files are gone: each segment says which one follows, and an empty file says that
/// there was a journal.
@Suite struct HandoverTests {
    /// Three segments with two records each and no checkpoint.
    private func sample() throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        for number in 1...6 as ClosedRange<UInt64> {
            try journal.write([accepted(number, payload: payload(of: number, count: 7_000))])
        }
        journal.close()
        return disk
    }

    private let second = "0000000000000002.segment"
    private let third = "0000000000000003.segment"

    private func damage(_ disk: SimulatedDisk) -> JournalDamage? {
        let error = failure { () throws(JournalError) in _ = try recovered(disk.restarted()) }
        guard case .damaged(let damage) = error else { return nil }
        return damage
    }

    @Test func aLastSegmentThatIsGoneIsMissedThoughNoCheckpointKnowsIt() throws {
        let disk = try sample()
        #expect(disk.segmentNames == [firstSegment, second, third])
        disk.lose(third)
        let damage = try #require(self.damage(disk))
        #expect(damage.kind == .segmentMissing)
        #expect(damage.segment == 3)
        #expect(damage.firstLSN.rawValue == 5)
        #expect(damage.lastLSN == nil)
    }

    @Test func aLastSegmentThatIsGoneIsMissedThoughAPreparedOneIsThere() throws {
        let disk = try sample().restarted()
        var journal = try Journal.open(disk)
        let needed = journal.preparationNeeded(clocks: clocks(0))
        try journal.adopt(try #require(needed).run())
        journal.close()
        #expect(disk.segmentNames.count == 4)
        disk.lose(third)
        #expect(damage(disk)?.kind == .segmentMissing)
        #expect(damage(disk)?.segment == 3)
    }

    @Test func aPreparedSegmentThatIsGoneIsNoLossSinceNothingWasHandedOverToIt() throws {
        let disk = try sample().restarted()
        var journal = try Journal.open(disk)
        let needed = journal.preparationNeeded(clocks: clocks(0))
        try journal.adopt(try #require(needed).run())
        journal.close()
        disk.lose("0000000000000004.segment")
        let (sink, report) = try recovered(disk.restarted())
        #expect(sink.records.count == 6)
        #expect(report.warnings.isEmpty)
    }

    @Test func aMiddleSegmentThatIsGoneIsMissedWithItsRangeOfRecords() throws {
        let disk = try sample()
        disk.lose(second)
        let damage = try #require(self.damage(disk))
        #expect(damage.kind == .segmentMissing)
        #expect(damage.segment == 2)
        #expect(damage.firstLSN.rawValue == 3)
        #expect(damage.lastLSN?.rawValue == 4)
    }

    @Test func aDirectoryWhoseSegmentsAreAllGoneIsNoNewJournal() throws {
        let disk = try sample()
        for name in disk.segmentNames { disk.lose(name) }
        #expect(damage(disk)?.kind == .segmentMissing)
        let names = disk.names
        #expect(names.count == 1, "\(names)")
        // Only what says that there was one made it a loss.
        disk.lose(names[0])
        #expect(try recovered(disk.restarted()).report.isNew)
    }

    /// Simulation, seed 62682: the journal's name was on disk before its first segment's.
    @Test func aBeginningThatFailedTwiceAtAnyCallIsStillABeginning() throws {
        func run(_ disk: SimulatedDisk, failingAt call: Int) -> Bool {
            disk.inject { $0.number == call ? .fails(errno: EIO) : nil }
            return failure { () throws(JournalError) in _ = try recovered(disk) } != nil
        }
        var stories = 0
        for first in 1...40 {
            for second in 1...40 {
                let disk = SimulatedDisk(seed: UInt64(first))
                guard run(disk, failingAt: first) else { break }
                let again = disk.restarted()
                guard run(again, failingAt: again.calls + second) else { break }
                for seed in 0..<6 as Range<UInt64> {
                    let left = again.copied().crashed(seed: seed)
                    let error = failure { () throws(JournalError) in _ = try recovered(left) }
                    #expect(error == nil, "calls \(first) and \(second), seed \(seed)")
                }
                stories += 1
            }
        }
        #expect(stories > 20)
    }

    @Test func theNameOfAnotherJournalInTheDirectoryIsRefusedAndAMissingOneIsWrittenAgain() throws {
        let disk = try sample()
        let own = try #require(disk.names.first { $0.hasPrefix("instance-") })
        disk.lose(own)
        let again = disk.restarted()
        #expect(try recovered(again).report.warnings.isEmpty)
        #expect(again.names.contains(own))
        _ = try again.create("instance-0000000000000077")
        let error = failure { () throws(JournalError) in _ = try recovered(again.restarted()) }
        #expect(error == .foreignFile(file: "instance-0000000000000077"))
    }

    @Test func aZeroedHandoverBeforeBatchesOfTheNextSegmentIsDamage() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        try journal.write([accepted(1, payload: payload(of: 1, count: 7_000))])
        let last = try journal.write([accepted(2, payload: payload(of: 2, count: 7_000))])[0].span
        try journal.write([accepted(3, payload: payload(of: 3, count: 7_000))])
        journal.close()
        let bytes = disk.contents(firstSegment)
        let end = Int(last.offset + last.length)
        #expect(bytes[end...].contains { $0 != 0 })
        disk.overwrite(firstSegment, with: bytes[..<end] + [UInt8](repeating: 0, count: bytes.count - end))
        let damage = try #require(self.damage(disk))
        #expect(damage.kind == .handoverMissing)
        #expect(damage.segment == 1)
        #expect(damage.firstLSN.rawValue == 3)
    }

    @Test func aCrashAroundAHandoverLeavesAJournalThatGoesOn() throws {
        for operation in [StorageOperation.write, .sync] {
            for seed in 0..<12 as Range<UInt64> {
                let disk = SimulatedDisk(seed: seed)
                var journal = try Journal.open(disk)
                let needed = journal.preparationNeeded(clocks: clocks(0))
                try journal.adopt(try #require(needed).run())
                try journal.write([accepted(1, payload: payload(of: 1, count: 9_000))])
                disk.inject { $0.operation == operation ? .dies : nil }
                _ = failure { () throws(JournalError) in
                    try journal.write([accepted(2, payload: payload(of: 2, count: 9_000))])
                }
                journal.close()
                // The process dies, and the machine too once the next owner has begun.
                let next = disk.restarted()
                var again = try Journal.open(next)
                let span = try again.write([accepted(2, payload: payload(of: 2, count: 9_000))])[0].span
                #expect(span.segment == 2)
                again.close()
                let (sink, report) = try recovered(next.crashed(seed: seed))
                #expect(sink.records.count == 2)
                #expect(report.warnings.isEmpty)
            }
        }
    }

    @Test func aSealAndAHandoverFitIntoAFullSegment() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        // As much as goes into 16 KiB beside the header, the batch's, and the end.
        let room = (16 << 10) - 64 - 64 - 136
        try journal.ensureRoom(bytes: room)
        let span = try journal.stage(accepted(1, payload: payload(of: 1, count: room - 8 - 19))).span
        try journal.commit()
        #expect(span.segment == 1)
        #expect(Int(span.offset + span.length) == (16 << 10) - 136)
        disk.inject { $0.operation == .create ? .fails(errno: ENOSPC) : nil }
        try journal.seal()
        let sealed = journal.isSealed
        #expect(sealed)
        #expect(disk.segmentNames == [firstSegment])
        disk.inject { _ in nil }
        try journal.write([accepted(2, payload: [1])])
        journal.close()
        let next = disk.crashed(seed: 1)
        let (sink, report) = try recovered(next)
        #expect(sink.records.count == 2)
        #expect(report.warnings.isEmpty)
    }

    @Test func aHandoverSealsAndTheSegmentThatItNamesIsUsedNextThoughItIsEmpty() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let needed = journal.preparationNeeded(clocks: clocks(0))
        try journal.adopt(try #require(needed).run())
        try journal.write([accepted(1, payload: payload(of: 1, count: 9_000))])
        try journal.write([accepted(2, payload: payload(of: 2, count: 9_000))])
        journal.close()
        // The handover was written; the batch behind it was not.
        let header = disk.contents(second)[..<64]
        disk.overwrite(second, with: header + [UInt8](repeating: 0, count: (16 << 10) - 64))
        let next = disk.crashed(seed: 1)
        var again = try Journal.open(next)
        #expect(again.recovery.wasSealed)
        #expect(try again.write([accepted(2, payload: [2])])[0].span.segment == 2)
        again.close()
        #expect(try recovered(next.crashed(seed: 2)).sink.records.count == 2)
    }
}
