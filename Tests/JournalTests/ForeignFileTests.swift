import TaskModel
import Testing

@testable import Journal

/// F1, F5, F8, F11 and F7's "never delete what you do not understand".
@Suite struct ForeignFileTests {
    /// Two segments with records, the second one begun.
    private func sample(seed: UInt64) throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: seed)
        var journal = try Journal.open(disk)
        for number in 1...5 as ClosedRange<UInt64> {
            try journal.write([accepted(number, payload: payload(of: number, count: 5_000))])
        }
        journal.close()
        return disk
    }

    private let second = "0000000000000002.segment"

    @Test func aSegmentOfAnotherJournalIsRefused() throws {
        let (own, other) = (try sample(seed: 1), try sample(seed: 2))
        own.overwrite(second, with: other.contents(second))
        #expect(
            failure { () throws(JournalError) in _ = try recovered(own.restarted()) }
                == .foreignFile(file: second))
    }

    @Test func aSegmentUnderAnotherNumberIsRefused() throws {
        let disk = try sample(seed: 1)
        disk.overwrite(second, with: disk.contents(firstSegment))
        let error = failure { () throws(JournalError) in _ = try recovered(disk.restarted()) }
        #expect(error == .foreignFile(file: second))
    }

    @Test func batchesOfAnotherSegmentOrJournalOrPlaceAreNeverValid() throws {
        let disk = try sample(seed: 1)
        let (first, other) = (disk.contents(firstSegment), try sample(seed: 2).contents(second))
        let next = disk.contents(second)
        let header = Array(next[..<64])
        for stale in [
            first, other, Array(first[..<64]) + Array(first[72...]) + [UInt8](repeating: 0, count: 8),
        ] {
            let bytes = header + Array(stale[64...])
            disk.overwrite(second, with: bytes)
            let (sink, report) = try recovered(disk.restarted())
            #expect(sink.records.count == 3)
            #expect(report.warnings.count == 1)
        }
    }

    @Test func aNewerVersionIsNamedAndNotTakenForDamage() throws {
        let disk = try sample(seed: 1)
        var bytes = disk.contents(firstSegment)
        bytes[8] = 2
        let crc = checksum(bytes[..<60])
        for index in 0..<4 { bytes[60 + index] = UInt8(truncatingIfNeeded: crc >> UInt32(8 * index)) }
        disk.overwrite(firstSegment, with: bytes)
        let error = failure { () throws(JournalError) in _ = try recovered(disk.restarted()) }
        #expect(error == .unsupportedVersion(file: firstSegment, version: 2))
    }

    @Test func aCheckpointOfANewerVersionIsNamedAndNotTakenForABadOne() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk)
        try broker.turn([[accepted(1, payload: [1])]])
        try broker.checkpoint()
        broker.close()
        let name = try #require(disk.checkpointNames.last)
        var bytes = disk.contents(name)
        bytes[8] = 2
        let crc = checksum(bytes[..<76])
        for index in 0..<4 { bytes[76 + index] = UInt8(truncatingIfNeeded: crc >> UInt32(8 * index)) }
        disk.overwrite(name, with: bytes)
        let error = failure { () throws(JournalError) in _ = try recovered(disk.restarted()) }
        #expect(error == .unsupportedVersion(file: name, version: 2))
        #expect(error?.isDamage == true)
    }

    @Test func aRecordOfATypeOfALaterVersionIsNamedAndRefused() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        try journal.write([accepted(1, payload: [1])])
        let span = try journal.write([accepted(2, payload: [2])])[0].span
        journal.close()
        disk.rewriteBatch(of: firstSegment, at: Int(span.offset) - 64) { batch in batch[64 + 7] = 17 }
        let error = failure { () throws(JournalError) in _ = try recovered(disk.restarted()) }
        guard case .damaged(let damage) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.kind == .unknownContent(kind: "record type", value: 17))
        #expect(damage.firstLSN.rawValue == 2)
    }

    private func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0x82F6_3B78 : crc >> 1 }
        }
        return ~crc
    }

    @Test func filesThatAreNotTheJournalsAreLeftAloneAndUnfinishedOnesRemoved() throws {
        let disk = try sample(seed: 1)
        let strange = ["notes.txt", "1.segment", "checkpoint-1", "000000000000000A.segment", "x.new"]
        for name in strange { _ = try disk.create(name) }
        for name in ["0000000000000009.segment.new", "checkpoint-0000000000000003-00000000.new"] {
            _ = try disk.create(name)
        }
        let next = disk.restarted()
        #expect(try recovered(next).sink.records.count == 5)
        let own = try #require(next.names.first { $0.hasPrefix("instance-") })
        #expect(next.names == (strange + [firstSegment, second, own]).sorted())
    }

    @Test func aSecondOwnerIsRefusedUntilTheFirstIsGone() throws {
        let disk = SimulatedDisk(seed: 1)
        let journal = try Journal.open(disk)
        #expect(failure { () throws(JournalError) in _ = try Journal.open(disk) } == .locked(byPID: nil))
        journal.close()
        #expect(try recovered(disk).report.warnings.isEmpty)
    }
}
