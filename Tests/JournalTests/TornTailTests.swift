import Journal
import TaskModel
import TestSupport
import Testing

/// Guarantee I: what a crash leaves at the end is cut, whole batches before it stay.
@Suite struct TornTailTests {
    /// A journal of one segment of 76 KiB, filled by batches of many sizes.
    private struct Sample {
        static let options = JournalOptions(segmentBytes: 76 << 10)
        let image: [UInt8]
        /// Where each batch ends, and how many records there are up to there.
        let ends: [(offset: Int, records: Int)]
        let disk = SimulatedDisk(seed: 1)

        init() throws {
            var journal = try Journal.open(disk, options: Self.options)
            var ends: [(offset: Int, records: Int)] = []
            var number: UInt64 = 0
            for size in [1, 4_000, 300, 9_000, 12_000, 100, 15_000, 700, 8_000, 2_500, 10_000, 1_200, 3_000] {
                let count = size < 1_000 ? 3 : 1
                let records = (1...count).map {
                    accepted(number + UInt64($0), payload: payload(of: number, count: size))
                }
                let last = try journal.write(records)[count - 1].span
                number += UInt64(count)
                ends.append((Int(last.offset + last.length), Int(number)))
            }
            journal.close()
            image = disk.contents(firstSegment)
            self.ends = ends
        }

        func recordsBefore(_ offset: Int) -> Int { ends.last { $0.offset <= offset }?.records ?? 0 }
        /// Where the last whole batch before `offset` ends.
        func endBefore(_ offset: Int) -> Int { ends.last { $0.offset <= offset }?.offset ?? 64 }

        /// Recovers a disk whose only segment is `bytes`.
        func recover(_ bytes: [UInt8]) throws -> (records: Int, report: RecoveryReport) {
            let disk = disk.restarted()
            disk.overwrite(firstSegment, with: bytes)
            let (sink, report) = try recovered(disk, options: Self.options)
            for (index, entry) in sink.applied.enumerated()
            where entry.position.lsn.rawValue != UInt64(index + 1) {
                Issue.record("LSN \(entry.position.lsn) at \(index)")
            }
            return (sink.applied.count, report)
        }
    }

    /// With whole starts, which also mend; ``SweepTests`` looks at every byte.
    @Test func aSegmentCutShortInItsLast64KiBGivesExactlyTheWholeBatchesBeforeTheCutAndIsFilledUp() throws {
        let sample = try Sample()
        let last = sample.image.count
        for length in stride(from: last - (64 << 10), to: last, by: 61) {
            let (records, report) = try sample.recover(Array(sample.image[..<length]))
            let expected = sample.recordsBefore(length)
            guard records == expected, report.warnings.contains(where: isExtension) else {
                Issue.record("cut at \(length): \(records) records, not \(expected); \(report.warnings)")
                return
            }
        }
    }

    private func isExtension(_ warning: RecoveryWarning) -> Bool {
        if case .lastSegmentExtended = warning { true } else { false }
    }

    @Test func zerosFromAnyPlaceOnGiveExactlyTheWholeBatchesBefore() throws {
        let sample = try Sample()
        let zeros = [UInt8](repeating: 0, count: sample.image.count)
        let written = try #require(sample.ends.last).offset
        for place in stride(from: 64, to: written, by: 41) {
            let bytes = sample.image[..<place] + zeros[place...]
            let (records, report) = try sample.recover(Array(bytes))
            #expect(records == sample.recordsBefore(place), "zeros from \(place)")
            let isTorn = place != sample.endBefore(place)
            #expect(report.warnings.isEmpty != isTorn, "zeros from \(place)")
        }
    }

    @Test func garbageFromAnyPlaceOnGivesExactlyTheWholeBatchesBeforeAndAWarning() throws {
        var random = SeededGenerator(announcedAs: "garbage", seed: 31)
        let sample = try Sample()
        let garbage = random.bytes(count: sample.image.count)
        let written = try #require(sample.ends.last).offset
        for place in stride(from: 64, to: written, by: 97) {
            let bytes = sample.image[..<place] + garbage[place...]
            let (records, report) = try sample.recover(Array(bytes))
            #expect(records == sample.recordsBefore(place), "garbage from \(place)")
            let end = sample.endBefore(place)
            let next = LogSequenceNumber(rawValue: UInt64(records + 1))
            let lost = bytes.count - end - (garbage.reversed().prefix { $0 == 0 }.count)
            #expect(
                report.warnings == [.tornTailCut(segment: 1, offset: end, bytes: lost, firstLSN: next)],
                "garbage from \(place)")
        }
    }

    @Test func aCutTailIsGoneForGoodAndTheJournalGoesOnBehindIt() throws {
        let sample = try Sample()
        let disk = sample.disk.restarted()
        let end = try #require(sample.ends.last)
        disk.flipBit((end.offset - 5) * 8, of: firstSegment)
        var journal = try Journal.open(disk, options: Sample.options)
        let warned = journal.recovery.warnings.count
        #expect(warned == 1)
        let position = try journal.write([accepted(900, payload: [9])])[0]
        #expect(Int(position.span.offset) == sample.ends[sample.ends.count - 2].offset + 64)
        journal.close()
        let (sink, report) = try recovered(disk.crashed(seed: 4), options: Sample.options)
        #expect(report.warnings.isEmpty)
        #expect(sink.records.last == accepted(900, payload: [9]))
    }

    @Test func aBadBatchWithAGoodOneBehindItIsDamageThatNamesWhatIsLost() throws {
        let sample = try Sample()
        for batch in 0..<sample.ends.count - 1 {
            let start = batch == 0 ? 64 : sample.ends[batch - 1].offset
            let disk = sample.disk.restarted()
            disk.flipBit((start + 4) * 8 + 1, of: firstSegment)
            let error = failure { () throws(JournalError) in _ = try recovered(disk, options: Sample.options)
            }
            guard case .damaged(let damage) = error else {
                Issue.record("batch \(batch): \(String(describing: error))")
                continue
            }
            let before = batch == 0 ? 0 : sample.ends[batch - 1].records
            #expect(damage.kind == .batch)
            #expect(damage.segment == 1)
            #expect(damage.offset == start)
            #expect(damage.firstLSN.rawValue == UInt64(before + 1))
            #expect(damage.lastLSN.map { $0.rawValue } ?? 0 == UInt64(sample.ends[batch].records))
            #expect(damage.knownTasks.contains(taskID(UInt64(before + 1))))
        }
    }

    @Test func zerosBeforeAGoodBatchAreDamageAndNotTheEnd() throws {
        let sample = try Sample()
        var bytes = sample.image
        let (start, end) = (sample.ends[4].offset, sample.ends[5].offset)
        for index in start..<end { bytes[index] = 0 }
        let damaged = bytes
        let error = failure { () throws(JournalError) in
            let disk = sample.disk.restarted()
            disk.overwrite(firstSegment, with: damaged)
            _ = try recovered(disk, options: Sample.options)
        }
        guard case .damaged(let damage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.offset == start)
    }

    @Test func aCopyOfABatchAtAnotherPlaceIsNoEvidenceOfAnything() throws {
        let sample = try Sample()
        let (end, start) = (sample.ends[12].offset, sample.ends[11].offset)
        var bytes = sample.image
        let copy = Array(bytes[start..<end])
        // The last batch is torn, and what a payload could carry, its whole image, stands behind it.
        bytes[start + 100] ^= 1
        let place = end + 9
        guard place + copy.count <= bytes.count else {
            Issue.record("no room for the copy")
            return
        }
        bytes.replaceSubrange(place..<place + copy.count, with: copy)
        let (records, report) = try sample.recover(bytes)
        #expect(records == sample.ends[11].records)
        #expect(report.warnings.count == 1)
    }

    @Test func aSealShowsThatTheLastBatchWasDurable() throws {
        let sample = try Sample()
        let disk = sample.disk.restarted()
        var journal = try Journal.open(disk, options: Sample.options)
        try journal.seal()
        journal.close()
        let next = disk.restarted()
        next.flipBit((try #require(sample.ends.last).offset - 9) * 8, of: firstSegment)
        let error = failure { () throws(JournalError) in _ = try recovered(next, options: Sample.options) }
        #expect(error?.isDamage == true)
    }
}
