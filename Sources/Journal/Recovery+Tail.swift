import TaskModel

extension Recovery {
    /// Decides what the bytes behind the last good batch are, cuts a torn end, and makes what was read
    /// durable.
    ///
    /// A batch is written only after the sync of the one before. So a good batch, a checkpoint or a seal that
    /// stands later shows that a bad one was durable: that is damage. Bad bytes with nothing good behind them
    /// are torn.
    mutating func settleTail() throws(JournalError) {
        try expectEvidenceMet()
        var torn: [(index: Int, end: Int)] = []
        for index in segments.indices where index < tail && !segments[index].endIsZero {
            report.warnings.append(
                .strayBytes(segment: segments[index].number, offset: segments[index].validBytes))
        }
        for index in tail..<segments.count {
            let segment = segments[index]
            let probe = try SegmentTail.probe(
                segment.file, segment: segment.number, madeBytes: segment.madeBytes, seed: segment.seed,
                from: segment.validBytes, expecting: expected)
            switch probe {
            case .clean:
                break
            case .torn(let end):
                torn.append((index, end))
            case .batchBehind(let firstLSN):
                let last = firstLSN > expected ? LogSequenceNumber(rawValue: firstLSN.rawValue - 1) : nil
                throw damage(.batch, index, segment.validBytes, from: expected, to: last)
            }
        }
        for index in segments.indices
        where index < tail && segments[index].fileBytes < segments[index].madeBytes {
            throw Self.wrongLength(
                segments[index].number, found: segments[index].fileBytes, made: segments[index].madeBytes)
        }
        report.wasSealed = lastIsSeal
        for (index, end) in torn { warnOfTear(index, end: end) }
        guard mayWrite else { return }
        for (index, end) in torn { try cut(index, end: end) }
        for index in tail..<segments.count { try extendToMadeLength(index) }
        // W4: replay may have seen bytes that were only in the cache. Nobody is answered from them before
        // this.
        try segments[lastWritten].file.sync()
        if tail != lastWritten { try segments[tail].file.sync() }
        // A segment whose name was not yet durable may be used from now on.
        try storage.syncDirectory()
        guard !isNamed else { return }
        // From here on an empty directory with this name is a loss and not a beginning: not before the
        // segments' own names are durable.
        _ = try storage.create(JournalName.instanceFile(instance))
        try storage.syncDirectory()
    }

    /// A checkpoint, good or bad, was written only after the records that its name covers were durable.
    private func expectEvidenceMet() throws(JournalError) {
        guard let covered = checkpointNames.last?.covered, covered >= expected else { return }
        throw damage(.tailMissing, tail, segments[tail].validBytes, from: expected, to: covered)
    }

    private mutating func warnOfTear(_ index: Int, end: Int) {
        let segment = segments[index]
        report.warnings.append(
            .tornTailCut(
                segment: segment.number, offset: segment.validBytes, bytes: end - segment.validBytes,
                firstLSN: expected))
    }

    private mutating func cut(_ index: Int, end: Int) throws(JournalError) {
        let segment = segments[index]
        try writeZeros(segment.file, from: segment.validBytes, to: end)
        segments[index].endIsZero = true
    }

    private mutating func extendToMadeLength(_ index: Int) throws(JournalError) {
        let segment = segments[index]
        guard segment.fileBytes < segment.madeBytes else { return }
        report.warnings.append(.lastSegmentExtended(segment: segment.number, fromBytes: segment.fileBytes))
        try writeZeros(segment.file, from: segment.fileBytes, to: segment.madeBytes)
    }

    private func writeZeros(_ file: any JournalFile, from start: Int, to end: Int) throws(JournalError) {
        var zeros = EncodingBuffer(capacity: min(end - start, SegmentCursor.chunkBytes))
        zeros.putZeros(min(end - start, SegmentCursor.chunkBytes))
        var offset = start
        while offset < end {
            let count = min(zeros.count, end - offset)
            try file.writeFully(UnsafeRawBufferPointer(rebasing: zeros.bytes[..<count]), at: offset)
            offset += count
        }
        try file.sync()
    }
}
