package import TaskModel

/// The durable log: takes facts, makes them durable in batches, and finds them again.
///
/// One owner on one thread. A turn is ``beginBatch(clocks:)``, for each output ``ensureRoom(for:)`` and then
/// ``stage(_:)`` for each of its records, and one ``commit()``. Reading needs no order. The slow work (making
/// the next segment, writing a checkpoint, reading a segment for compaction) is given out as values that
/// another thread runs.
package struct Journal: ~Copyable, Sendable {
    /// What opening found.
    package let recovery: RecoveryReport
    package let instance: JournalInstance
    /// The last LSN that is on disk; 0 before the first.
    package internal(set) var durableLSN: LogSequenceNumber
    /// The LSN that the next staged record gets.
    package internal(set) var nextLSN: LogSequenceNumber
    /// True if the last batch on disk is a seal, or there is none.
    package internal(set) var isSealed: Bool
    /// Staged records that ``commit()`` has not made durable.
    package internal(set) var stagedRecords = 0

    let storage: any JournalStorage
    let options: JournalOptions
    let lock: any JournalLock
    let files: SegmentFiles
    var active: ActiveSegment
    /// Every segment but the prepared ones; the active one's entry is brought up to date when it is left.
    var segments: [UInt32: SegmentRecord]
    /// Ascending; all behind the active segment.
    var prepared: [PreparedSegment]
    var highestNumber: UInt32
    var isPreparing = false
    /// CLOCK_BOOTTIME, milliseconds, before which no new try to make a segment is offered; the disk was full.
    var nextPreparation: UInt64 = 0
    /// The last try to make a segment found the disk full.
    package internal(set) var isFull = false
    /// The disk was full at two tries in a row: one alone may have been a moment's.
    package internal(set) var isStillFull = false

    var clocks: BatchClocks
    /// False if the machine was rebooted since the last batch: whoever held a lease is gone.
    package let isSameBoot: Bool
    /// The batch being staged, header first; empty if nothing is staged.
    var batch = EncodingBuffer(capacity: 1 << 20)
    /// What ended the journal's use.
    var failure: JournalError?

    /// Newest first, at most two.
    var checkpoints: [GoodCheckpoint]
    var staleCheckpoints: [CheckpointName]
    var isCheckpointing = false
    /// CLOCK_BOOTTIME, milliseconds, before which no checkpoint is due; the disk was full.
    var nextCheckpoint: UInt64 = 0
    var bytesSinceCheckpoint: Int
    /// What a backup reads now.
    var kept: KeptFiles?
    /// Bytes of records that were retained and not released.
    package internal(set) var liveBytes = 0

    /// Locks the directory, recovers, feeds `sink`, cuts a torn end, and makes everything that was fed
    /// durable.
    ///
    /// An empty or missing directory becomes a new journal.
    ///
    /// Afterwards the journal holds no place for live: tell it every live span with ``retain(_:)`` before the
    /// first ``beginCheckpoint()``.
    package static func open(
        storage: any JournalStorage,
        options: JournalOptions,
        clocks: RawClocks,
        sink: inout some JournalRecoverySink,
        progress: ((RecoveryProgress) -> Void)? = nil
    ) throws(JournalError) -> Journal {
        let lock = try storage.lock()
        let recovered = try Recovery.run(
            storage: storage, options: options, clocks: clocks, sink: &sink, progress: progress)
        return Journal(recovered, storage: storage, options: options, lock: lock, clocks: clocks)
    }

    private init(
        _ recovered: RecoveredJournal, storage: any JournalStorage, options: JournalOptions,
        lock: any JournalLock,
        clocks: RawClocks
    ) {
        recovery = recovered.report
        instance = recovered.instance
        nextLSN = recovered.nextLSN
        durableLSN = LogSequenceNumber(rawValue: recovered.nextLSN.rawValue - 1)
        isSealed = recovered.lastIsSeal
        self.storage = storage
        self.options = options
        self.lock = lock
        files = SegmentFiles(instance: recovered.instance)
        segments = [:]
        for segment in recovered.segments {
            files.insert(segment.file, number: segment.number)
            segments[segment.number] = SegmentRecord(
                madeBytes: segment.madeBytes, validBytes: segment.validBytes, chain: segment.chain,
                lastLSN: segment.lastLSN)
        }
        let last = recovered.segments[recovered.segments.count - 1]
        active = ActiveSegment(
            number: last.number, file: last.file, madeBytes: last.madeBytes, offset: last.validBytes,
            seed: last.seed,
            chain: last.chain)
        prepared = recovered.prepared
        highestNumber = recovered.prepared.last?.number ?? last.number
        checkpoints = recovered.checkpoints
        staleCheckpoints = recovered.staleCheckpoints
        bytesSinceCheckpoint = recovered.replayedBytes
        self.clocks = recovered.clocks.advanced(to: clocks)
        isSameBoot = recovered.clocks.raw.bootID == clocks.bootID
    }

    /// Lets the directory go.
    ///
    /// Seal first for a clean stop.
    package consuming func close() {}

    /// Journal time of the batch being staged, or of the last one.
    package var time: JournalTime { clocks.journal }

    func checkUsable() throws(JournalError) {
        if let failure { throw failure }
    }

    /// Remembers what ended the journal's use; nothing is written after it.
    mutating func fail(_ error: JournalError) -> JournalError {
        failure = failure ?? error
        return error
    }
}

/// The segment that batches are appended to.
struct ActiveSegment: Sendable {
    let number: UInt32
    let file: any JournalFile
    let madeBytes: Int
    /// Where the next batch begins.
    var offset: Int
    let seed: SegmentSeed
    var chain: UInt32
}

/// What is known of a segment that holds batches.
struct SegmentRecord: Hashable, Sendable {
    let madeBytes: Int
    var validBytes: Int
    var chain: UInt32
    var lastLSN: LogSequenceNumber
    var liveBytes = 0
    var liveRecords = 0
}
