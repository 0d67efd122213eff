package import TaskModel

/// Copies what a journal consists of into an empty directory, a portion at a time: a backup.
///
/// The source may be written to meanwhile, as long as the files named stay (``Journal/beginBackup()``). The
/// copy is a journal of the same instance, to be read by whoever looks at one, but never to be opened: its
/// note, written last, says that it is a backup, and that it is whole.
package struct JournalCopy: ~Copyable {
    /// Bytes of one step at most; zeros are passed over and become holes.
    private static let stepBytes = 4 << 20

    private struct Pending {
        let name: String
        /// Bytes to be copied, and the length of the file afterwards; nil: all that is there.
        let bytes: (copied: Int, length: Int)?
    }

    private struct OpenCopy {
        let from: any JournalFile
        let to: any JournalFile
        let copied: Int
        let length: Int
        var offset = 0
    }

    private let contents: JournalContents
    private let source: any JournalStorage
    private let target: any JournalStorage
    private let lock: any JournalLock
    private var pending: ArraySlice<Pending>
    private var current: OpenCopy?
    package private(set) var bytesDone = 0

    /// Locks the target, which is made if it is missing.
    ///
    /// ``JournalError/notEmpty(file:)`` if anything lies in it.
    package init(
        of contents: JournalContents, in source: any JournalStorage, to target: any JournalStorage
    ) throws(JournalError) {
        let lock = try target.lockEmpty()
        self.contents = contents
        self.source = source
        self.target = target
        self.lock = lock
        var files = contents.segments.map {
            Pending(
                name: JournalName.segmentFile(number: $0.number), bytes: ($0.endBytes, $0.madeBytes))
        }
        if let checkpoint = contents.checkpoint { files.append(Pending(name: checkpoint, bytes: nil)) }
        pending = files[...]
    }

    /// Of the segments; what the checkpoint takes is not known before.
    package var bytesTotal: Int { max(bytesDone, contents.segmentBytes) }

    /// Copies the next portion; false when there is none.
    package mutating func step() throws(JournalError) -> Bool {
        if var copy = current {
            current = nil
            let count = min(Self.stepBytes, copy.copied - copy.offset)
            let bytes = try copy.from.bytes(count, at: copy.offset)
            try Self.write(bytes, to: copy.to, at: copy.offset)
            copy.offset += count
            bytesDone += count
            if copy.offset < copy.copied {
                current = copy
            } else {
                try copy.to.truncate(to: copy.length)
                try copy.to.sync()
            }
            return true
        }
        guard let next = pending.popFirst() else { return false }
        let file = try open(next.name)
        let size = next.bytes == nil ? try file.size() : 0
        current = OpenCopy(
            from: file, to: try target.create(next.name), copied: next.bytes?.copied ?? size,
            length: next.bytes?.length ?? size)
        return true
    }

    private func open(_ name: String) throws(JournalError) -> any JournalFile {
        let file = try source.open(name, forWriting: false)
        guard case .segment(let number) = JournalName(name) else { return file }
        guard try Recovery.header(of: file, number: number).instance == contents.instance else {
            throw .foreignFile(file: name)
        }
        return file
    }

    /// In blocks, so that of a file that is mostly zeros mostly nothing is written.
    private static func write(
        _ bytes: [UInt8], to file: any JournalFile, at offset: Int
    ) throws(JournalError) {
        let blockBytes = 64 << 10
        var failure: JournalError?
        bytes.withUnsafeBytes { bytes in
            do throws(JournalError) {
                var place = 0
                while place < bytes.count {
                    let block = UnsafeRawBufferPointer(rebasing: bytes[place...].prefix(blockBytes))
                    if !Checksum.isZero(block) { try file.writeFully(block, at: offset + place) }
                    place += block.count
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Makes the copy durable under its names; it is no backup before ``sign()``.
    package borrowing func settle() throws(JournalError) {
        precondition(current == nil && pending.isEmpty, "a copy was settled before its end")
        _ = try target.create(JournalName.instanceFile(contents.instance))
        try target.syncDirectory()
    }

    /// Says in the copy that it is a whole backup.
    package consuming func sign() throws(JournalError) {
        let note = try target.create(JournalName.backupNoteFile)
        let text =
            "A backup of a taskq journal: 'taskq journal restore' makes a journal of it.\n"
            + "instance \(JournalName.digits(of: contents.instance))\nlsn \(contents.lastLSN.rawValue)\n"
        try Self.write(Array(text.utf8), to: note, at: 0)
        try note.sync()
        // Not everywhere is a lock a file.
        if try target.list().contains(JournalName.lockFile) { try target.unlink(JournalName.lockFile) }
        try target.syncDirectory()
    }
}

extension JournalCopy {
    /// What the note of a backup says; nil where it cannot be read.
    static func notedLSN(in storage: any JournalStorage) throws(JournalError) -> LogSequenceNumber? {
        let note = try storage.open(JournalName.backupNoteFile, forWriting: false)
        let text = String(decoding: try note.bytes(min(try note.size(), 4_096), at: 0), as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("lsn ") {
            return UInt64(line.dropFirst(4)).map { LogSequenceNumber(rawValue: $0) }
        }
        return nil
    }
}

extension JournalStorage {
    /// Takes the lock of a directory in which nothing else lies.
    func lockEmpty() throws(JournalError) -> any JournalLock {
        let lock = try lock()
        if let other = try list().sorted().first(where: { $0 != JournalName.lockFile }) {
            throw .notEmpty(file: other)
        }
        return lock
    }
}
