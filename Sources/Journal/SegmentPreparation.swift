import Glibc
import TaskModel

/// Makes one zero-filled segment; run on any thread but the journal's.
///
/// The zeros are written, not only reserved: a later batch then changes neither the file's size nor its
/// extents, and its sync is about twice as fast on a journaled file system.
package struct SegmentPreparation: Sendable {
    package enum Result: Sendable {
        case prepared(PreparedSegment)
        /// No space; whatever was made of the file is gone again.
        case full
        case failed(JournalError)
    }

    let storage: any JournalStorage
    let header: SegmentHeader

    /// Zeros written at a time, and synced from time to time so that the journal's own syncs never wait for
    /// many.
    private static let stepBytes = 1 << 20
    private static let syncEverySteps = 4

    package func run() -> Result {
        do throws(JournalError) {
            return .prepared(try make())
        } catch {
            guard case .storage(let operation, _, let errno) = error, errno == ENOSPC || errno == EDQUOT
            else { return .failed(error) }
            let name = JournalName.segmentFile(number: header.segment)
            // Nothing may know a segment whose name is perhaps not durable.
            let left = operation == .syncDirectory ? name : JournalName.unfinishedFile(name)
            try? storage.unlink(left)  // ignoring: it holds nothing, and the next start takes care of it.
            return .full
        }
    }

    private func make() throws(JournalError) -> PreparedSegment {
        let name = JournalName.segmentFile(number: header.segment)
        let unfinished = JournalName.unfinishedFile(name)
        let file = try makeZeros(unfinished)
        try storage.rename(unfinished, to: name)
        try storage.syncDirectory()
        return PreparedSegment(number: header.segment, file: file, madeBytes: header.madeBytes)
    }

    /// The file as it is before its first batch, durable but for its name.
    func makeZeros(_ name: String) throws(JournalError) -> any JournalFile {
        let file = try createAnew(name)
        var buffer = EncodingBuffer(capacity: Self.stepBytes)
        header.write(to: &buffer)
        try file.writeFully(buffer.bytes, at: 0)
        buffer.removeAll()
        buffer.putZeros(min(Self.stepBytes, header.madeBytes))
        var offset = SegmentHeader.bytes
        var steps = 0
        while offset < header.madeBytes {
            let count = min(buffer.count, header.madeBytes - offset)
            try file.writeFully(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]), at: offset)
            offset += count
            steps += 1
            if steps % Self.syncEverySteps == 0 { try file.sync() }
        }
        try file.sync()
        return file
    }

    private func createAnew(_ name: String) throws(JournalError) -> any JournalFile {
        do throws(JournalError) {
            return try storage.create(name)
        } catch {
            // What an earlier try left. Nobody else makes files here: the directory is locked.
            guard case .storage(_, _, EEXIST) = error else { throw error }
            try storage.unlink(name)
            return try storage.create(name)
        }
    }
}

/// A segment that is durable, zero-filled, and holds no batch.
package struct PreparedSegment: Sendable {
    let number: UInt32
    let file: any JournalFile
    let madeBytes: Int
}
