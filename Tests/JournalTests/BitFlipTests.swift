import TaskModel
import TestSupport
import Testing

@testable import Journal

/// No flipped bit goes unseen: it is damage, or a warned-about end that lost nothing durable, or harmless.
@Suite struct BitFlipTests {
    private struct Known: Equatable {
        let id: TaskID
        let checksum: UInt32

        init?(_ record: JournalRecord) {
            guard case .accepted(let task) = record else { return nil }
            id = task.id
            checksum = task.payload.withUnsafeBytes { Checksum.crc32c($0) }
        }
    }

    /// A 16 KiB segment with seven batches, and a seal behind them or not.
    private struct Sample {
        let disk = SimulatedDisk(seed: 1)
        /// Id and payload checksum of each task; comparing the bytes themselves would take most of the test.
        let tasks: [Known]
        let image: [UInt8]
        /// Where the last batch that has records begins.
        let lastBatch: Int

        init(sealed: Bool) throws {
            var journal = try Journal.open(disk)
            let sizes = [2_900, 10, 3_000, 2_000, 700, 3_500, 1_800]
            let records = sizes.enumerated().map { index, size in
                accepted(UInt64(index + 1), payload: payload(of: UInt64(index), count: size))
            }
            var last = 0
            for record in records { last = Int(try journal.write([record])[0].span.offset) - 64 }
            lastBatch = last
            if sealed { try journal.seal() }
            journal.close()
            image = disk.contents(firstSegment)
            tasks = records.compactMap(Known.init)
        }

        /// What a flip is found to be, or why it is neither detected nor harmless.
        func verdict(of bit: Int, sealed: Bool) -> String? {
            let disk = disk.restarted()
            disk.flipBit(bit, of: firstSegment)
            do throws(JournalError) {
                let (sink, report) = try recovered(disk)
                let tasks = sink.records.compactMap(Known.init)
                if tasks == self.tasks { return nil }
                let isCut = report.warnings.contains { if case .tornTailCut = $0 { true } else { false } }
                let isLast = bit / 8 >= lastBatch && tasks == Array(self.tasks.dropLast())
                return !sealed && isCut && isLast ? nil : "silent: \(tasks.count) tasks, \(report.warnings)"
            } catch {
                return error.isDamage ? nil : "\(error)"
            }
        }
    }

    /// With whole starts, which also mend; ``SweepTests`` looks at every bit.
    @Test func aFlippedBitOfASealedSegmentIsDetectedOrHarmless() throws {
        let sample = try Sample(sealed: true)
        for bit in stride(from: 0, to: sample.image.count * 8, by: 97) {
            if let verdict = sample.verdict(of: bit, sealed: true) { Issue.record("bit \(bit): \(verdict)") }
        }
    }

    @Test func aFlippedBitOfAnUnsealedLastBatchCutsItWithAWarningAndNothingElse() throws {
        let sample = try Sample(sealed: false)
        for bit in stride(from: 0, to: sample.image.count * 8, by: 211) {
            if let verdict = sample.verdict(of: bit, sealed: false) { Issue.record("bit \(bit): \(verdict)") }
        }
    }

    @Test func everyFlippedBitOfACheckpointIsDetected() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let spans = try journal.write((1...20).map { accepted($0, payload: payload(of: $0)) }).map(\.span)
        for span in spans { journal.retain(span) }
        var random = SeededGenerator(seed: 17)
        // One of each kind; those that point into the journal point to where a record is.
        var records = [1, 2, 3, 6].map { random.snapshot(kind: $0) }
        records.append(
            .finished(
                FinishedSnapshot(
                    id: taskID(1), state: .completed, finishedAt: JournalTime(rawValue: 1),
                    queue: QueueNumber(rawValue: 1), receipt: nil, span: spans[0])))
        records.append(
            .task(
                TaskSnapshot(
                    id: taskID(2), sequence: TaskSequence(rawValue: 2), receives: 1, uncountedReleases: 0,
                    standing: .parked, history: spans[1])))
        try journal.finishCheckpoint(journal.beginCheckpoint().write(livePayloads: spans, records: records))
        journal.close()
        let name = try #require(disk.names.first { $0.hasPrefix("checkpoint") })
        for bit in 0..<disk.contents(name).count * 8 {
            let next = disk.restarted()
            next.flipBit(bit, of: name)
            // The only checkpoint is bad: everything is replayed from the first record, and that is said.
            let (sink, report) = try recovered(next)
            let isWhole = sink.applied.count == 20 && report.warnings == [.badCheckpointSkipped(file: name)]
            if !isWhole { Issue.record("bit \(bit): \(report)") }
        }
    }
}
