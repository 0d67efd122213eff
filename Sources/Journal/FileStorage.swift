import Glibc

/// A journal in a directory of the file system.
package struct FileStorage: JournalStorage {
    private let path: String

    /// The directory is made by ``lock()`` if it is missing.
    package init(directory path: String) {
        self.path = path
    }

    private func place(_ name: String) -> String { "\(path)/\(name)" }

    package func lock() throws(JournalError) -> any JournalLock {
        try makeDirectory(path)
        return try FileLock(path: place(JournalName.lockFile))
    }

    /// Makes missing parents too, and the entry of each directory made durable in its own parent (W5).
    private func makeDirectory(_ path: String) throws(JournalError) {
        do {
            guard try Syscalls.mkdir(path, mode: 0o700) else { return }
        } catch {
            guard error.errno == ENOENT, let parent = Self.parent(of: path) else {
                throw .storage(.makeDirectory, file: path, errno: error.errno)
            }
            try makeDirectory(parent)
            do {
                _ = try Syscalls.mkdir(path, mode: 0o700)
            } catch {
                throw .storage(.makeDirectory, file: path, errno: error.errno)
            }
        }
        try sync(directory: Self.parent(of: path) ?? ".")
    }

    private static func parent(of path: String) -> String? {
        let trimmed = path.last == "/" ? path.dropLast() : path[...]
        guard let slash = trimmed.lastIndex(of: "/") else { return nil }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }

    package func list() throws(JournalError) -> [String] {
        do {
            return try Syscalls.list(path)
        } catch {
            throw .storage(.list, file: path, errno: error.errno)
        }
    }

    package func create(_ name: String) throws(JournalError) -> any JournalFile {
        do {
            let descriptor = try Syscalls.open(place(name), O_RDWR | O_CREAT | O_EXCL)
            return OpenFile(descriptor: descriptor, name: name)
        } catch {
            throw .storage(.create, file: name, errno: error.errno)
        }
    }

    package func open(_ name: String, forWriting: Bool) throws(JournalError) -> any JournalFile {
        do {
            let descriptor = try Syscalls.open(place(name), forWriting ? O_RDWR : O_RDONLY)
            return OpenFile(descriptor: descriptor, name: name)
        } catch {
            throw .storage(.open, file: name, errno: error.errno)
        }
    }

    package func rename(_ name: String, to newName: String) throws(JournalError) {
        do {
            try Syscalls.rename(place(name), place(newName))
        } catch {
            throw .storage(.rename, file: name, errno: error.errno)
        }
    }

    package func unlink(_ name: String) throws(JournalError) {
        do {
            try Syscalls.unlink(place(name))
        } catch {
            throw .storage(.unlink, file: name, errno: error.errno)
        }
    }

    package func syncDirectory() throws(JournalError) {
        try sync(directory: path)
    }

    private func sync(directory: String) throws(JournalError) {
        do {
            let descriptor = try Syscalls.open(directory, O_RDONLY | O_DIRECTORY)
            defer { Syscalls.close(descriptor) }
            try Syscalls.fsync(descriptor)
        } catch {
            throw .storage(.syncDirectory, file: directory, errno: error.errno)
        }
    }

    package func random() throws(JournalError) -> UInt64 {
        do {
            return try Syscalls.random()
        } catch {
            throw .storage(.random, file: path, errno: error.errno)
        }
    }
}

/// An flock on a file of its own; the kernel lets go of it when the process dies.
private final class FileLock: JournalLock {
    private let descriptor: CInt

    init(path: String) throws(JournalError) {
        do {
            descriptor = try Syscalls.open(path, O_RDWR | O_CREAT)
        } catch {
            throw .storage(.lock, file: path, errno: error.errno)
        }
        let isOurs: Bool
        do {
            isOurs = try Syscalls.tryLock(descriptor)
        } catch {
            throw .storage(.lock, file: path, errno: error.errno)
        }
        guard isOurs else { throw .locked(byPID: Self.holder(descriptor)) }
        try? Self.write(pid: getpid(), to: descriptor)  // ignoring: only a courtesy.
    }

    deinit { Syscalls.close(descriptor) }

    private static func write(pid: pid_t, to descriptor: CInt) throws(Syscalls.Failure) {
        try Syscalls.ftruncate(descriptor, 0)
        let text = Array("\(pid)\n".utf8)
        _ = try text.withUnsafeBufferPointer { (bytes) throws(Syscalls.Failure) in
            try Syscalls.pwrite(descriptor, UnsafeRawBufferPointer(bytes), 0)
        }
    }

    private static func holder(_ descriptor: CInt) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = text.withUnsafeMutableBytes { buffer in
            (try? Syscalls.pread(descriptor, buffer, 0)) ?? 0  // ignoring: the error then names no pid.
        }
        return Int32(String(decoding: text[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}

/// A file of the journal, closed with its last reference.
private final class OpenFile: JournalFile {
    private let descriptor: CInt
    private let name: String

    init(descriptor: CInt, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    deinit { Syscalls.close(descriptor) }

    func size() throws(JournalError) -> Int {
        do {
            return try Syscalls.fileSize(descriptor)
        } catch {
            throw .storage(.open, file: name, errno: error.errno)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
        do {
            return try Syscalls.pread(descriptor, buffer, offset)
        } catch {
            throw .storage(.read, file: name, errno: error.errno)
        }
    }

    func tryRead(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int? {
        do {
            return try Syscalls.preadNoWait(descriptor, buffer, offset)
        } catch {
            throw .storage(.read, file: name, errno: error.errno)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
        let count: Int
        do {
            count = try Syscalls.pwrite(descriptor, bytes, offset)
        } catch {
            throw .storage(.write, file: name, errno: error.errno)
        }
        // Nothing written and no error: no file answers so, and going on would never end.
        guard count > 0 else { throw .storage(.write, file: name, errno: EIO) }
        return count
    }

    func sync() throws(JournalError) {
        do {
            try Syscalls.fdatasync(descriptor)
        } catch {
            throw .storage(.sync, file: name, errno: error.errno)
        }
    }

    func truncate(to size: Int) throws(JournalError) {
        do {
            try Syscalls.ftruncate(descriptor, size)
        } catch {
            throw .storage(.truncate, file: name, errno: error.errno)
        }
    }

    func dropCache() {
        Syscalls.advise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }

    func prefetch(_ count: Int, at offset: Int) {
        Syscalls.advise(descriptor, offset, count, POSIX_FADV_WILLNEED)
    }
}
