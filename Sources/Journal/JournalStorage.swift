/// Where a journal lives: one directory of files.
///
/// Conformers: ``FileStorage`` and ``SimulatedDisk``.
///
/// Names are plain file names. What was created, renamed or unlinked is durable after ``syncDirectory()``.
package protocol JournalStorage: Sendable {
    /// Makes the directory (and makes its entry durable) if it is missing, and locks it until the lock is
    /// released.
    func lock() throws(JournalError) -> any JournalLock
    func list() throws(JournalError) -> [String]
    /// A new, empty file open for reading and writing; fails if the name exists.
    func create(_ name: String) throws(JournalError) -> any JournalFile
    func open(_ name: String, forWriting: Bool) throws(JournalError) -> any JournalFile
    func rename(_ name: String, to newName: String) throws(JournalError)
    func unlink(_ name: String) throws(JournalError)
    func syncDirectory() throws(JournalError)
    /// 64 random bits, for the identity of a new journal.
    func random() throws(JournalError) -> UInt64
}

/// Holds the directory for one owner; releases it when it goes.
package protocol JournalLock: Sendable, AnyObject {}

/// One open file, usable from several threads, closed when its last reference goes.
package protocol JournalFile: Sendable, AnyObject {
    /// Bytes.
    func size() throws(JournalError) -> Int
    /// Reads up to the end of `buffer` or of the file; 0 only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int
    /// As ``read(into:at:)``, but nil instead of waiting for the disk.
    func tryRead(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int?
    /// Writes some of `bytes`, at least one, and says how many.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalError) -> Int
    /// Makes every byte written before durable.
    ///
    /// After a failure nothing written to this file may be trusted.
    func sync() throws(JournalError)
    func truncate(to size: Int) throws(JournalError)
    /// Forgets the whole file's cached pages that are not dirty, so that the next reads come from the disk.
    ///
    /// Always the whole file: asked to forget from a place on, the kernel keeps the large folio that the
    /// place lies in, up to 2 MiB around it (seen on Linux 6.18). Advice: may do nothing.
    func dropCache()
    /// Asks for these bytes to be read into the cache in the background.
    ///
    /// Advice: may do nothing.
    func prefetch(_ count: Int, at offset: Int)
}

extension JournalFile {
    /// Writes all of `bytes`; a short write goes on where it stopped.
    func writeFully(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            written += try write(rest, at: offset + written)
        }
    }

    /// Fills `buffer` as far as the file goes and says how many bytes that were.
    func readFully(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let step = try read(into: rest, at: offset + count)
            if step == 0 { break }
            count += step
        }
        return count
    }
}
