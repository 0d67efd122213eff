import TaskModel
import Testing

@testable import Journal

@Suite struct CheckpointTests {
    /// Two checkpoints, several segments, and records behind both.
    private func sample() throws -> (disk: SimulatedDisk, meaning: ModelQueue.Meaning, checkpoints: [String])
    {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk)
        var number: UInt64 = 0
        for round in 0..<3 {
            for _ in 0..<20 {
                number += 1
                let count = Int(number % 7) * 200
                try broker.turn([[accepted(number, payload: payload(of: number, count: count))]])
                if number % 2 == 0 { try broker.turn([[completed(number / 2)]]) }
            }
            if round < 2 { try broker.checkpoint() }
        }
        let meaning = broker.queue.meaning
        broker.close()
        return (disk, meaning, disk.names.filter { $0.hasPrefix("checkpoint") })
    }

    @Test func aCheckpointAndTheRecordsBehindItGiveTheWholeState() throws {
        let (disk, meaning, checkpoints) = try sample()
        #expect(checkpoints.count == 2)
        var broker = try ModelBroker(disk.restarted())
        let report = broker.journal.recovery
        #expect(broker.queue.meaning == meaning)
        #expect(broker.queue.isRestored)
        #expect(report.checkpointLSN.rawValue > 0)
        #expect(report.replayedRecords == 30)
        #expect(report.warnings.isEmpty)
        for (id, span) in broker.queue.waiting {
            let number = id.low & 0xFFFF
            let task = try broker.journal.read(span).task
            #expect(task?.payload == payload(of: number, count: Int(number % 7) * 200)[...])
        }
        try broker.turn([[accepted(999, payload: [1])]])
    }

    @Test func checkpointRecordsComeBackInTheirOrderAndPayloadsWithoutTheirBytes() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let spans = try journal.write((1...9).map { accepted($0, payload: payload(of: $0)) }).map(\.span)
        let records = (0..<5_000).map { number in
            SnapshotRecord.acceptanceEpoch(
                AcceptanceEpoch(
                    firstSequence: TaskSequence(rawValue: number),
                    time: JournalTime(rawValue: number * 1_000_000_007)))
        }
        let result = try journal.beginCheckpoint().write(livePayloads: spans.reversed(), records: records)
        try journal.finishCheckpoint(result)
        journal.close()
        let (sink, report) = try recovered(disk.crashed(seed: 1))
        #expect(sink.snapshot == records)
        #expect(sink.payloads.map(\.span) == spans)
        #expect(sink.payloads.map(\.task.sequence.rawValue) == Array(1...9))
        #expect(sink.payloads.allSatisfy { $0.task.payload.isEmpty })
        #expect(report.restoredPayloads == 9)
        #expect(report.replayedRecords == 0)
    }

    @Test func aBadNewestCheckpointFallsBackToTheOlderOneAndSaysSo() throws {
        let (disk, meaning, checkpoints) = try sample()
        let bad = try #require(checkpoints.last)
        disk.flipBit(999, of: bad)
        let next = disk.restarted()
        var broker = try ModelBroker(next)
        let report = broker.journal.recovery
        #expect(broker.queue.meaning == meaning)
        #expect(report.warnings == [.badCheckpointSkipped(file: bad)])
        // With two good ones again, the bad one goes.
        try broker.checkpoint()
        let names = next.names.filter { $0.hasPrefix("checkpoint") }
        #expect(names.count == 2)
        #expect(!names.contains(bad))
    }

    @Test func aBadOlderCheckpointIsNoticedToo() throws {
        let (disk, meaning, checkpoints) = try sample()
        disk.overwrite(checkpoints[0], with: [])
        let broker = try ModelBroker(disk.restarted())
        let report = broker.journal.recovery
        #expect(broker.queue.meaning == meaning)
        #expect(report.warnings == [.badCheckpointSkipped(file: checkpoints[0])])
    }

    @Test func twoBadCheckpointsRefuseToStartAndNeverBecomeAnEmptyJournal() throws {
        let (disk, _, checkpoints) = try sample()
        for name in checkpoints { disk.flipBit(2_000, of: name) }
        let error = failure { () throws(JournalError) in _ = try recovered(disk.restarted()) }
        #expect(error == .noGoodCheckpoint(bad: checkpoints.reversed()))
        #expect(error?.isDamage == true)
    }

    @Test func aSegmentThatACheckpointNamesIsMissed() throws {
        let (disk, _, checkpoints) = try sample()
        let bytes = disk.contents(try #require(checkpoints.last))
        let checkpoint = try Checkpoint(bytes, name: #require(listing(disk).checkpoints.last))
        #expect(checkpoint.segments.count > 1)
        for number in checkpoint.segments.map(\.number) {
            let next = disk.restarted()
            next.lose(JournalName.segmentFile(number: number))
            let error = failure { () throws(JournalError) in _ = try recovered(next) }
            guard case .damaged(let damage) = error else {
                Issue.record("segment \(number): \(String(describing: error))")
                continue
            }
            #expect(damage.kind == .segmentMissing)
            #expect(damage.segment == number)
        }
    }

    private func listing(_ disk: SimulatedDisk) throws -> JournalListing {
        try JournalListing(disk.restarted())
    }

    @Test func aSegmentMissingBetweenTwoOthersIsNamedWithItsRecords() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk)
        for number in 1...6 as ClosedRange<UInt64> {
            try broker.turn([[accepted(number, payload: payload(of: number, count: 9_000))]])
        }
        broker.close()
        for number in 2...5 as ClosedRange<UInt32> {
            let next = disk.restarted()
            next.lose(JournalName.segmentFile(number: number))
            let error = failure { () throws(JournalError) in _ = try recovered(next) }
            guard case .damaged(let damage) = error else {
                Issue.record("segment \(number): \(String(describing: error))")
                continue
            }
            #expect(damage.kind == .segmentMissing)
            #expect(damage.segment == number)
            #expect(damage.firstLSN.rawValue == UInt64(number))
            #expect(damage.lastLSN?.rawValue == UInt64(number))
        }
        let next = disk.restarted()
        next.lose(firstSegment)
        let error = failure { () throws(JournalError) in _ = try recovered(next) }
        #expect(error?.isDamage == true, "LSN 1 is missing")
    }

    @Test func wholeBatchesOfAnotherHistoryOfTheSameJournalAreDamage() throws {
        let root = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(root)
        try broker.turn([[accepted(1, payload: payload(of: 1))]])
        broker.close()
        var segments: [[UInt8]] = []
        var last = root
        for branch in 0..<2 as Range<UInt64> {
            last = root.restarted()
            var broker = try ModelBroker(last)
            try broker.turn([[accepted(2, payload: payload(of: 50 + branch))]])
            try broker.checkpoint()
            broker.close()
            segments.append(last.contents(firstSegment))
        }
        #expect(segments[0].count == segments[1].count)
        // Same journal, same places, same LSNs, every checksum true: only not what the checkpoint covers.
        last.overwrite(firstSegment, with: segments[0])
        let error = failure { () throws(JournalError) in _ = try recovered(last.restarted()) }
        guard case .damaged(let damage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.kind == .chainChecksum)
    }

    @Test func whatTheOlderCheckpointMustReplayIsKeptThoughNothingLivesInIt() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk)
        try broker.turn([[accepted(1, payload: payload(of: 1))]])
        try broker.checkpoint()
        for number in 2...9 as ClosedRange<UInt64> {
            try broker.turn([[accepted(number, payload: payload(of: number, count: 9_000))]])
            try broker.turn([
                [completed(number)], [.historyForgotten(HistoryForgotten(count: 1, newestForgotten: 0))],
            ])
        }
        // Segments that are dead and before the newer checkpoint, but not before the older one.
        let deleted = try broker.checkpoint()
        #expect(deleted.isEmpty)
        let meaning = broker.queue.meaning
        broker.close()
        disk.flipBit(8 * 90, of: try #require(disk.checkpointNames.last))
        let again = try ModelBroker(disk.restarted())
        let warnings = again.journal.recovery.warnings.count
        #expect(warnings == 1)
        #expect(again.queue.meaning == meaning)
    }

    @Test func aCheckpointThatNamesALaterRecordShowsThatTheEndIsMissing() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk)
        for number in 1...4 as ClosedRange<UInt64> {
            try broker.turn([[accepted(number, payload: payload(of: number))]])
        }
        try broker.checkpoint()
        broker.close()
        let name = try #require(disk.names.first { $0.hasPrefix("checkpoint") })
        // The checkpoint is bad, but its name remains as evidence; the last batch it covers is gone.
        disk.overwrite(name, with: [1, 2, 3])
        var bytes = disk.contents(firstSegment)
        for index in 64 + 3 * 193..<bytes.count { bytes[index] = 0 }
        disk.overwrite(firstSegment, with: bytes)
        let error = failure { () throws(JournalError) in _ = try recovered(disk.restarted()) }
        guard case .damaged(let damage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.kind == .tailMissing)
        #expect(damage.lastLSN?.rawValue == 4)
    }

    @Test func aSealedSegmentWithOneByteTooFewIsDamage() throws {
        let (disk, _, _) = try sample()
        let segments = disk.names.filter { $0.hasSuffix(".segment") }
        let name = segments[segments.count - 2]
        disk.overwrite(name, with: Array(disk.contents(name).dropLast()))
        let error = failure { () throws(JournalError) in _ = try recovered(disk.restarted()) }
        #expect(error?.isDamage == true)
    }

    @Test func replayingFromTheFirstRecordNeedsNoCheckpointAndNothingElse() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk)
        for number in 1...40 as ClosedRange<UInt64> {
            try broker.turn([[accepted(number, payload: payload(of: number, count: 1_500))]])
        }
        let meaning = broker.queue.meaning
        broker.close()
        let next = try ModelBroker(disk.crashed(seed: 9))
        #expect(next.queue.meaning == meaning)
    }
}
