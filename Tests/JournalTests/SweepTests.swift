import Glibc
import TaskModel
import TestSupport
import Testing

@testable import Journal

/// Every place and every bit, not a choice of them: no image of a journal is silently another one, and none
/// traps.
@Suite struct SweepTests {
    private typealias Verdict = SweepSample.Verdict

    /// Looks at the image with every byte from each place on changed, from the last place to the first.
    private func sweepBackwards(
        _ name: String, change: (inout [UInt8], Int) -> Void, expected: (SweepSample, Int) -> Verdict
    ) throws {
        let sample = try SweepSample(sealed: false)
        var wrong = 0
        for place in stride(from: SweepSample.segmentBytes - 1, through: 64, by: -1) {
            sample.storage.change(firstSegment) { change(&$0, place) }
            let (verdict, wanted) = (sample.look(), expected(sample, place))
            if verdict != wanted, wrong < 5 {
                wrong += 1
                Issue.record("\(name) from \(place) on: \(verdict), not \(wanted)")
            }
        }
    }

    @Test func cutShortAtAnyByteASegmentGivesExactlyTheWholeBatchesBeforeTheCut() throws {
        try sweepBackwards("cut") { bytes, place in
            bytes.removeLast()
        } expected: { sample, place in
            // Bytes of a batch before the cut are there without their end; zeros may be what was cut.
            let isWhole = sample.endsBatch(place) || place >= sample.end
            return .opened(sample.recordsBefore(place), isTorn: !isWhole && sample.hasBytes(before: place))
        }
    }

    @Test func zerosFromAnyByteOnGiveExactlyTheWholeBatchesBeforeThem() throws {
        try sweepBackwards("zeros") { bytes, place in
            bytes[place] = 0
        } expected: { sample, place in
            let isWhole = sample.endsBatch(place) || place >= sample.end
            return .opened(sample.recordsBefore(place), isTorn: !isWhole && sample.hasBytes(before: place))
        }
    }

    @Test func garbageFromAnyByteOnGivesExactlyTheWholeBatchesBeforeItAndAWarning() throws {
        var random = SeededGenerator(announcedAs: "garbage", seed: 31)
        let garbage = random.bytes(count: SweepSample.segmentBytes).map { $0 | 1 }
        try sweepBackwards("garbage") { bytes, place in
            bytes[place] = garbage[place]
        } expected: { sample, place in
            .opened(sample.recordsBefore(place), isTorn: true)
        }
    }

    /// What a file system may show of a block that was another segment's before.
    @Test func staleBatchesOfAnotherSegmentFromAnyByteOnAreNeverTakenForThisOnes() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk, options: JournalOptions(segmentBytes: SweepSample.segmentBytes))
        var number: UInt64 = 0
        while disk.segmentNames.count < 2 {
            number += 1
            try journal.write([accepted(500 + number, payload: payload(of: number, count: 900))])
        }
        journal.close()
        // The same journal, the same places, LSNs that fit: only the segment is another.
        let stale = disk.contents(firstSegment)
        for (name, shift) in [("in place", 0), ("moved by a block", 4_096 - 64)]
        where shift == 0 || Self.isWhole {
            let target = try SweepSample(sealed: false, bytes: SweepSample.segmentBytes)
            let renumbered = Self.asSegment(2, stale)
            var wrong = 0
            for place in stride(from: SweepSample.segmentBytes - 1, through: 64, by: -1) {
                let byte = renumbered[(place + shift) % renumbered.count]
                target.storage.set(byte, at: place, of: firstSegment)
                let verdict = target.look()
                guard case .opened(target.recordsBefore(place), _) = verdict else {
                    wrong += 1
                    if wrong < 5 { Issue.record("stale bytes \(name) from \(place) on: \(verdict)") }
                    continue
                }
            }
        }
    }

    /// The batches as a segment of another number has them, checksums and all.
    private static func asSegment(_ number: UInt32, _ image: [UInt8]) -> [UInt8] {
        let instance = image.withUnsafeBytes { $0.loadLittle(UInt64.self, at: 16) }
        let seed = SegmentSeed(instance: JournalInstance(rawValue: instance), segment: number)
        var bytes = image
        var at = 64
        while at + 64 <= bytes.count {
            let length = bytes.withUnsafeBytes { Int($0.loadLittle(UInt32.self, at: at + 4)) }
            guard length >= 64, at + length <= bytes.count else { break }
            bytes[at + 12] = UInt8(number)
            let crc = bytes.withUnsafeBytes {
                Checksum.crc32c(
                    UnsafeRawBufferPointer(rebasing: $0[(at + 4)..<(at + length)]), seed: seed.batch(at: at))
            }
            for index in 0..<4 { bytes[at + index] = UInt8(truncatingIfNeeded: crc >> UInt32(8 * index)) }
            at += length
        }
        return bytes
    }

    /// Every bit of the first 8 KiB with its headers and records, and one bit of each byte behind that; with
    /// `TASKQ_SWEEPS=whole`, as `make sweeps` sets it, every bit of all.
    @Test(arguments: 0..<4) func everyFlippedBitOfASealedSegmentIsDetectedOrHarmless(part: Int) throws {
        var random = SeededGenerator(announcedAs: "bits of part \(part)", seed: 41)
        let sample = try SweepSample(sealed: true)
        let quarter = sample.image.count / 4
        #expect(sample.image.count * 8 == 524_288)
        var refused = 0
        var wrong = 0
        let bits = ((quarter * part)..<(quarter * (part + 1))).flatMap { byte in
            Self.isWhole || byte < 8 << 10
                ? Array(byte * 8..<byte * 8 + 8) : [byte * 8 + Int(random.next() % 8)]
        }
        for bit in bits {
            sample.storage.flip(bit, of: firstSegment)
            let verdict = sample.look()
            sample.storage.flip(bit, of: firstSegment)
            switch verdict {
            case .refused: refused += 1
            case .opened(sample.tasks.count, _): break
            case .opened, .wrong:
                wrong += 1
                if wrong < 5 { Issue.record("bit \(bit): \(verdict)") }
            }
        }
        // Only what lies behind the seal is harmless.
        #expect(refused >= bits.count { $0 / 8 < sample.end })
    }

    private static let isWhole = getenv("TASKQ_SWEEPS").map { String(cString: $0) } == "whole"

    @Test func aFlippedBitOfAnUnsealedLastBatchCutsItWithAWarningAndNothingElse() throws {
        let sample = try SweepSample(sealed: false)
        var wrong = 0
        for bit in (sample.lastBatch * 8)..<(sample.end * 8) {
            sample.storage.flip(bit, of: firstSegment)
            let verdict = sample.look()
            sample.storage.flip(bit, of: firstSegment)
            guard verdict != .opened(sample.recordsBefore(sample.lastBatch), isTorn: true) else { continue }
            wrong += 1
            if wrong < 5 { Issue.record("bit \(bit): \(verdict)") }
        }
    }
}

extension SweepSample {
    /// Whether the batch that `place` lies in has a byte before it that is not zero.
    fileprivate func hasBytes(before place: Int) -> Bool {
        let start = ends.last { $0.offset <= place }?.offset ?? 64
        return image[start..<min(place, image.count)].contains { $0 != 0 }
    }
}
