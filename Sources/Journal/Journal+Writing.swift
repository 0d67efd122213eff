package import TaskModel

extension Journal {
    /// Fixes the clocks of the batch, once per turn, before anything is staged.
    ///
    /// A turn that stages nothing writes nothing.
    @discardableResult
    package mutating func beginBatch(clocks now: RawClocks) -> JournalTime {
        clocks = clocks.advanced(to: now)
        return clocks.journal
    }

    /// Makes sure that the records of one output land in one batch: if they do not fit behind what is staged,
    /// that is written and synced first, and the next segment begun where needed.
    ///
    /// Throws ``JournalError/full(neededBytes:)`` where no segment can be made.
    package mutating func ensureRoom(for records: [JournalRecord]) throws(JournalError) {
        var bytes = 0
        for record in records { bytes += Self.encodedBytesMax(record) }
        try ensureRoom(bytes: bytes)
    }

    /// As ``ensureRoom(for:)`` for so many encoded bytes, see ``encodedBytesMax(_:)``.
    package mutating func ensureRoom(bytes: Int) throws(JournalError) {
        try checkUsable()
        let alone = BatchHeader.bytes + bytes
        guard alone <= JournalOptions.batchBytesMax else {
            throw .tooLarge(bytes: bytes, maximum: JournalOptions.batchBytesMax - BatchHeader.bytes)
        }
        if stagedRecords > 0 {
            if batch.count + bytes <= roomForBatch, stagedRecords < BatchHeader.recordsMax / 2 { return }
            try commit()
        }
        if alone > roomForBatch { try beginSegment(holding: alone) }
    }

    /// Bytes that the batch being staged may grow to.
    private var roomForBatch: Int {
        min(active.madeBytes - active.offset - Self.endBytes, JournalOptions.batchBytesMax)
    }

    /// What a segment keeps for its end, so that neither ever needs another segment: a seal and the handover.
    static var endBytes: Int { BatchHeader.bytes + BatchHeader.handoverBytes }

    /// Encodes a record into the batch at its final place.
    ///
    /// Room must have been ensured: a record without room traps.
    package mutating func stage(_ record: JournalRecord) throws(JournalError) -> RecordPosition {
        try checkUsable()
        if stagedRecords == 0 {
            batch.removeAll()
            batch.putZeros(BatchHeader.bytes)
        }
        let offset = active.offset + batch.count
        let length = RecordFrame.put(record, to: &batch, seed: active.seed, at: offset)
        guard length > 0 else {
            throw .tooLarge(bytes: Self.encodedBytesMax(record), maximum: RecordFrame.bodyBytesMax)
        }
        precondition(batch.count <= roomForBatch, "a record was staged without room for it")
        let span = RecordSpan(
            segment: active.number, offset: UInt32(truncatingIfNeeded: offset),
            length: UInt32(truncatingIfNeeded: length))
        let position = RecordPosition(lsn: nextLSN, span: span, time: clocks.journal)
        nextLSN = LogSequenceNumber(rawValue: nextLSN.rawValue + 1)
        stagedRecords += 1
        return position
    }

    /// Writes and syncs what is staged; nothing if that is nothing.
    ///
    /// Only now may anyone learn of it.
    package mutating func commit() throws(JournalError) {
        try checkUsable()
        guard stagedRecords > 0 else { return }
        try writeBatch(.records)
    }

    /// Writes and syncs an empty batch which shows that the one before was durable; nothing if the last one
    /// is a seal.
    ///
    /// For a clean stop, and 100 ms after the last commit. Nothing may be staged.
    package mutating func seal() throws(JournalError) {
        try checkUsable()
        precondition(stagedRecords == 0, "sealed with records staged")
        guard !isSealed else { return }
        batch.removeAll()
        batch.putZeros(BatchHeader.bytes)
        try writeBatch(.seal)
    }

    /// Ends the active segment: from now on the journal is not whole without segment `next`, which must be
    /// durable.
    mutating func handOver(to next: UInt32) throws(JournalError) {
        batch.removeAll()
        batch.putZeros(BatchHeader.bytes)
        batch.put(next)
        batch.put(UInt32(0))
        try writeBatch(.handover)
    }

    private mutating func writeBatch(_ kind: BatchHeader.Kind) throws(JournalError) {
        let header = BatchHeader(
            length: batch.count, records: stagedRecords, kind: kind, segment: active.number,
            firstLSN: LogSequenceNumber(rawValue: nextLSN.rawValue - UInt64(stagedRecords)),
            watermark: durableLSN,
            clocks: clocks)
        let checksum = header.fill(&batch, seed: active.seed.batch(at: active.offset))
        do throws(JournalError) {
            try active.file.writeFully(batch.bytes, at: active.offset)
            try active.file.sync()
        } catch {
            throw fail(error)
        }
        active.offset += batch.count
        active.chain = Checksum.chained(active.chain, checksum)
        bytesSinceCheckpoint += batch.count
        durableLSN = LogSequenceNumber(rawValue: nextLSN.rawValue - 1)
        stagedRecords = 0
        isSealed = kind != .records
        batch.removeAll()
    }

    /// An upper bound, in bytes, of what a record takes in a batch.
    package static func encodedBytesMax(_ record: JournalRecord) -> Int {
        let fixed = 192
        switch record {
        case .accepted(let task): return fixed + bytes(of: task)
        case .delivered(let delivery): return fixed + delivery.worker.utf8.count
        case .attemptFailed(let failure): return fixed + failure.history.count
        case .completed(let completion):
            return fixed + bytes(of: completion.summary) + completion.result.count
                + completion.resultError.utf8.count
        case .deadLettered(let dead): return fixed + bytes(of: dead.summary)
        case .parked(let parking): return fixed + parking.history.count
        case .redriven(let redrive): return fixed + (redrive.edited.map(bytes) ?? 0)
        case .cancelled(let cancellation):
            return fixed + bytes(of: cancellation.summary) + cancellation.actor.utf8.count
        case .moved(let moved): return fixed + moved.original.count
        case .queueDeclared(let declaration): return fixed + declaration.name.utf8.count
        case .queuePauseChanged(let change): return fixed + change.actor.utf8.count + change.reason.utf8.count
        case .queueDeleted, .released, .unparked, .purged, .historyForgotten: return fixed
        }
    }

    private static func bytes(of task: AcceptedTask) -> Int {
        task.group.utf8.count + task.traceparent.count + task.payload.count
    }

    private static func bytes(of summary: FinishedSummary) -> Int {
        summary.group.utf8.count + summary.history.count
    }
}
