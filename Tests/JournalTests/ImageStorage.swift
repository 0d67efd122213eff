import Glibc
import Journal
import Synchronization

/// Files as byte arrays that a sweep changes in place, for recovery to look at; nothing can be written
/// through it.
///
/// A look costs tens of microseconds, so that a sweep can look once for every bit.
final class ImageStorage: JournalStorage {
    private let files: Mutex<[String: [UInt8]]>

    init(_ files: [String: [UInt8]]) {
        self.files = Mutex(files)
    }

    convenience init(_ disk: SimulatedDisk) {
        self.init(
            Dictionary(disk.names.map { ($0, disk.contents($0)) }, uniquingKeysWith: { first, _ in first }))
    }

    subscript(name: String) -> [UInt8] { files.withLock { $0[name] ?? [] } }

    func change(_ name: String, _ body: (inout [UInt8]) -> Void) {
        files.withLock { body(&$0[name, default: []]) }
    }

    func set(_ byte: UInt8, at offset: Int, of name: String) {
        files.withLock { $0[name]?[offset] = byte }
    }

    func flip(_ bit: Int, of name: String) {
        files.withLock { $0[name]?[bit / 8] ^= 1 << UInt8(bit % 8) }
    }

    func lock() throws(JournalError) -> any JournalLock { NoLock() }
    func list() throws(JournalError) -> [String] { files.withLock { $0.keys.sorted() } }
    func create(_ name: String) throws(JournalError) -> any JournalFile {
        throw .storage(.create, file: name, errno: EROFS)
    }
    func open(_ name: String, forWriting: Bool) throws(JournalError) -> any JournalFile {
        guard files.withLock({ $0[name] != nil }) else {
            throw .storage(.open, file: name, errno: ENOENT)
        }
        return ImageFile(storage: self, name: name)
    }
    func rename(_ name: String, to newName: String) throws(JournalError) {
        throw .storage(.rename, file: name, errno: EROFS)
    }
    func unlink(_ name: String) throws(JournalError) {
        throw .storage(.unlink, file: name, errno: EROFS)
    }
    func syncDirectory() throws(JournalError) {}
    func random() throws(JournalError) -> UInt64 { 1 }

    fileprivate func size(_ name: String) -> Int { files.withLock { $0[name]?.count ?? 0 } }

    fileprivate func read(_ name: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
        files.withLock { files in
            files[name]?.withUnsafeBytes { bytes in
                let count = max(0, min(buffer.count, bytes.count - offset))
                if count > 0, let from = bytes.baseAddress, let to = buffer.baseAddress {
                    memcpy(to, from + offset, count)
                }
                return count
            } ?? 0
        }
    }
}

private final class NoLock: JournalLock {}

private final class ImageFile: JournalFile {
    private let storage: ImageStorage
    private let name: String

    init(storage: ImageStorage, name: String) {
        self.storage = storage
        self.name = name
    }

    func size() throws(JournalError) -> Int { storage.size(name) }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
        storage.read(name, into: buffer, at: offset)
    }
    func tryRead(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int? {
        storage.read(name, into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
        throw .storage(.write, file: name, errno: EROFS)
    }
    func sync() throws(JournalError) {}
    func truncate(to size: Int) throws(JournalError) {
        throw .storage(.truncate, file: name, errno: EROFS)
    }
    func dropCache() {}
    func prefetch(_ count: Int, at offset: Int) {}
}
