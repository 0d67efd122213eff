import CLinux
import Glibc

/// One thin function per system call, and the only place that knows of EINTR.
///
/// A failure is the errno.
enum Syscalls {
    struct Failure: Error {
        let errno: CInt
    }

    private static func retrying<Result: SignedInteger>(_ call: () -> Result) throws(Failure) -> Result {
        while true {
            let result = call()
            if result != -1 { return result }
            let number = Glibc.errno
            guard number == EINTR else { throw Failure(errno: number) }
        }
    }

    /// The corresponding C function is `open`.
    static func open(_ path: String, _ flags: CInt, mode: mode_t = 0o600) throws(Failure) -> CInt {
        try retrying { Glibc.open(path, flags | O_CLOEXEC, mode) }
    }

    /// The corresponding C function is `close`.
    ///
    /// EINTR closes all the same on Linux.
    static func close(_ descriptor: CInt) {
        _ = Glibc.close(descriptor)
    }

    /// The corresponding C function is `pread`.
    static func pread(
        _ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer, _ offset: Int
    ) throws(Failure) -> Int {
        try retrying { Glibc.pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// The corresponding C function is `preadv2` with `RWF_NOWAIT`; nil where the disk would be waited for.
    static func preadNoWait(
        _ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer, _ offset: Int
    ) throws(Failure) -> Int? {
        do {
            return try retrying {
                clinux_pread_nowait(descriptor, buffer.baseAddress, buffer.count, Int64(offset))
            }
        } catch {
            // File systems without the flag answer EOPNOTSUPP: then every read is one that may wait.
            if error.errno == EAGAIN || error.errno == EOPNOTSUPP { return nil }
            throw error
        }
    }

    /// The corresponding C function is `pwrite`.
    static func pwrite(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer, _ offset: Int) throws(Failure)
        -> Int
    {
        try retrying { Glibc.pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    /// The corresponding C function is `fdatasync`.
    ///
    /// Not repeated on EINTR: a sync that failed is never tried again.
    static func fdatasync(_ descriptor: CInt) throws(Failure) {
        if Glibc.fdatasync(descriptor) == -1 { throw Failure(errno: Glibc.errno) }
    }

    /// The corresponding C function is `fsync`.
    ///
    /// Not repeated on EINTR.
    static func fsync(_ descriptor: CInt) throws(Failure) {
        if Glibc.fsync(descriptor) == -1 { throw Failure(errno: Glibc.errno) }
    }

    /// The corresponding C function is `ftruncate`.
    static func ftruncate(_ descriptor: CInt, _ size: Int) throws(Failure) {
        _ = try retrying { Glibc.ftruncate(descriptor, off_t(size)) }
    }

    /// The corresponding C function is `fstat`.
    static func fileSize(_ descriptor: CInt) throws(Failure) -> Int {
        var status = stat()
        _ = try retrying { fstat(descriptor, &status) }
        return Int(status.st_size)
    }

    /// The corresponding C function is `posix_fadvise`, whose failure is of no consequence.
    static func advise(_ descriptor: CInt, _ offset: Int, _ count: Int, _ advice: CInt) {
        _ = posix_fadvise(descriptor, off_t(offset), off_t(count), advice)
    }

    /// The corresponding C function is `rename`.
    static func rename(_ path: String, _ newPath: String) throws(Failure) {
        _ = try retrying { Glibc.rename(path, newPath) }
    }

    /// The corresponding C function is `unlink`.
    static func unlink(_ path: String) throws(Failure) {
        _ = try retrying { Glibc.unlink(path) }
    }

    /// The corresponding C function is `mkdir`.
    ///
    /// False if it was there.
    static func mkdir(_ path: String, mode: mode_t) throws(Failure) -> Bool {
        do {
            _ = try retrying { Glibc.mkdir(path, mode) }
            return true
        } catch {
            if error.errno == EEXIST { return false }
            throw error
        }
    }

    /// The corresponding C function is `flock`.
    ///
    /// False if another open file holds the lock.
    static func tryLock(_ descriptor: CInt) throws(Failure) -> Bool {
        do {
            _ = try retrying { flock(descriptor, LOCK_EX | LOCK_NB) }
            return true
        } catch {
            if error.errno == EWOULDBLOCK { return false }
            throw error
        }
    }

    /// The corresponding C functions are `opendir`, `readdir` and `closedir`.
    static func list(_ path: String) throws(Failure) -> [String] {
        guard let directory = opendir(path) else { throw Failure(errno: Glibc.errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            Glibc.errno = 0
            guard let entry = readdir(directory) else {
                if Glibc.errno != 0 { throw Failure(errno: Glibc.errno) }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { place in
                place.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    /// The corresponding C function is `getrandom`.
    static func random() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        _ = try retrying { getrandom(&value, MemoryLayout<UInt64>.size, 0) }
        return value
    }
}
