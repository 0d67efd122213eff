import TaskModel

/// Everything that recovery hands over to the journal.
struct RecoveredJournal {
    let instance: JournalInstance
    /// All segments up to the one in use, ascending; the last is the one in use.
    let segments: [RecoveredSegment]
    let prepared: [PreparedSegment]
    let clocks: BatchClocks
    let nextLSN: LogSequenceNumber
    let lastIsSeal: Bool
    /// Newest first, at most two.
    let checkpoints: [GoodCheckpoint]
    /// Checkpoints that are bad, or older than those two.
    let staleCheckpoints: [CheckpointName]
    let replayedBytes: Int
    let report: RecoveryReport
}

struct RecoveredSegment {
    let number: UInt32
    let file: any JournalFile
    let madeBytes: Int
    let fileBytes: Int
    let seed: SegmentSeed
    /// Where the last good batch ends; after the header if there is none.
    var validBytes = SegmentHeader.bytes
    /// Zeros stand where the next batch would.
    var endIsZero = true
    var chain: UInt32 = 0
    /// 0 if the segment has no record.
    var lastLSN = LogSequenceNumber(rawValue: 0)
}

/// Opens a directory that holds a journal: restore from a checkpoint, replay, settle the end.
///
/// Idempotent: until the journal's end has been settled nothing is written, and settling only turns into
/// zeros what is no batch; a crash on the way leaves a journal from which the same is recovered.
struct Recovery {
    let storage: any JournalStorage
    let instance: JournalInstance
    /// False for a look that leaves everything as it is.
    let mayWrite: Bool
    /// The directory has the file that says which journal it holds.
    let isNamed: Bool
    var segments: [RecoveredSegment]
    /// Ascending.
    let checkpointNames: [CheckpointName]
    var checkpoints: [GoodCheckpoint] = []
    var staleCheckpoints: [CheckpointName] = []
    var report = RecoveryReport()

    var expected = LogSequenceNumber(rawValue: 1)
    var clocks: BatchClocks?
    var lastIsSeal = true
    /// Index of the segment in use: that of the last good batch, or the one that this hands over to.
    var tail = 0
    /// Index of the segment that holds the last good batch.
    var lastWritten = 0
    var replayedBytes = 0
    var progress: Progress

    /// Counts bytes for whoever shows a bar.
    struct Progress {
        let sink: ((RecoveryProgress) -> Void)?
        var done = 0
        var total = 0

        mutating func advance(by bytes: Int) {
            let before = done >> 24
            done += bytes
            if done >> 24 != before { sink?(RecoveryProgress(bytesDone: done, bytesTotal: max(done, total))) }
        }
    }

    static func run(
        storage: any JournalStorage, options: JournalOptions, clocks now: RawClocks,
        sink: inout some JournalRecoverySink, progress: ((RecoveryProgress) -> Void)?
    ) throws(JournalError) -> RecoveredJournal {
        var listing = try JournalListing(storage)
        guard !listing.isBackup else { throw .isBackup }
        for name in listing.unfinished { try storage.unlink(name) }
        let isNew = listing.isEmpty
        guard !isNew || listing.instances.isEmpty else { throw allIsMissing() }
        if isNew {
            try makeFirstSegment(storage, options)
            listing.segments = [1]
        }
        var recovery = try Recovery(storage, listing, mayWrite: true, progress: Progress(sink: progress))
        recovery.report.isNew = isNew
        try recovery.recover(into: &sink)
        return recovery.result(now: now)
    }

    /// What recovery would find and say, with nothing in the directory changed.
    static func inspect(
        _ storage: any JournalStorage, _ listing: JournalListing, sink: inout some JournalRecoverySink
    ) throws(JournalError) -> (report: RecoveryReport, contents: JournalContents) {
        var recovery = try Recovery(storage, listing, mayWrite: false, progress: Progress(sink: nil))
        try recovery.recover(into: &sink)
        return (recovery.report, recovery.contents)
    }

    /// What was used of the directory: everything that a copy of the journal needs.
    private var contents: JournalContents {
        let checkpoint = checkpoints.first
        let first = checkpoint?.segments.max() ?? 0
        return JournalContents(
            instance: instance, lastLSN: LogSequenceNumber(rawValue: expected.rawValue - 1),
            checkpoint: checkpoint.map { JournalName.checkpointFile($0.name) },
            segments: segments[...tail].filter {
                $0.number >= first || checkpoint?.segments.contains($0.number) == true
            }.map {
                JournalContents.Segment(
                    number: $0.number, madeBytes: $0.madeBytes, endBytes: $0.validBytes)
            })
    }

    /// The directory says that it holds a journal, and there is neither segment nor checkpoint.
    private static func allIsMissing() -> JournalError {
        .damaged(
            JournalDamage(
                .segmentMissing, segment: 1, offset: 0, firstLSN: LogSequenceNumber(rawValue: 1)))
    }

    private mutating func recover(into sink: inout some JournalRecoverySink) throws(JournalError) {
        if let checkpoint = try chooseCheckpoint() { try restore(checkpoint, into: &sink) }
        sink.finishRestore()
        try replay(into: &sink)
        try settleTail()
        report.lastLSN = LogSequenceNumber(rawValue: expected.rawValue - 1)
        report.lastJournalTime = clocks?.journal
        report.lastWallTime = clocks.map { WallTime(rawValue: $0.raw.wallMilliseconds) }
    }

    private static func makeFirstSegment(
        _ storage: any JournalStorage, _ options: JournalOptions
    ) throws(JournalError) {
        let instance = JournalInstance(rawValue: max(1, try storage.random()))
        let header = SegmentHeader(segment: 1, instance: instance, madeBytes: options.segmentBytes)
        switch SegmentPreparation(storage: storage, header: header).run() {
        case .prepared: return
        case .full: throw .full(neededBytes: options.segmentBytes)
        case .failed(let error): throw error
        }
    }

    /// Opens every segment and checks every header.
    ///
    /// Segments are made durable before they get their name, so that a header that is not whole is never what
    /// a crash left.
    private init(
        _ storage: any JournalStorage, _ listing: JournalListing, mayWrite: Bool, progress: Progress
    ) throws(JournalError) {
        var found: JournalInstance?
        var segments: [RecoveredSegment] = []
        for number in listing.segments {
            let name = JournalName.segmentFile(number: number)
            let file = try storage.open(name, forWriting: mayWrite)
            let header = try Self.header(of: file, number: number)
            if let found, found != header.instance { throw .foreignFile(file: name) }
            found = header.instance
            let size = try file.size()
            guard size <= header.madeBytes else {
                throw Self.wrongLength(number, found: size, made: header.madeBytes)
            }
            segments.append(
                RecoveredSegment(
                    number: number, file: file, madeBytes: header.madeBytes, fileBytes: size,
                    seed: SegmentSeed(instance: header.instance, segment: number)))
        }
        guard let found else {
            guard !listing.checkpoints.isEmpty else { throw Self.allIsMissing() }
            // Checkpoints and no segment at all.
            let covered = listing.checkpoints.last?.covered ?? LogSequenceNumber(rawValue: 0)
            throw .damaged(
                JournalDamage(
                    .segmentMissing, segment: 1, offset: 0, firstLSN: LogSequenceNumber(rawValue: 1),
                    lastLSN: covered))
        }
        for other in listing.instances where other != found {
            throw .foreignFile(file: JournalName.instanceFile(other))
        }
        isNamed = !listing.instances.isEmpty
        self.storage = storage
        self.instance = found
        self.segments = segments
        self.mayWrite = mayWrite
        checkpointNames = listing.checkpoints
        self.progress = progress
    }

    static func header(of file: any JournalFile, number: UInt32) throws(JournalError) -> SegmentHeader {
        let name = JournalName.segmentFile(number: number)
        let bytes = try file.bytes(SegmentHeader.bytes, at: 0)
        var version: UInt32 = 0
        guard let header = bytes.withUnsafeBytes({ SegmentHeader($0, version: &version) }) else {
            throw .damaged(
                JournalDamage(
                    .segmentHeader, segment: number, offset: 0, firstLSN: LogSequenceNumber(rawValue: 0)))
        }
        guard version == SegmentHeader.version else {
            throw .unsupportedVersion(file: name, version: version)
        }
        guard header.segment == number else { throw .foreignFile(file: name) }
        return header
    }

    static func wrongLength(_ number: UInt32, found: Int, made: Int) -> JournalError {
        .damaged(
            JournalDamage(
                .segmentLength(found: found, made: made), segment: number, offset: found,
                firstLSN: LogSequenceNumber(rawValue: 0)))
    }

    private func result(now: RawClocks) -> RecoveredJournal {
        RecoveredJournal(
            instance: instance, segments: Array(segments[...tail]),
            prepared: segments[(tail + 1)...].map {
                PreparedSegment(number: $0.number, file: $0.file, madeBytes: $0.madeBytes)
            },
            clocks: clocks ?? BatchClocks(first: now), nextLSN: expected, lastIsSeal: lastIsSeal,
            checkpoints: checkpoints, staleCheckpoints: staleCheckpoints, replayedBytes: replayedBytes,
            report: report)
    }
}
