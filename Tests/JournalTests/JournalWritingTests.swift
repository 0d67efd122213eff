import Journal
import TaskModel
import Testing

@Suite struct JournalWritingTests {
    @Test func anEmptyDirectoryBecomesAJournalThatBeginsAtLSNOne() throws {
        let disk = SimulatedDisk(seed: 1)
        var sink = Collector()
        let journal = try Journal.open(
            storage: disk, options: Journal.small, clocks: clocks(0), sink: &sink)
        let (report, durable, next) = (journal.recovery, journal.durableLSN, journal.nextLSN)
        #expect(report.isNew)
        #expect(report.warnings.isEmpty)
        #expect(durable.rawValue == 0)
        #expect(next.rawValue == 1)
        #expect(sink.finishes == 1)
        #expect(disk.segmentNames == [firstSegment])
    }

    @Test func recordsComeBackInOrderWithTheirPositions() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let records = (1...300).map { accepted($0, payload: payload(of: $0)) }
        var positions: [RecordPosition] = []
        for start in stride(from: 0, to: 300, by: 7) {
            positions += try journal.write(Array(records[start..<min(start + 7, 300)]), at: UInt64(start))
        }
        let instance = journal.instance
        journal.close()
        let next = disk.restarted()
        let (sink, report) = try recovered(next)
        #expect(sink.records == records)
        #expect(sink.applied.map(\.position) == positions)
        #expect(positions.map(\.lsn.rawValue) == Array(1...300))
        #expect(Set(positions.map(\.span.segment)).count > 2)
        #expect(report.replayedRecords == 300)
        #expect(report.warnings.isEmpty)
        #expect(!report.wasSealed)
        #expect(try Journal.open(next.restarted()).instance == instance)
    }

    @Test func nothingStagedIsDurableBeforeTheCommit() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        try journal.write([accepted(1, payload: [1])])
        try journal.ensureRoom(bytes: 4_000)
        let position = try journal.stage(accepted(2, payload: payload(of: 2)))
        let durable = journal.durableLSN
        let staged = try journal.read(position.span)
        #expect(durable.rawValue == 1)
        #expect(staged.task?.payload == payload(of: 2)[...])
        journal.close()
        #expect(try recovered(disk.crashed(seed: 5)).sink.records.count == 1)
    }

    @Test func aRecordIsReadAgainAfterTheCommitAndFromAnyThread() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let span = try journal.write([completed(4), accepted(2, payload: payload(of: 2))])[1].span
        #expect(try journal.read(span).task?.payload == payload(of: 2)[...])
        #expect(try journal.tryRead(span)?.task?.id == taskID(2))
        #expect(try journal.reader.read(span).task?.sequence.rawValue == 2)
        disk.inject { call in call.operation == .read ? .notCached : nil }
        #expect(try journal.tryRead(span) == nil)
    }

    @Test func aDamagedRecordIsNeverReadAsARecord() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let span = try journal.write([accepted(2, payload: payload(of: 2))])[0].span
        disk.flipBit((Int(span.offset) + 60) * 8 + 3, of: firstSegment)
        #expect(failure { () throws(JournalError) in _ = try journal.read(span) } == .damagedRecord(span))
        let other = RecordSpan(segment: 1, offset: span.offset + 1, length: span.length)
        #expect(failure { () throws(JournalError) in _ = try journal.read(other) } == .damagedRecord(other))
        let nowhere = RecordSpan(segment: 9, offset: 64, length: 40)
        #expect(failure { () throws(JournalError) in _ = try journal.read(nowhere) } == .gone(nowhere))
    }

    @Test func aRecordOfAnotherSegmentIsNotReadAsThisOnes() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let first = try journal.write([accepted(1, payload: payload(of: 1, count: 12_000))])[0].span
        let second = try journal.write([accepted(2, payload: payload(of: 2, count: 12_000))])[0].span
        #expect(first.segment != second.segment)
        #expect(first.offset == second.offset)
        // Misdirected: the first segment's bytes stand at the same place of the second.
        disk.overwrite("0000000000000002.segment", with: disk.contents(firstSegment))
        #expect(failure { () throws(JournalError) in _ = try journal.read(second) } == .damagedRecord(second))
    }

    @Test func anOutputThatDoesNotFitGoesWholeIntoTheNextSegment() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        journal.beginBatch(clocks: clocks(0))
        try journal.ensureRoom(bytes: 12_000)
        _ = try journal.stage(accepted(1, payload: payload(of: 1, count: 11_000)))
        let output = (2...4).map { accepted($0, payload: payload(of: $0, count: 3_000)) }
        try journal.ensureRoom(for: output)
        let (staged, durable) = (journal.stagedRecords, journal.durableLSN)
        #expect(staged == 0)
        #expect(durable.rawValue == 1)
        var segments: Set<UInt32> = []
        for record in output { segments.insert(try journal.stage(record).span.segment) }
        #expect(segments == [2])
    }

    @Test func anOversizeOutputGetsASegmentOfItsOwnSize() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        if let job = journal.preparationNeeded(clocks: clocks(0)) { try journal.adopt(job.run()) }
        let big = accepted(1, payload: payload(of: 1, count: 100_000))
        let span = try journal.write([big])[0].span
        let after = try journal.write([accepted(2, payload: payload(of: 2))])[0].span
        #expect(try journal.read(span).record == big)
        #expect(span.segment < after.segment)
        journal.close()
        #expect(try recovered(disk.restarted()).sink.records.count == 2)
        let refused = failure { () throws(JournalError) in
            var journal = try Journal.open(SimulatedDisk(seed: 2))
            try journal.ensureRoom(bytes: JournalOptions.batchBytesMax)
        }
        let maximum = JournalOptions.batchBytesMax - 64
        #expect(refused == .tooLarge(bytes: JournalOptions.batchBytesMax, maximum: maximum))
    }

    @Test func aSealIsWrittenOnceAndTellsTheNextStart() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        try journal.seal()
        try journal.write([accepted(1, payload: [1])])
        let before = journal.isSealed
        try journal.seal()
        let calls = disk.calls
        try journal.seal()
        let after = journal.isSealed
        #expect(!before)
        #expect(after)
        #expect(disk.calls == calls)
        journal.close()
        let next = disk.crashed(seed: 3)
        let report = try recovered(next).report
        #expect(report.wasSealed)
        #expect(report.replayedRecords == 1)
        var again = try Journal.open(next.restarted())
        #expect(try again.write([accepted(2, payload: [2])])[0].lsn.rawValue == 2)
    }

    @Test func anEmptyTurnWritesNothing() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let calls = disk.calls
        journal.beginBatch(clocks: clocks(5))
        try journal.commit()
        #expect(disk.calls == calls)
    }

    @Test func segmentsAreMadeAheadAndUsedInTheirOrder() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let first = journal.preparationNeeded(clocks: clocks(0))
        let early = try #require(first)
        let second = journal.preparationNeeded(clocks: clocks(5_000)) == nil
        #expect(second)
        // The journal cannot wait, makes one itself, and has no use for the earlier one any more.
        try journal.write([accepted(1, payload: payload(of: 1, count: 12_000))])
        let span = try journal.write([accepted(2, payload: payload(of: 2, count: 12_000))])[0].span
        #expect(span.segment == 3)
        try journal.adopt(early.run())
        #expect(disk.segmentNames == [firstSegment, "0000000000000003.segment"])
        let third = journal.preparationNeeded(clocks: clocks(5_000))
        let late = try #require(third)
        try journal.adopt(late.run())
        let next = try journal.write([accepted(3, payload: payload(of: 3, count: 12_000))])[0].span
        #expect(next.segment == 4)
        journal.close()
        #expect(try recovered(disk.restarted()).sink.records.count == 3)
    }
}
