private import CLinux
private import Glibc

/// A file descriptor with exactly one owner.
///
/// Close-on-exec from birth is the business of whoever opened it.
package struct OwnedDescriptor: ~Copyable, Sendable {
    /// For calls that borrow the descriptor; it stays open as long as this value lives.
    package let rawValue: CInt

    package init(adopting rawValue: CInt) {
        precondition(rawValue >= 0, "a descriptor is not negative")
        self.rawValue = rawValue
    }

    /// Opens a file; `O_CLOEXEC` is added.
    ///
    /// The corresponding C function is `open`.
    package init(
        opening path: String, flags: CInt, mode: UInt32 = 0o600
    ) throws(SystemError) {
        let descriptor = try retryingInterrupted("open \(path)") { Glibc.open(path, flags | O_CLOEXEC, mode) }
        self.init(adopting: descriptor)
    }

    /// Closes and reports what the kernel says.
    ///
    /// Never retried: after EINTR Linux has closed it.
    package consuming func close() throws(SystemError) {
        let descriptor = rawValue
        discard self
        guard Glibc.close(descriptor) == 0 || Glibc.errno == EINTR else { throw SystemError("close") }
    }

    /// Gives the descriptor away without closing it.
    package consuming func release() -> CInt {
        let descriptor = rawValue
        discard self
        return descriptor
    }

    deinit { _ = Glibc.close(rawValue) }
}

/// How a read that may not block went.
package enum ReadOutcome: Hashable, Sendable {
    case read(bytes: Int)
    case endOfFile
    case wouldBlock
}

/// How a write that may not block went.
package enum WriteOutcome: Hashable, Sendable {
    case wrote(bytes: Int)
    case wouldBlock
}

extension OwnedDescriptor {
    /// The corresponding C function is `read`.
    package borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> ReadOutcome
    {
        try Self.read(rawValue, into: buffer)
    }

    /// The corresponding C function is `write`.
    ///
    /// EPIPE is an error like any other; SIGPIPE must be ignored.
    package borrowing func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> WriteOutcome {
        try Self.write(rawValue, bytes)
    }

    package static func read(
        _ descriptor: CInt, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> ReadOutcome {
        do throws(SystemError) {
            let count = try retryingInterrupted("read") {
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            return count == 0 ? .endOfFile : .read(bytes: count)
        } catch  where error.errno == EAGAIN {
            return .wouldBlock
        }
    }

    package static func write(
        _ descriptor: CInt, _ bytes: UnsafeRawBufferPointer
    ) throws(SystemError) -> WriteOutcome {
        do throws(SystemError) {
            let count = try retryingInterrupted("write") {
                Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            return .wrote(bytes: count)
        } catch  where error.errno == EAGAIN {
            return .wouldBlock
        }
    }

    /// Writes all of it, waiting as long as it takes; for blocking descriptors.
    package static func writeAll(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch try write(descriptor, UnsafeRawBufferPointer(rebasing: rest)) {
            case .wrote(let count): rest = rest.dropFirst(count)
            case .wouldBlock:
                try Self.waitUntilReady(descriptor, events: Int16(POLLOUT), timeoutMilliseconds: -1)
            }
        }
    }

    /// Whether one of the events came in time.
    ///
    /// The corresponding C function is `poll`.
    @discardableResult
    package static func waitUntilReady(
        _ descriptor: CInt, events: Int16, timeoutMilliseconds: CInt
    ) throws(SystemError) -> Bool {
        var item = pollfd(fd: descriptor, events: events, revents: 0)
        return try retryingInterrupted("poll") { Glibc.poll(&item, 1, timeoutMilliseconds) } > 0
    }

    package static func setNonBlocking(_ descriptor: CInt) throws(SystemError) {
        let flags = try retryingInterrupted("fcntl") { fcntl(descriptor, F_GETFL) }
        _ = try retryingInterrupted("fcntl") { fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
    }

    /// Reads what the page cache holds, or nil where the disk would have to be asked.
    ///
    /// The corresponding C function is `preadv2` with `RWF_NOWAIT`.
    package borrowing func readCached(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(SystemError) -> Int? {
        let descriptor = rawValue
        do throws(SystemError) {
            return try retryingInterrupted("preadv2") {
                clinux_pread_nowait(descriptor, buffer.baseAddress, buffer.count, Int64(offset))
            }
        } catch  where error.errno == EAGAIN {
            return nil
        }
    }
}
