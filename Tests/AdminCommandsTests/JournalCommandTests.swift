import AdminCommands
import Glibc
import Journal
import TaskModel
import TestSupport
import Testing

/// `taskq journal verify` and `stat` on files that a journal wrote.
@Suite struct JournalCommandTests {
    private struct Nothing: JournalRecoverySink {
        mutating func restore(_ record: SnapshotRecord) {}
        mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) {}
        mutating func finishRestore() {}
        mutating func apply(_ record: JournalRecord, at position: RecordPosition) {}
    }

    private func open(_ directory: String) throws(JournalError) -> Journal {
        var sink = Nothing()
        return try Journal.open(
            storage: FileStorage(directory: directory), options: JournalOptions(segmentBytes: 16 << 10),
            clocks: RawClocks(boottimeMilliseconds: 1, wallMilliseconds: 1_700_000_000_000, bootID: 1),
            sink: &sink)
    }

    private func id(_ number: UInt64) -> TaskID {
        TaskID(unixMilliseconds: 1_700_000_000_000, random: (0, number))
    }

    /// Thirty tasks, three of them leased and one of these completed, in several segments.
    private func write(_ directory: String) throws {
        var journal = try open(directory)
        let queue = QueueNumber(rawValue: 1)
        var records: [[JournalRecord]] = [
            [.queueDeclared(QueueDeclaration(number: queue, name: "tasks", settings: QueueSettings()))]
        ]
        for number in 1...30 as ClosedRange<UInt64> {
            records.append([
                .accepted(
                    AcceptedTask(
                        queue: queue, id: id(number), sequence: TaskSequence(rawValue: number),
                        group: "g\(number)", deduplication: nil, traceparent: [],
                        payload: [UInt8](repeating: 7, count: 1_000)[...]))
            ])
        }
        for number in 1...3 as ClosedRange<UInt64> {
            records.append([
                .delivered(
                    Delivery(
                        id: id(number), worker: "w", session: SessionID(rawValue: 1),
                        deliveredAt: WallTime(rawValue: 1)))
            ])
        }
        let summary = FinishedSummary(
            queue: queue, sequence: TaskSequence(rawValue: 1), group: "g1", finishedAt: WallTime(rawValue: 1),
            receives: 1, history: [])
        records.append([
            .completed(
                Completion(
                    id: id(1), receipt: LogSequenceNumber(rawValue: 32), summary: summary, result: [],
                    resultError: ""))
        ])
        for output in records {
            journal.beginBatch(
                clocks: RawClocks(boottimeMilliseconds: 9, wallMilliseconds: 1_700_000_000_009, bootID: 1))
            try journal.ensureRoom(for: output)
            for record in output { _ = try journal.stage(record) }
            try journal.commit()
        }
        try journal.seal()
        journal.close()
    }

    private func flip(_ byte: off_t, of path: String) {
        let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
        var value: UInt8 = 0
        pread(descriptor, &value, 1, byte)
        value ^= 1
        pwrite(descriptor, &value, 1, byte)
        close(descriptor)
    }

    private func first(_ directory: String) -> String { "\(directory)/0000000000000001.segment" }

    @Test func aWholeJournalIsZeroForItsFolderAndForTheStateFolderAroundIt() throws {
        try TemporaryDirectory.with { directory in
            let journal = "\(directory.path)/journal"
            try write(journal)
            for arguments in [
                ["verify", journal], ["stat", journal], ["verify", directory.path],
                ["stat", "--json", journal],
            ] {
                #expect(AdminProgram.run(["journal"] + arguments) == 0, "\(arguments)")
            }
            let inspection = try JournalInspection.inspect(journal)
            #expect(inspection.ownerPID == nil)
            let verdict = JournalText.verdict(inspection)
            #expect(verdict.hasPrefix("\(journal): whole up to LSN 35, sealed\n"), "\(verdict)")
            let text = JournalText.statistics(inspection)
            #expect(text.contains("2023-11-14T22:13:20"), "\(text)")
            let json = JournalText.json(inspection)
            #expect(
                json.contains(
                    #""accepted":30,"pending":27,"leased":2,"parked":0,"dead":0,"completed":1,"cancelled":0"#
                ), "\(json)")
            #expect(json.contains(#""whole":true"#))
        }
    }

    @Test func damageIsSixtyFiveAndNamesPlaceRecordsAndTasks() throws {
        try TemporaryDirectory.with { directory in
            try write(directory.path)
            flip(64 + 64 + 8 + 90 + 300, of: first(directory.path))
            #expect(AdminProgram.run(["journal", "verify", directory.path]) == 65)
            #expect(AdminProgram.run(["journal", "stat", "--json", directory.path]) == 65)
            let inspection = try JournalInspection.inspect(directory.path)
            let text = JournalText.verdict(inspection)
            #expect(text.hasPrefix("\(directory.path): damaged\n"))
            #expect(text.contains("damaged: segment 1, offset "))
            #expect(text.contains("LSN 2 to 2"), "\(text)")
            let json = JournalText.json(inspection)
            #expect(json.contains(#""first_lsn":2,"last_lsn":2"#), "\(json)")
        }
    }

    @Test func aLostSegmentAndABadCheckpointAreSixtyFive() throws {
        try TemporaryDirectory.with { directory in
            try write(directory.path)
            unlink("\(directory.path)/0000000000000002.segment")
            #expect(AdminProgram.run(["journal", "verify", directory.path]) == 65)
            let text = JournalText.verdict(try JournalInspection.inspect(directory.path))
            #expect(text.contains("segment 2, offset 0: the segment is not there"), "\(text)")
        }
        try TemporaryDirectory.with { directory in
            try write(directory.path)
            try directory.write("", to: "checkpoint-0000000000000003-00000000")
            #expect(AdminProgram.run(["journal", "verify", directory.path]) == 65)
        }
    }

    @Test func aFolderWithoutAJournalIsOne() throws {
        try TemporaryDirectory.with { directory in
            #expect(AdminProgram.run(["journal", "verify", directory.path]) == 1)
            #expect(AdminProgram.run(["journal", "stat", "\(directory.path)/nowhere"]) == 1)
        }
    }

    @Test func aJournalThatIsOpenIsReadAndItsOwnerNamed() throws {
        try TemporaryDirectory.with { directory in
            try write(directory.path)
            let journal = try open(directory.path)
            let inspection = try JournalInspection.inspect(directory.path)
            #expect(inspection.isWhole)
            #expect(inspection.ownerPID == getpid())
            journal.close()
            #expect(try JournalInspection.inspect(directory.path).ownerPID == nil)
        }
    }
}
