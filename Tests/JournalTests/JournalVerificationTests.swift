import Journal
import TaskModel
import Testing

@Suite struct JournalVerificationTests {
    private func sample() throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk)
        for number in 1...40 as ClosedRange<UInt64> {
            try broker.turn([[accepted(number, payload: payload(of: number, count: 900))]])
            if number == 20 { try broker.checkpoint() }
        }
        try broker.journal.seal()
        broker.close()
        return disk
    }

    @Test func aWholeJournalIsCountedAndLeftAsItIs() throws {
        let disk = try sample()
        let before = disk.names.map { disk.contents($0) }
        var queue = ModelQueue()
        let verification = try JournalVerification(disk, sink: &queue)
        #expect(verification.isWhole)
        #expect(verification.segments.reduce(0) { $0 + $1.records } == 40)
        #expect(verification.segments.first?.firstLSN?.rawValue == 1)
        #expect(verification.segments.last?.lastLSN?.rawValue == 40)
        #expect(verification.segments.last?.endsInSeal == true)
        #expect(verification.checkpoints.map(\.livePayloads) == [20])
        #expect(queue.waiting.count == 40)
        #expect(disk.names.map { disk.contents($0) } == before)
    }

    @Test func damageIsReportedWhereverItIsAndNothingIsRepaired() throws {
        for (name, bit) in [
            (firstSegment, 8 * 3_000), (firstSegment, 8 * 20), ("0000000000000002.segment", 8 * 700),
        ] {
            let disk = try sample()
            disk.flipBit(bit, of: name)
            let before = disk.names.map { disk.contents($0) }
            var queue = ModelQueue()
            let verification = try JournalVerification(disk, sink: &queue)
            #expect(!verification.isWhole)
            guard case .failure(let error) = verification.recovery else {
                Issue.record("\(name), bit \(bit): \(verification.recovery)")
                continue
            }
            #expect(error.isDamage)
            #expect(disk.names.map { disk.contents($0) } == before)
        }
    }

    @Test func aTornEndAndABadCheckpointAreSaidAndStay() throws {
        let disk = try sample()
        let checkpoint = try #require(disk.checkpointNames.last)
        disk.flipBit(8 * 90, of: checkpoint)
        let last = try #require(disk.segmentNames.last)
        let bytes = disk.contents(last)
        disk.flipBit((bytes.count - 1) * 8, of: last)
        var queue = ModelQueue()
        let verification = try JournalVerification(disk, sink: &queue)
        let report = try verification.recovery.get()
        #expect(!verification.isWhole)
        #expect(report.warnings.count == 2)
        #expect(queue.waiting.count == 40)
        #expect(verification.segments.last?.restIsZero == false)
        #expect(disk.contents(last).last != 0)
    }
}
