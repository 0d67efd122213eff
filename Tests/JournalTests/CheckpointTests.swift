import Journal
import TaskModel
import Testing

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

    @Test func aMissingSegmentIsDamageWhereverItIsMissing() throws {
        let (disk, _, checkpoints) = try sample()
        let segments = disk.names.filter { $0.hasSuffix(".segment") }
        #expect(segments.count >= 3)
        for name in segments {
            let next = disk.restarted()
            next.lose(name)
            let error = failure { () throws(JournalError) in _ = try recovered(next) }
            // The last one could be missed only by what stands in it: those records came after the
            // checkpoints.
            if name != segments.last || error != nil { #expect(error?.isDamage == true, "\(name)") }
        }
        let bare = disk.restarted()
        for name in checkpoints { bare.lose(name) }
        bare.lose(segments[0])
        let error = failure { () throws(JournalError) in _ = try recovered(bare) }
        #expect(error?.isDamage == true, "no checkpoint, and the first segment is gone")
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
