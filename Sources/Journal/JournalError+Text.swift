import TaskModel

extension JournalError: CustomStringConvertible {
    /// What happened, where, and what is lost, in one line for a person.
    package var description: String {
        switch self {
        case .locked(let pid): "another process has the journal\(pid.map { ", pid \($0)" } ?? "")"
        case .storage(let operation, let file, let errno): "\(operation.rawValue) of \(file): errno \(errno)"
        case .full(let needed): "no room for \(needed) bytes"
        case .tooLarge(let bytes, let maximum): "\(bytes) bytes at once, at most \(maximum) go"
        case .damaged(let damage): "\(damage)"
        case .damagedRecord(let span):
            "the record at offset \(span.offset) of segment \(span.segment) fails its checksum"
        case .gone(let span): "segment \(span.segment) was deleted"
        case .unsupportedVersion(let file, let version):
            "\(file) has version \(version) of the format, which this version of taskq cannot read"
        case .foreignFile(let file): "\(file) belongs to another journal, or has another file's name"
        case .isBackup: "this is a backup: 'taskq journal restore' makes a journal of it"
        case .notEmpty(let file): "the folder is not empty: there is \(file)"
        case .noGoodCheckpoint(let bad):
            "no checkpoint is whole (\(bad.joined(separator: ", "))), and the segments do not reach back "
                + "to the first record"
        }
    }
}

extension JournalDamage: CustomStringConvertible {
    package var description: String {
        var text = "segment \(segment), offset \(offset): \(kind.text)"
        if firstLSN.rawValue > 0 {
            text += "; lost or in doubt: LSN \(firstLSN.rawValue)"
            if let lastLSN { text += " to \(lastLSN.rawValue)" } else { text += " and later" }
        } else if let lastLSN {
            text += "; lost or in doubt: some up to LSN \(lastLSN.rawValue)"
        }
        if !knownTasks.isEmpty {
            text += "; tasks that can still be named: \(knownTasks.map { "\($0)" }.joined(separator: ", "))"
        }
        return text
    }
}

extension JournalDamage.Kind {
    package var text: String {
        switch self {
        case .segmentHeader: "the segment's header is not one"
        case .segmentLength(let found, let made): "\(found) bytes, but it was made with \(made)"
        case .segmentMissing: "the segment is not there"
        case .batch: "what was on disk is not whole"
        case .gap: "records are missing"
        case .chainChecksum: "not the records that the checkpoint was made from"
        case .livePlace: "no task where the checkpoint points to one"
        case .record: "a record cannot be read though its checksum holds"
        case .unknownContent(let kind, let value): "\(kind) \(value) is not known to this version of taskq"
        case .handoverMissing: "the end of the segment is not whole: later ones hold records"
        case .tailMissing: "the end of the journal is missing: a checkpoint knows later records"
        }
    }
}

extension RecoveryWarning: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tornTailCut(let segment, let offset, let bytes, let lsn):
            "segment \(segment), offset \(offset): a torn end of \(bytes) bytes, from LSN \(lsn.rawValue) "
                + "on, as a crash in the middle of a write leaves it"
        case .badCheckpointSkipped(let file): "\(file) is damaged; the one before it or the records are used"
        case .lastSegmentExtended(let segment, let from):
            "segment \(segment) ends at \(from) and was filled up with zeros"
        case .strayBytes(let segment, let offset):
            "segment \(segment), offset \(offset): bytes behind the last record; no record is missing"
        }
    }
}
