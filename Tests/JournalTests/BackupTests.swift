import QueueStateMachine
import TaskModel
import TestSupport
import Testing

@testable import Journal

/// Copies taken while the journal is written, and what is made of them.
@Suite struct BackupTests {
    private static let options = JournalOptions(segmentBytes: 32 << 10)

    /// Everything that a state says of itself: what a checkpoint of it would hold.
    private struct Image: Hashable {
        var records: Set<SnapshotRecord> = []
        var places: Set<RecordSpan> = []

        init(_ state: QueueStateMachine) {
            state.forEachSnapshotRecord { records.insert($0) }
            state.forEachPayload { places.insert($0) }
        }
    }

    /// The state that the journal on a disk gives its next owner; the disk is left as it is.
    private func state(on disk: SimulatedDisk) throws -> Image {
        var sink = StateSink()
        let verification = try JournalVerification(disk, sink: &sink)
        _ = try verification.recovery.get()
        return Image(sink.state)
    }

    private func contents(of disk: SimulatedDisk) throws -> JournalContents {
        var census = JournalCensus()
        let verification = try JournalVerification(disk, sink: &census)
        _ = try verification.recovery.get()
        return try #require(verification.contents)
    }

    private func backup(
        _ life: inout RandomLife, on disk: SimulatedDisk, turnsBetweenSteps: Int
    ) throws -> (copy: SimulatedDisk, before: Image) {
        let copy = SimulatedDisk(seed: 77)
        let before = Image(life.state)
        let contents = try life.journal.beginBackup()
        var writer = try JournalCopy(of: contents, in: disk, to: copy)
        while try writer.step() {
            for _ in 0..<turnsBetweenSteps { try life.turn() }
        }
        try writer.settle()
        let keeps = life.journal.keepsBackup
        #expect(keeps)
        life.journal.endBackup()
        try writer.sign()
        return (copy, before)
    }

    private func restore(
        _ copy: SimulatedDisk, to target: SimulatedDisk
    ) throws(JournalError) -> JournalInstance {
        var census = JournalCensus()
        let verification = try JournalVerification(copy, sink: &census)
        guard let contents = verification.contents else { throw .isBackup }
        var restore = try JournalRestore(of: contents, in: copy, to: target)
        let instance = restore.instance
        while try restore.step() {}
        try restore.finish()
        return instance
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func aCopyTakenUnderWritesIsTheStateInWhichItBegan(seed: UInt64) throws {
        let disk = SimulatedDisk(seed: seed)
        var life = try RandomLife(disk, options: Self.options, seed: seed)
        try life.begin()
        for _ in 0..<150 + Int(seed) * 20 { try life.turn() }
        // Long enough for segments to be sealed, checkpointed, compacted and deleted meanwhile.
        let (copy, before) = try backup(&life, on: disk, turnsBetweenSteps: 12)
        #expect(try state(on: copy) == before, "seed \(seed)")
        let restored = SimulatedDisk(seed: seed + 100)
        let instance = try restore(copy, to: restored)
        let old = life.journal.instance
        #expect(instance != old)
        #expect(try state(on: restored) == before, "seed \(seed)")
        let lastLSN = try contents(of: copy).lastLSN
        var census = JournalCensus()
        let verification = try JournalVerification(restored, sink: &census)
        #expect(verification.isWhole && census.isWhole, "\(verification.problems)")
        #expect(verification.contents?.lastLSN == lastLSN)
        life.close()
    }

    @Test func aRestoredJournalLivesOnAndIsRecovered() throws {
        let disk = SimulatedDisk(seed: 3)
        var life = try RandomLife(disk, options: Self.options, seed: 3)
        try life.begin()
        for _ in 0..<300 { try life.turn() }
        let (copy, _) = try backup(&life, on: disk, turnsBetweenSteps: 1)
        life.close()
        let restored = SimulatedDisk(seed: 4)
        _ = try restore(copy, to: restored)
        var sink = StateSink()
        var journal = try Journal.open(
            storage: restored, options: Self.options, clocks: clocks(1_000_000), sink: &sink)
        let isNew = journal.recovery.isNew
        #expect(!isNew)
        for number in 1...200 as ClosedRange<UInt64> {
            try journal.write([accepted(1_000_000 + number, payload: payload(of: number, count: 500))])
        }
        journal.close()
        var collector = Collector()
        let verification = try JournalVerification(restored, sink: &collector)
        #expect(verification.isWhole, "\(verification.problems)")
        #expect(collector.records.suffix(200).count == 200)
    }

    @Test func whatABackupReadsStaysUntilItEndsAndGoesThen() throws {
        let disk = SimulatedDisk(seed: 5)
        var life = try RandomLife(disk, options: Self.options, seed: 5)
        try life.begin()
        for _ in 0..<300 { try life.turn() }
        let contents = try life.journal.beginBackup()
        let names = contents.segments.map { JournalName.segmentFile(number: $0.number) }
        let bytes = names.map { disk.contents($0) }
        let checkpoint = try #require(contents.checkpoint)
        for _ in 0..<600 { try life.turn() }
        for (index, name) in names.enumerated() {
            let end = contents.segments[index].endBytes
            #expect(disk.contents(name).prefix(end) == bytes[index].prefix(end), "\(name)")
        }
        #expect(disk.names.contains(checkpoint))
        let held = disk.segmentNames.count
        life.journal.endBackup()
        for _ in 0..<200 { try life.turn() }
        #expect(!disk.names.contains(checkpoint))
        #expect(!disk.names.contains(names[0]))
        #expect(disk.segmentNames.count < held)
        life.close()
    }

    @Test func aFullDiskEndsABackup() throws {
        let disk = SimulatedDisk(seed: 6)
        var journal = try Journal.open(disk)
        try journal.write([accepted(1, payload: payload(of: 1))])
        _ = try journal.beginBackup()
        disk.limit(bytes: disk.usedBytes)
        let job = journal.preparationNeeded(clocks: clocks(5_000))
        if let job { try journal.adopt(job.run()) }
        let keeps = journal.keepsBackup
        #expect(!keeps)
        journal.close()
    }

    @Test func aBackupIsNoJournalToOpen() throws {
        let disk = SimulatedDisk(seed: 7)
        var life = try RandomLife(disk, options: Self.options, seed: 7)
        try life.begin()
        let (copy, _) = try backup(&life, on: disk, turnsBetweenSteps: 0)
        life.close()
        #expect(failure { () throws(JournalError) in _ = try recovered(copy) } == .isBackup)
    }

    @Test func neitherABackupNorARestoreTouchesAFolderThatIsNotEmpty() throws {
        let disk = SimulatedDisk(seed: 8)
        var life = try RandomLife(disk, options: Self.options, seed: 8)
        try life.begin()
        let (copy, _) = try backup(&life, on: disk, turnsBetweenSteps: 0)
        life.close()
        let other = SimulatedDisk(seed: 9)
        _ = try other.create("letter.txt")
        let contents = try contents(of: copy)
        #expect(
            failure { () throws(JournalError) in _ = try JournalCopy(of: contents, in: copy, to: other) }
                == .notEmpty(file: "letter.txt"))
        #expect(
            failure { () throws(JournalError) in _ = try restore(copy, to: other) }
                == .notEmpty(file: "letter.txt"))
        #expect(other.names == ["letter.txt"])
    }

    /// Wherever a restore dies, nobody takes what is left for a journal that it is not.
    @Test func aRestoreThatDiesAnywhereLeavesTheWholeJournalOrNone() throws {
        let disk = SimulatedDisk(seed: 10)
        var life = try RandomLife(disk, options: Self.options, seed: 10)
        try life.begin()
        while disk.segmentNames.count < 5 { try life.turn() }
        let (copy, before) = try backup(&life, on: disk, turnsBetweenSteps: 0)
        life.close()
        let whole = SimulatedDisk(seed: 11)
        _ = try restore(copy, to: whole)
        var (refused, unbegun, complete) = (0, 0, 0)
        for call in 1...whole.calls {
            for seed in 1...3 as ClosedRange<UInt64> {
                let target = SimulatedDisk(seed: seed)
                target.inject { $0.number == call ? .dies : nil }
                #expect(failure { () throws(JournalError) in _ = try restore(copy, to: target) } != nil)
                let left = target.crashed(seed: seed &+ UInt64(call) &* 7)
                if left.names.allSatisfy({ $0 == "lock" }) {
                    unbegun += 1
                    continue
                }
                var sink = StateSink()
                let opening = failure { () throws(JournalError) in
                    _ = try Journal.open(
                        storage: left, options: Self.options, clocks: clocks(0), sink: &sink)
                }
                if let opening {
                    #expect(opening.isDamage, "call \(call), seed \(seed): \(opening)")
                    refused += 1
                } else {
                    #expect(Image(sink.state) == before, "call \(call), seed \(seed)")
                    complete += 1
                }
            }
        }
        #expect(refused > 20 && unbegun > 0, "\(refused) refused, \(unbegun) not begun, \(complete) whole")
    }

    @Test func aDamagedBackupIsNeverRestoredAsSomethingElse() throws {
        let disk = SimulatedDisk(seed: 12)
        var life = try RandomLife(disk, options: Self.options, seed: 12)
        try life.begin()
        for _ in 0..<120 { try life.turn() }
        let (copy, before) = try backup(&life, on: disk, turnsBetweenSteps: 0)
        life.close()
        var random = SeededGenerator(seed: 12)
        var found = 0
        for _ in 0..<150 {
            let bad = copy.copied()
            let name = try #require(
                bad.names.filter { !$0.hasPrefix("taskq") && !$0.hasPrefix("inst") }
                    .randomElement(using: &random))
            bad.flipBit(Int(random.next() % UInt64(bad.contents(name).count * 8)), of: name)
            var census = JournalCensus()
            let verification = try JournalVerification(bad, sink: &census)
            guard verification.isWhole, let contents = verification.contents,
                contents.lastLSN == verification.backupLSN
            else {
                found += 1
                continue
            }
            // A bit behind the last batch, where nothing stands.
            let target = SimulatedDisk(seed: 13)
            _ = try restore(bad, to: target)
            #expect(try state(on: target) == before)
        }
        #expect(found > 50)
    }

    @Test(arguments: [1, 2] as [UInt64])
    func theIndependentReaderFindsARestoredJournalWhole(seed: UInt64) async throws {
        let disk = SimulatedDisk(seed: seed)
        var life = try RandomLife(disk, options: Self.options, seed: seed + 40)
        try life.begin()
        for _ in 0..<400 { try life.turn() }
        let (copy, _) = try backup(&life, on: disk, turnsBetweenSteps: 3)
        life.close()
        let restored = SimulatedDisk(seed: seed)
        _ = try restore(copy, to: restored)
        try await TemporaryDirectory.with { directory in
            try restored.copy(to: "\(directory.path)/state/journal")
            #expect(try await JournalReader.violations(inState: "\(directory.path)/state") == [])
            try copy.copy(to: "\(directory.path)/copy/journal")
            #expect(try await JournalReader.violations(inState: "\(directory.path)/copy") == [])
        }
    }
}
