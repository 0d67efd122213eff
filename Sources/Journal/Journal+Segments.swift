package import TaskModel

extension Journal {
    /// How long a full disk is left alone before the next try, milliseconds.
    static let fullDiskPause: UInt64 = 1_000

    /// Leaves the active segment for the next prepared one that holds a batch of so many bytes, and says so
    /// at its end; makes one where there is none, which takes as long as writing it.
    ///
    /// Nothing may be staged.
    mutating func beginSegment(holding bytes: Int) throws(JournalError) {
        precondition(stagedRecords == 0, "a segment was left with records staged")
        let needed = SegmentHeader.bytes + bytes + Self.endBytes
        let next: PreparedSegment
        if let index = prepared.firstIndex(where: { $0.madeBytes >= needed }) {
            next = prepared[index]
        } else {
            next = try makeSegment(holding: needed)
        }
        try handOver(to: next.number)
        let passedOver = prepared.filter { $0.number < next.number }
        prepared.removeAll { $0.number <= next.number }
        var record = segments[active.number] ?? SegmentRecord(active)
        record.validBytes = active.offset
        record.chain = active.chain
        record.lastLSN = durableLSN
        segments[active.number] = record
        let seed = files.seed(next.number)
        active = ActiveSegment(
            number: next.number, file: next.file, madeBytes: next.madeBytes, offset: SegmentHeader.bytes,
            seed: seed,
            chain: 0)
        segments[next.number] = SegmentRecord(active)
        files.insert(next.file, number: next.number)
        for segment in passedOver { try discard(segment) }
    }

    private mutating func makeSegment(holding needed: Int) throws(JournalError) -> PreparedSegment {
        // A full disk is tried again by the thread that prepares segments: a turn must not write one in vain.
        guard !isFull else { throw .full(neededBytes: needed) }
        let made = max(options.segmentBytes, needed)
        switch preparation(madeBytes: made).run() {
        case .prepared(let segment):
            return segment
        case .full:
            becomeFull()
            throw .full(neededBytes: needed)
        case .failed(let error):
            throw fail(error)
        }
    }

    private mutating func preparation(madeBytes: Int) -> SegmentPreparation {
        highestNumber += 1
        let header = SegmentHeader(segment: highestNumber, instance: instance, madeBytes: madeBytes)
        return SegmentPreparation(storage: storage, header: header)
    }

    /// A segment that was made but cannot be used in its order any more, or whose space is needed.
    mutating func discard(_ segment: PreparedSegment) throws(JournalError) {
        do throws(JournalError) {
            try storage.unlink(JournalName.segmentFile(number: segment.number))
            try storage.syncDirectory()
        } catch {
            throw fail(error)
        }
    }

    /// A segment to be made by another thread, or nil.
    ///
    /// One at a time; hand the result to ``adopt(_:)``.
    package mutating func preparationNeeded(clocks now: RawClocks) -> SegmentPreparation? {
        // While the disk is full, one more than wanted tells when it is not full any more.
        guard failure == nil, !isPreparing, isFull || prepared.count < options.preparedSegmentsWanted,
            now.boottimeMilliseconds >= nextPreparation
        else { return nil }
        // Set in advance for the case that the disk is full; a segment that gets made clears it.
        nextPreparation = now.boottimeMilliseconds + Self.fullDiskPause
        isPreparing = true
        return preparation(madeBytes: options.segmentBytes)
    }

    /// Takes the outcome of a preparation.
    ///
    /// A full disk is no failure: see ``isFull``.
    package mutating func adopt(_ result: SegmentPreparation.Result) throws(JournalError) {
        isPreparing = false
        switch result {
        case .prepared(let segment):
            isFull = false
            isStillFull = false
            nextPreparation = 0
            // The journal could not wait for it and made a later one.
            guard segment.number > active.number else { return try discard(segment) }
            insertPrepared(segment)
        case .full:
            becomeFull()
        case .failed(let error):
            throw fail(error)
        }
    }

    mutating func becomeFull() {
        isStillFull = isFull
        isFull = true
        endBackup()
    }

    /// Bytes that can still be staged in segments that exist.
    package var availableBytes: Int {
        let used = active.offset + max(batch.count, BatchHeader.bytes) + Self.endBytes
        return prepared.reduce(max(0, active.madeBytes - used)) { sum, segment in
            sum + segment.madeBytes - SegmentHeader.bytes - BatchHeader.bytes - Self.endBytes
        }
    }

    /// Whether posts that take so many bytes may be taken without touching the reserve for acks, dead-letter
    /// moves and compaction.
    ///
    /// Always, unless the disk is full: the last room for answers is only entered when another segment was
    /// made, which takes as long as writing it.
    package mutating func acceptsPosts(ofBytes bytes: Int) throws(JournalError) -> Bool {
        if !isFull, availableBytes - bytes < options.answerBytes {
            do throws(JournalError) {
                let needed = SegmentHeader.bytes + BatchHeader.bytes + bytes + Self.endBytes
                insertPrepared(try makeSegment(holding: needed))
            } catch {
                guard case .full = error else { throw error }
            }
        }
        return !isFull || availableBytes - bytes >= options.reserveBytes
    }

    /// In its order: one may be in the making on another thread with an earlier number.
    private mutating func insertPrepared(_ segment: PreparedSegment) {
        let index = prepared.firstIndex { $0.number > segment.number } ?? prepared.count
        prepared.insert(segment, at: index)
    }

    package var segmentCount: Int { segments.count + prepared.count }

    /// Bytes of all segment files.
    package var diskBytes: Int {
        let held = segments.values.reduce(0) { $0 + $1.madeBytes }
        return prepared.reduce(held) { $0 + $1.madeBytes }
    }

    /// A record is needed from now on; keeps its segment.
    package mutating func retain(_ span: RecordSpan) {
        account(CollectionOfOne(span), sign: 1)
    }

    /// A record that was retained is needed no more.
    package mutating func release(_ span: RecordSpan) {
        account(CollectionOfOne(span), sign: -1)
    }

    /// As ``retain(_:)`` for each; cheap where neighbours lie in one segment.
    package mutating func retain(_ spans: [RecordSpan]) { account(spans, sign: 1) }
    /// As ``release(_:)`` for each; cheap where neighbours lie in one segment.
    package mutating func release(_ spans: [RecordSpan]) { account(spans, sign: -1) }

    private mutating func account(_ spans: some Collection<RecordSpan>, sign: Int) {
        var rest = spans[...]
        while let segment = rest.first?.segment {
            var bytes = 0
            var records = 0
            while let span = rest.first, span.segment == segment {
                bytes += Int(span.length)
                records += 1
                rest.removeFirst()
            }
            segments[segment]?.liveBytes += sign * bytes
            segments[segment]?.liveRecords += sign * records
            liveBytes += sign * bytes
        }
    }
}

extension SegmentRecord {
    init(_ active: ActiveSegment) {
        self.init(
            madeBytes: active.madeBytes, validBytes: active.offset, chain: active.chain,
            lastLSN: LogSequenceNumber(rawValue: 0))
    }
}
