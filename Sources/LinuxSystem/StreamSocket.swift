private import CLinux
private import Glibc

/// Who is at the other end of a unix socket, as the kernel noted it when the connection was made
/// (SO_PEERCRED).
package struct PeerCredentials: Hashable, Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32

    package init(pid: Int32, uid: UInt32, gid: UInt32) {
        self.pid = pid
        self.uid = uid
        self.gid = gid
    }
}

/// One end of a unix stream connection; nothing here waits.
package struct StreamSocket: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    fileprivate init(adopting descriptor: CInt) { self.descriptor = OwnedDescriptor(adopting: descriptor) }

    /// Connects.
    ///
    /// ECONNREFUSED, ENOENT or EAGAIN where nobody takes the connection now, ENAMETOOLONG over 107 bytes.
    package init(connectingTo path: String) throws(SystemError) {
        self.init(
            adopting: try retryingInterrupted("connect \(path)") { clinux_connect_stream(path) })
    }

    package var rawValue: CInt { descriptor.rawValue }

    /// Nil where the kernel does not say, as outside of this pid namespace.
    package borrowing func peer() -> PeerCredentials? {
        var pid: CInt = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        guard clinux_peer_credentials(descriptor.rawValue, &pid, &uid, &gid) == 0, pid > 0 else {
            return nil
        }
        return PeerCredentials(pid: pid, uid: uid, gid: gid)
    }

    /// A connection that was reset has ended like any other.
    package borrowing func receive(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> ReadOutcome {
        do throws(SystemError) {
            return try descriptor.read(into: buffer)
        } catch  where error.errno == ECONNRESET {
            return .endOfFile
        }
    }

    /// Sends two pieces one after the other, as much of them as fits.
    ///
    /// EPIPE or ECONNRESET where nobody is at the other end any more; no SIGPIPE.
    package borrowing func send(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) throws(SystemError) -> WriteOutcome {
        let own = descriptor.rawValue
        do throws(SystemError) {
            let count = try retryingInterrupted("sendmsg") {
                clinux_send(own, first.baseAddress, first.count, second.baseAddress, second.count)
            }
            return .wrote(bytes: count)
        } catch  where error.errno == EAGAIN {
            return .wouldBlock
        }
    }
}

/// A listening unix stream socket; nothing here waits.
package struct StreamListener: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor
    private let path: String

    /// Listens at a path, whose file gets `mode` whatever the umask is.
    ///
    /// A socket that a dead process left there goes; so would a living one's: something else must say who may
    /// listen. EADDRINUSE where the file is no socket, ENAMETOOLONG over 107 bytes.
    package init(bindingTo path: String, mode: UInt32, backlog: CInt = 128) throws(SystemError) {
        var facts = stat()
        if stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
        descriptor = OwnedDescriptor(
            adopting: try retryingInterrupted("listen at \(path)") {
                clinux_listen_stream(path, mode, backlog)
            })
        self.path = path
    }

    deinit { unlink(path) }

    package var rawValue: CInt { descriptor.rawValue }

    /// The next connection, nil if none waits; one that ended while it waited is passed over.
    package borrowing func accept() throws(SystemError) -> StreamSocket? {
        let own = descriptor.rawValue
        while true {
            do throws(SystemError) {
                return StreamSocket(adopting: try retryingInterrupted("accept") { clinux_accept(own) })
            } catch  where error.errno == ECONNABORTED {
                continue
            } catch  where error.errno == EAGAIN {
                return nil
            }
        }
    }
}
