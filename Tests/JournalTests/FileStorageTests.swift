import Glibc
import TaskModel
import TestSupport
import Testing

@testable import Journal

/// The journal on real files.
@Suite struct FileStorageTests {
    @Test func aJournalInAMissingDirectoryIsMadeWithItsParentsAndFoundAgain() throws {
        try TemporaryDirectory.with { directory in
            let path = directory.path("a/b/journal")
            var broker = try ModelBroker(FileStorage(directory: path))
            for number in 1...50 as ClosedRange<UInt64> {
                try broker.turn([[accepted(number, payload: payload(of: number, count: 1_000))]])
                if number % 3 == 0 { try broker.turn([[completed(number)]]) }
                try broker.background()
            }
            try broker.journal.seal()
            let meaning = broker.queue.meaning
            broker.close()
            let again = try ModelBroker(FileStorage(directory: path))
            let report = again.journal.recovery
            #expect(again.queue.meaning == meaning)
            #expect(report.wasSealed)
            #expect(report.warnings.isEmpty)
            #expect(report.checkpointLSN.rawValue > 0)
            for (id, span) in again.queue.waiting {
                let waited = try again.journal.read(span).task?.id
                let tried = try again.journal.tryRead(span)?.task?.id
                #expect(waited == id)
                #expect(tried == id || tried == nil)
            }
        }
    }

    @Test func aSegmentFileCutShortIsFilledUpAndItsWholeBatchesStay() throws {
        try TemporaryDirectory.with { directory in
            let storage = FileStorage(directory: directory.path("journal"))
            var journal = try Journal.open(storage)
            for number in 1...5 as ClosedRange<UInt64> {
                try journal.write([accepted(number, payload: payload(of: number, count: 1_000))])
            }
            journal.close()
            let file = try storage.open(firstSegment, forWriting: true)
            try file.truncate(to: 64 + 4_000)
            let (sink, report) = try recovered(storage)
            #expect(sink.records.count == 3)
            #expect(report.warnings.contains(.lastSegmentExtended(segment: 1, fromBytes: 4_064)))
            #expect(try file.size() == 16 << 10)
        }
    }

    @Test func aSecondOpenIsRefusedAndNamesTheHolder() throws {
        try TemporaryDirectory.with { directory in
            let storage = FileStorage(directory: directory.path("journal"))
            let journal = try Journal.open(storage)
            let refused = failure { () throws(JournalError) in _ = try Journal.open(storage) }
            #expect(refused == .locked(byPID: getpid()))
            journal.close()
            #expect(failure { () throws(JournalError) in _ = try Journal.open(storage) } == nil)
        }
    }

    /// Advice that the kernel may ignore, but on which W3 rests; a file system in memory has nothing to drop.
    @Test func aDroppedFileIsReadFromTheDiskFromItsFirstByteToItsLast() throws {
        try TemporaryDirectory.with { directory in
            var status = stat()
            // Major number 0: no block device of its own, tmpfs for one.
            guard stat(directory.path, &status) == 0, (status.st_dev >> 8) & 0xFFF != 0 else { return }
            let storage = FileStorage(directory: directory.path)
            for offset in [0, 5_000, 1 << 20, (2 << 20) + 5_000, (4 << 20) - 100] {
                // A page that some processor's batch still holds stays, once in a long while.
                let wasDropped = try (1...5).contains { attempt in
                    try !isCached(at: offset, storage, "file-\(offset)-\(attempt)")
                }
                #expect(wasDropped, "offset \(offset) is still in the cache")
            }
        }
    }

    /// Whether the cache answers for a file of 4 MiB that was dropped.
    ///
    /// A file for each question: asking starts a read ahead, which would answer the next one.
    private func isCached(at offset: Int, _ storage: FileStorage, _ name: String) throws -> Bool {
        let file = try storage.create(name)
        try [UInt8](repeating: 7, count: 4 << 20).withUnsafeBufferPointer { (bytes) throws(JournalError) in
            try file.writeFully(UnsafeRawBufferPointer(bytes), at: 0)
        }
        try file.sync()
        file.dropCache()
        var room = [UInt8](repeating: 0, count: 100)
        let found = try room.withUnsafeMutableBufferPointer { (room) throws(JournalError) in
            try file.tryRead(into: UnsafeMutableRawBufferPointer(room), at: offset)
        }
        return found != nil
    }

    @Test func everyFailureNamesItsCallItsFileAndItsErrno() throws {
        try TemporaryDirectory.with { directory in
            let storage = FileStorage(directory: directory.path("journal"))
            #expect(
                failure { () throws(JournalError) in _ = try storage.open("none", forWriting: false) }
                    == .storage(.open, file: "none", errno: ENOENT))
            _ = try storage.lock()
            _ = try storage.create("twice")
            #expect(
                failure { () throws(JournalError) in _ = try storage.create("twice") }
                    == .storage(.create, file: "twice", errno: EEXIST))
            #expect(
                failure { () throws(JournalError) in try storage.unlink("none") }
                    == .storage(.unlink, file: "none", errno: ENOENT))
            let blocked = FileStorage(directory: directory.path("journal/twice/below"))
            #expect(
                failure { () throws(JournalError) in _ = try blocked.lock() }
                    == .storage(.makeDirectory, file: directory.path("journal/twice/below"), errno: ENOTDIR))
        }
    }
}
