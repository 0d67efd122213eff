import Glibc
import TaskModel
import TestSupport
import Testing

@testable import Journal

/// Journals that earlier builds wrote, byte for byte as they were: see Fixtures/README.md.
@Suite struct GoldenJournalTests {
    private static let fixtures = "\(BuiltProducts.repositoryRoot())/Tests/JournalTests/Fixtures"

    private func image(_ version: String) throws -> ImageStorage {
        let folder = "\(Self.fixtures)/\(version)/journal"
        var files: [String: [UInt8]] = [:]
        for name in TemporaryDirectory.entries(of: folder) {
            files[name] = try TextFile.bytes(of: "\(folder)/\(name)")
        }
        return ImageStorage(files)
    }

    private func described(_ storage: some JournalStorage) throws -> String {
        var sink = Collector()
        let report = try Recovery.inspect(storage, JournalListing(storage), sink: &sink).report
        #expect(report.warnings.isEmpty)
        var lines = ["checkpoint covers \(report.checkpointLSN.rawValue)"]
        lines += sink.snapshot.map(RecordText.text)
        lines += sink.payloads.map { "payload \(RecordText.place($0.span)) \(RecordText.text($0.task))" }
        lines.append(
            "replayed \(sink.applied.count) to \(report.lastLSN.rawValue), sealed=\(report.wasSealed)")
        try forEachBatch(of: storage) { batch, records in
            let kind = batch.kind == .records ? 0 : batch.kind == .seal ? 1 : 2
            lines.append(
                "batch at \(batch.firstLSN.rawValue) kind=\(kind) watermark=\(batch.watermark.rawValue)")
            lines += records.map { RecordText.line($0.record, at: $0.position) }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private typealias Placed = (record: JournalRecord, position: RecordPosition, type: UInt8)

    /// Every batch of every segment, also of those that recovery does not look into.
    private func forEachBatch(
        of storage: some JournalStorage, _ body: (BatchHeader, [Placed]) -> Void
    ) throws {
        for number in try JournalListing(storage).segments {
            let file = try storage.open(JournalName.segmentFile(number: number), forWriting: false)
            let header = try Recovery.header(of: file, number: number)
            var cursor = SegmentCursor(
                segment: number, madeBytes: header.madeBytes,
                seed: SegmentSeed(instance: header.instance, segment: number), file: file,
                from: SegmentHeader.bytes)
            while case .batch(let batch) = try cursor.next() { body(batch, records(of: batch, cursor)) }
        }
    }

    private func records(of batch: BatchHeader, _ cursor: SegmentCursor) -> [Placed] {
        cursor.withBatch { bytes, owner, ownerOffset in
            var walk = BatchWalk(
                bytes, owner: owner, ownerOffset: ownerOffset, segment: cursor.segment,
                batchOffset: cursor.batchOffset)
            var found: [Placed] = []
            for index in 0..<batch.records {
                guard let item = walk.next(), let record = try? walk.record(item)  // ignoring: it is missed
                else { break }
                let lsn = LogSequenceNumber(rawValue: batch.firstLSN.rawValue + UInt64(index))
                found.append(
                    (record, RecordPosition(lsn: lsn, span: item.span, time: batch.clocks.journal), item.type)
                )
            }
            return found
        }
    }

    @Test(arguments: ["v1"]) func aGoldenJournalIsReadAsItWasWritten(version: String) throws {
        let expected = String(
            decoding: try TextFile.bytes(of: "\(Self.fixtures)/\(version)/expected.txt"), as: UTF8.self)
        #expect(try described(try image(version)) == expected)
    }

    @Test(arguments: ["v1"]) func aGoldenJournalHoldsEveryKindOfRecordBatchAndBlock(version: String) throws {
        let storage = try image(version)
        var found: Set<UInt8> = []
        var kinds: Set<BatchHeader.Kind> = []
        try forEachBatch(of: storage) { batch, records in
            kinds.insert(batch.kind)
            for record in records { found.insert(record.type) }
        }
        #expect(found.isSuperset(of: RecordType.allCases.map(\.rawValue)))
        #expect(found.contains { $0 & ExtraFields.flag != 0 })
        #expect(kinds == [.records, .seal, .handover])
        let text = try described(storage)
        for kind in ["totals", "queue", "epoch", "task", "finished", "deduplication", "payload"] {
            #expect(text.contains("\n\(kind) "), "\(kind)")
        }
    }

    @Test(arguments: ["v1"]) func theIndependentReaderReadsAGoldenJournal(version: String) async throws {
        let script = "\(BuiltProducts.repositoryRoot())/Tests/JournalReader/read_journal.py"
        let reader = ProcessDescription(
            "/usr/bin/env", ["python3", "-B", script, "--tasks", "\(Self.fixtures)/\(version)"])
        let lines = try await ProcessFixture.with(reader) { process in
            let status = try await process.end(within: .seconds(60))
            #expect(status == .exited(0))
            return process.lines.map { $0.text + "\n" }.joined()
        }
        let expected = String(
            decoding: try TextFile.bytes(of: "\(Self.fixtures)/\(version)/tasks.txt"), as: UTF8.self)
        #expect(lines == expected)
    }

    /// Writes the golden files of the present version into the folder that `TASKQ_WRITE_GOLDEN` names; for
    /// the one time in a version's life when there are none.
    @Test(.enabled(if: getenv("TASKQ_WRITE_GOLDEN") != nil)) func goldenFilesAreWritten() throws {
        let folder = String(cString: try #require(getenv("TASKQ_WRITE_GOLDEN")))
        for seed in (1 as UInt64)... {
            let disk = SimulatedDisk(seed: 1)
            var life = try RandomLife(
                disk, options: JournalOptions(segmentBytes: 8 << 10), seed: seed, payloadBytesMax: 200)
            try life.begin()
            for _ in 0..<120 { try life.turn() }
            try life.journal.seal()
            try life.appendOneOfALaterVersion(to: disk)
            life.close()
            guard holdsEverything(disk) else { continue }
            let image = ImageStorage(disk)
            try disk.copy(to: "\(folder)/journal")
            unlink("\(folder)/journal/lock")
            try write(try described(image), to: "\(folder)/expected.txt")
            return
        }
    }

    private func holdsEverything(_ disk: SimulatedDisk) -> Bool {
        guard let text = try? described(ImageStorage(disk)) else { return false }  // ignoring: another seed
        let words = [
            "queue declared", "queue deleted", "queue pause", "accepted", "delivered", "released",
            "attempt failed", "completed", "dead-lettered", "parked", "unparked", "redriven", "cancelled",
            "purged", "history forgotten", "moved", "edited=no",
        ]
        let standings = ["leased receipt", " backing off", " parked ", " dead reason", "deduplication queue"]
        return words.allSatisfy { text.contains(" \($0)") } && standings.allSatisfy(text.contains)
            && text.contains("redriven") && text.contains("edited=0") && disk.checkpointNames.count == 2
    }

    private func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        #expect(descriptor >= 0)
        var bytes = Array(text.utf8)
        #expect(Glibc.write(descriptor, &bytes, bytes.count) == bytes.count)
        close(descriptor)
    }
}
