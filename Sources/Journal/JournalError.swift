package import TaskModel

/// Everything that can go wrong with the journal.
///
/// ``full(neededBytes:)``, ``tooLarge(bytes:maximum:)``, ``gone(_:)`` and ``damagedRecord(_:)`` leave the
/// journal as it was and usable. After any other error from a journal that was open, it is unusable: each
/// later call throws that first error.
package enum JournalError: Error, Equatable, Sendable {
    /// Another process has the directory; its pid if it could be told.
    case locked(byPID: Int32?)
    /// A system call failed.
    ///
    /// Of a batch's write or sync: nobody may learn of the batch, and the process must end.
    case storage(StorageOperation, file: String, errno: CInt)
    /// No room for so many bytes and none could be made.
    ///
    /// Nothing was changed.
    case full(neededBytes: Int)
    /// More than one batch can ever hold.
    ///
    /// Nothing was changed.
    case tooLarge(bytes: Int, maximum: Int)
    /// What was durable is not there or not whole.
    ///
    /// Never repaired, never skipped (guarantee I).
    case damaged(JournalDamage)
    /// A record failed its checksum, or is another than the span says, when it was read again.
    case damagedRecord(RecordSpan)
    /// The segment was deleted: nothing live was in it when the last checkpoint was finished.
    case gone(RecordSpan)
    /// A file of a version that this build cannot read.
    case unsupportedVersion(file: String, version: UInt32)
    /// A segment or checkpoint of another journal lies in this one's directory.
    case foreignFile(file: String)
    /// The directory is a backup: two journals with one identity would take each other's receipts.
    case isBackup
    /// The directory is to be filled, and something lies in it already.
    case notEmpty(file: String)
    /// No checkpoint is whole, and the segments do not reach back to the first record.
    case noGoodCheckpoint(bad: [String])

    /// True where systemd must not restart the daemon: only a person can help.
    package var isDamage: Bool {
        switch self {
        case .damaged, .damagedRecord, .noGoodCheckpoint, .foreignFile, .unsupportedVersion, .isBackup: true
        case .locked, .storage, .full, .tooLarge, .gone, .notEmpty: false
        }
    }
}

package enum StorageOperation: String, Hashable, Sendable, CaseIterable {
    case makeDirectory = "mkdir"
    case list
    case create
    case open
    case read
    case write
    case sync = "fdatasync"
    case syncDirectory = "fsync directory"
    case rename
    case truncate
    case unlink
    case lock
    case random
}

/// One place where the journal is not what it must be, and what is lost with it as far as that is known.
package struct JournalDamage: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The segment's first 64 bytes are not a header.
        case segmentHeader
        /// A sealed segment is shorter, or any segment longer, than it was made.
        case segmentLength(found: Int, made: Int)
        /// A checkpoint, the segment before it, or the journal's own name shows that there was a segment that
        /// is not there.
        case segmentMissing
        /// A batch is bad, and something later shows that it was on disk.
        case batch
        /// Records are missing between two good batches.
        case gap
        /// A segment's batches are whole but not those that the checkpoint was made from.
        case chainChecksum
        /// A checkpoint points to where no such record begins.
        case livePlace
        /// A batch is whole, but a record in it cannot be read.
        case record
        /// A whole batch or checkpoint has something in it that this version does not know: most likely a
        /// later one wrote it.
        case unknownContent(kind: String, value: UInt64)
        /// A segment holds batches, but the one before it does not hand over to it.
        case handoverMissing
        /// The journal ends before a record that a checkpoint shows to have been durable.
        case tailMissing
    }

    package let kind: Kind
    package let segment: UInt32
    /// Where in the segment, bytes.
    package let offset: Int
    /// The first LSN that is lost or in doubt; the last too where it is known.
    package let firstLSN: LogSequenceNumber
    package let lastLSN: LogSequenceNumber?
    /// Tasks that the bad bytes still name; not all of them.
    package let knownTasks: [TaskID]

    package init(
        _ kind: Kind, segment: UInt32, offset: Int, firstLSN: LogSequenceNumber,
        lastLSN: LogSequenceNumber? = nil, knownTasks: [TaskID] = []
    ) {
        self.kind = kind
        self.segment = segment
        self.offset = offset
        self.firstLSN = firstLSN
        self.lastLSN = lastLSN
        self.knownTasks = knownTasks
    }
}
