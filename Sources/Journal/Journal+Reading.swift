package import TaskModel

extension Journal {
    /// Reads a record, staged or committed, its checksum verified.
    ///
    /// May wait for the disk.
    package func read(_ span: RecordSpan) throws(JournalError) -> StoredRecord {
        if let staged = try readStaged(span) { return staged }
        return try reader.read(span)
    }

    /// As ``read(_:)``, but nil where the disk would be waited for: give ``reader`` to another thread then.
    package func tryRead(_ span: RecordSpan) throws(JournalError) -> StoredRecord? {
        if let staged = try readStaged(span) { return staged }
        return try files.read(span, waiting: false)
    }

    /// Asks for a record to be brought into the cache.
    package func prefetch(_ span: RecordSpan) {
        files.file(span.segment)?.prefetch(Int(span.length), at: Int(span.offset))
    }

    /// Reads committed records from any thread.
    package var reader: JournalReader { JournalReader(files: files) }

    private func readStaged(_ span: RecordSpan) throws(JournalError) -> StoredRecord? {
        guard stagedRecords > 0, span.segment == active.number, Int(span.offset) >= active.offset else {
            return nil
        }
        let start = Int(span.offset) - active.offset
        guard start + Int(span.length) <= batch.count else { throw .damagedRecord(span) }
        let bytes = UnsafeRawBufferPointer(rebasing: batch.bytes[start..<start + Int(span.length)])
        return try files.decode([UInt8](copying: bytes), span)
    }
}
