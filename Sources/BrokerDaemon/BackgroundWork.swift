package import Journal
package import QueueStateMachine
package import TaskModel

/// Work that would hold up the turn: it goes out as a value and comes back as one.
package enum BackgroundJob: Sendable {
    case prepareSegment(SegmentPreparation)
    case writeCheckpoint(CheckpointJob, of: QueueStateMachine)
    case read(RecordSpan, from: JournalReader)
    case scan(SegmentScan)

    /// Bytes of a segment that one scan step reads.
    package static let scanBytes = 1 << 20

    package func run() -> BackgroundResult {
        switch self {
        case .prepareSegment(let preparation):
            return .segmentPrepared(preparation.run())
        case .writeCheckpoint(let job, let state):
            return .checkpointWritten(Self.write(job, state))
        case .read(let span, let reader):
            do {
                return .read(span, .success(try reader.read(span)))
            } catch {
                return .read(span, .failure(error))
            }
        case .scan(var scan):
            do {
                let items = try scan.next(bytes: Self.scanBytes)
                return .scanned(scan, .success(items))
            } catch {
                return .scanned(scan, .failure(error))
            }
        }
    }

    private static func write(_ job: CheckpointJob, _ state: QueueStateMachine) -> CheckpointResult {
        var payloads: [RecordSpan] = []
        state.forEachPayload { payloads.append($0) }
        var records: [SnapshotRecord] = []
        state.forEachSnapshotRecord { records.append($0) }
        return job.write(livePayloads: payloads, records: records)
    }
}

package enum BackgroundResult: Sendable {
    case segmentPrepared(SegmentPreparation.Result)
    case checkpointWritten(CheckpointResult)
    case read(RecordSpan, Result<StoredRecord, JournalError>)
    case scanned(SegmentScan, Result<[SegmentScan.Item]?, JournalError>)
}

/// Where background jobs run.
///
/// Conformers: ``BackgroundThread`` and the simulation, which finishes them when its seed says.
package protocol BackgroundWork {
    mutating func submit(_ job: BackgroundJob)
    /// What has finished since the last call, in the order of finishing.
    mutating func takeResults() -> [BackgroundResult]
}
