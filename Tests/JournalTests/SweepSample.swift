import TaskModel

@testable import Journal

/// One segment filled by batches of many sizes, and what recovery makes of any image of it.
struct SweepSample {
    static let segmentBytes = 64 << 10
    let storage: ImageStorage
    let listing: JournalListing
    /// Where each batch with records ends, and how many records there are up to there.
    let ends: [(offset: Int, records: Int)]
    /// Id and payload checksum of each task, in their order.
    let tasks: [Known]

    struct Known: Equatable {
        let id: TaskID
        let checksum: UInt32
    }

    /// With `sealed`, an empty batch at the end shows that the last one was durable.
    init(sealed: Bool, bytes: Int = segmentBytes) throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk, options: JournalOptions(segmentBytes: bytes))
        var ends: [(offset: Int, records: Int)] = []
        var tasks: [Known] = []
        for size in [1, 4_000, 300, 9_000, 12_000, 100, 15_000, 700, 8_000, 2_500, 5_000, 1_200, 3_000] {
            var records: [JournalRecord] = []
            for _ in 0..<(size < 1_000 ? 3 : 1) {
                let number = UInt64(tasks.count + 1)
                let bytes = payload(of: number, count: size)
                records.append(accepted(number, payload: bytes))
                tasks.append(
                    Known(id: taskID(number), checksum: bytes.withUnsafeBytes { Checksum.crc32c($0) }))
            }
            let span = try journal.write(records)[records.count - 1].span
            guard span.segment == 1 else { break }
            ends.append((Int(span.offset + span.length), tasks.count))
        }
        if sealed { try journal.seal() }
        journal.close()
        storage = ImageStorage(disk)
        listing = try JournalListing(storage)
        self.ends = ends
        self.tasks = tasks
    }

    var image: [UInt8] { storage[firstSegment] }
    /// Where the last batch with records ends.
    var end: Int { ends[ends.count - 1].offset }
    /// Where the last batch with records begins.
    var lastBatch: Int { ends[ends.count - 2].offset }
    func recordsBefore(_ offset: Int) -> Int { ends.last { $0.offset <= offset }?.records ?? 0 }
    func endsBatch(_ offset: Int) -> Bool { offset == 64 || ends.contains { $0.offset == offset } }

    enum Verdict: Equatable {
        /// The first so many tasks, each as it was posted, and whether a torn end was cut with a warning.
        case opened(Int, isTorn: Bool)
        /// Refused as damaged.
        case refused
        /// A task that was never posted so, or an end that is no verdict.
        case wrong(String)
    }

    /// What recovery finds in the image as it is now.
    func look() -> Verdict {
        var sink = Sink(tasks: tasks)
        do throws(JournalError) {
            let report = try Recovery.inspect(storage, listing, sink: &sink).report
            if let wrong = sink.wrong { return .wrong(wrong) }
            let isTorn = report.warnings.contains { if case .tornTailCut = $0 { true } else { false } }
            return .opened(sink.count, isTorn: isTorn)
        } catch {
            if let wrong = sink.wrong { return .wrong(wrong) }
            return error.isDamage ? .refused : .wrong("\(error)")
        }
    }

    private struct Sink: JournalRecoverySink {
        let tasks: [Known]
        var count = 0
        var wrong: String?

        mutating func restore(_ record: SnapshotRecord) {}
        mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) {}
        mutating func finishRestore() {}
        mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
            guard case .accepted(let task) = record, count < tasks.count, task.id == tasks[count].id,
                task.payload.withUnsafeBytes({ Checksum.crc32c($0) }) == tasks[count].checksum
            else {
                wrong = wrong ?? "record \(count + 1) is not what was written"
                return
            }
            count += 1
        }
    }
}
