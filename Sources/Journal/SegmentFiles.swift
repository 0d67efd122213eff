import Synchronization
package import TaskModel

/// The open segment files, shared by the journal and its readers on other threads.
final class SegmentFiles: Sendable {
    private let instance: JournalInstance
    private let files = Mutex<[UInt32: any JournalFile]>([:])

    init(instance: JournalInstance) {
        self.instance = instance
    }

    func insert(_ file: any JournalFile, number: UInt32) {
        files.withLock { $0[number] = file }
    }

    /// A reader that has the file already keeps it until it is done.
    func remove(_ number: UInt32) {
        files.withLock { $0[number] = nil }
    }

    func file(_ number: UInt32) -> (any JournalFile)? {
        files.withLock { $0[number] }
    }

    func seed(_ number: UInt32) -> SegmentSeed { SegmentSeed(instance: instance, segment: number) }

    /// Reads one record.
    ///
    /// `waiting` false gives nil instead of waiting for the disk.
    func read(_ span: RecordSpan, waiting: Bool) throws(JournalError) -> StoredRecord? {
        guard let file = file(span.segment) else { throw .gone(span) }
        guard span.length >= RecordFrame.headerBytes else { throw .damagedRecord(span) }
        let count = Int(span.length)
        if waiting { return try decode(try file.bytes(count, at: Int(span.offset)), span) }
        var isThere = true
        var failure: JournalError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = 0
            do throws(JournalError) {
                let found = try file.tryRead(
                    into: UnsafeMutableRawBufferPointer(buffer), at: Int(span.offset))
                // Less than asked for: the rest is not in the cache, or not in the file. The waiting read
                // tells which.
                isThere = found == count
                initialized = found ?? 0
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return isThere ? try decode(bytes, span) : nil
    }

    func decode(_ bytes: [UInt8], _ span: RecordSpan) throws(JournalError) -> StoredRecord {
        guard let record = RecordFrame.record(in: bytes, seed: seed(span.segment), at: Int(span.offset))
        else {
            throw .damagedRecord(span)
        }
        return StoredRecord(record)
    }
}

/// Reads committed records from any thread.
package struct JournalReader: Sendable {
    let files: SegmentFiles

    /// May wait for the disk.
    ///
    /// ``JournalError/gone(_:)`` if the segment was deleted meanwhile, because nothing lives there.
    package func read(_ span: RecordSpan) throws(JournalError) -> StoredRecord {
        guard let record = try files.read(span, waiting: true) else { throw .damagedRecord(span) }
        return record
    }
}
