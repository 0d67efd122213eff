import Journal
import TaskModel

/// Clocks of a test: one boot, both clocks at the same pace.
func clocks(_ milliseconds: UInt64, boot: UInt64 = 1) -> RawClocks {
    RawClocks(
        boottimeMilliseconds: milliseconds, wallMilliseconds: 1_700_000_000_000 + milliseconds, bootID: boot)
}

func taskID(_ number: UInt64) -> TaskID {
    TaskID(unixMilliseconds: 1_700_000_000_000, random: (0, number))
}

func accepted(_ number: UInt64, payload: [UInt8]) -> JournalRecord {
    .accepted(
        AcceptedTask(
            queue: QueueNumber(rawValue: 1), id: taskID(number), sequence: TaskSequence(rawValue: number),
            group: "",
            deduplication: nil, traceparent: [], payload: payload[...]))
}

/// Bytes that tell tasks apart and are never zero.
func payload(of number: UInt64, count: Int = 100) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number &* 31 &+ UInt64($0) &* 7) | 1 }
}

func completed(_ number: UInt64, receipt: UInt64 = 1) -> JournalRecord {
    let summary = FinishedSummary(
        queue: QueueNumber(rawValue: 1), sequence: TaskSequence(rawValue: number), group: "",
        finishedAt: WallTime(rawValue: 5), receives: 1, history: [])
    return .completed(
        Completion(
            id: taskID(number), receipt: LogSequenceNumber(rawValue: receipt), summary: summary, result: [],
            resultError: ""))
}

/// Everything that recovery said, in order.
struct Collector: JournalRecoverySink {
    var snapshot: [SnapshotRecord] = []
    var payloads: [(task: AcceptedTask, span: RecordSpan)] = []
    var finishes = 0
    var applied: [(record: JournalRecord, position: RecordPosition)] = []

    mutating func restore(_ record: SnapshotRecord) { snapshot.append(record) }
    mutating func restorePayload(_ task: AcceptedTask, span: RecordSpan) { payloads.append((task, span)) }
    mutating func finishRestore() { finishes += 1 }
    mutating func apply(_ record: JournalRecord, at position: RecordPosition) {
        applied.append((record, position))
    }

    var records: [JournalRecord] { applied.map(\.record) }
}

extension Journal {
    /// Small segments, so that a short story passes through several.
    static let small = JournalOptions(segmentBytes: 16 << 10)

    static func open(
        _ storage: any JournalStorage, at milliseconds: UInt64 = 0, options: JournalOptions = Journal.small
    ) throws(JournalError) -> Journal {
        var sink = Collector()
        return try open(storage: storage, options: options, clocks: clocks(milliseconds), sink: &sink)
    }

    /// One turn with these records as one output.
    @discardableResult
    mutating func write(_ records: [JournalRecord], at milliseconds: UInt64 = 0) throws(JournalError)
        -> [RecordPosition]
    {
        beginBatch(clocks: clocks(milliseconds))
        try ensureRoom(for: records)
        var positions: [RecordPosition] = []
        for record in records { positions.append(try stage(record)) }
        try commit()
        return positions
    }
}

/// What the journal on a disk tells its next owner.
func recovered(
    _ storage: any JournalStorage, options: JournalOptions = Journal.small
) throws(JournalError) -> (sink: Collector, report: RecoveryReport) {
    var sink = Collector()
    let journal = try Journal.open(storage: storage, options: options, clocks: clocks(0), sink: &sink)
    return (sink, journal.recovery)
}

/// The error that `body` ends with.
func failure(of body: () throws(JournalError) -> Void) -> JournalError? {
    do throws(JournalError) {
        try body()
        return nil
    } catch {
        return error
    }
}

let firstSegment = "0000000000000001.segment"
