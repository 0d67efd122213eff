private import CLinux
private import Glibc

/// The kernel's news of what changes in directories; one for many of them.
package struct DirectoryWatch: ~Copyable, Sendable {
    /// Names a watched directory; the same for every path that leads to it.
    package struct WatchID: RawRepresentable, Hashable, Sendable {
        package let rawValue: CInt
        package init(rawValue: CInt) { self.rawValue = rawValue }
    }

    package struct Event: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            /// A directory appeared under this name.
            case directoryAppeared
            /// A directory left this name, for another one or for good.
            case directoryLeft
            /// A file appeared, was written and closed, got other permissions, or left.
            case fileChanged
            /// The watched directory itself was deleted or moved.
            case moved
            /// The watch is over: the directory is gone, or ``DirectoryWatch/remove(_:)`` was called.
            case over
            /// Events were lost.
            case overflow
        }

        package let watch: WatchID
        package let kind: Kind
        /// Within the directory; empty where the event is about itself.
        package let name: String
    }

    private static let interest = UInt32(
        IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ONLYDIR)
    /// Watch, mask, cookie and the length of the name, four bytes each.
    private static let headerBytes = 16

    private let descriptor: OwnedDescriptor

    /// EMFILE where the user has as many as `fs.inotify.max_user_instances`.
    ///
    /// The corresponding C function is `inotify_init1`.
    package init() throws(SystemError) {
        descriptor = OwnedDescriptor(
            adopting: try retryingInterrupted("inotify_init1") {
                inotify_init1(CInt(O_CLOEXEC | O_NONBLOCK))
            })
    }

    package var rawValue: CInt { descriptor.rawValue }

    /// Follows a symbolic link.
    ///
    /// ENOSPC where the user watches as many as `fs.inotify.max_user_watches`. The corresponding C function
    /// is `inotify_add_watch`.
    package borrowing func add(_ path: String) throws(SystemError) -> WatchID {
        let own = descriptor.rawValue
        let watch = try retryingInterrupted("inotify_add_watch \(path)") {
            inotify_add_watch(own, path, Self.interest)
        }
        return WatchID(rawValue: watch)
    }

    /// A watch that is over already is no error.
    package borrowing func remove(_ watch: WatchID) {
        _ = inotify_rm_watch(descriptor.rawValue, watch.rawValue)
    }

    /// Whatever has happened, oldest first; nothing if nothing has.
    package borrowing func read() throws(SystemError) -> [Event] {
        var events: [Event] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let own = descriptor.rawValue
            let count = buffer.withUnsafeMutableBytes { Glibc.read(own, $0.baseAddress, $0.count) }
            if count < 0, Glibc.errno == EINTR { continue }
            if count < 0, Glibc.errno != EAGAIN { throw SystemError("read inotify") }
            guard count > 0 else { return events }
            buffer[..<count].withUnsafeBytes { Self.decode($0, into: &events) }
        }
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer, into events: inout [Event]) {
        var offset = 0
        while offset + headerBytes <= bytes.count {
            let watch = bytes.loadUnaligned(fromByteOffset: offset, as: CInt.self)
            let mask = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
            let end = min(offset + headerBytes + length, bytes.count)
            let name = bytes[(offset + headerBytes)..<end].prefix { $0 != 0 }
            events.append(
                Event(
                    watch: WatchID(rawValue: watch), kind: kind(mask),
                    name: String(decoding: name, as: UTF8.self)))
            offset = end
        }
    }

    private static func kind(_ mask: UInt32) -> Event.Kind {
        if mask & UInt32(IN_Q_OVERFLOW) != 0 { return .overflow }
        if mask & UInt32(IN_IGNORED) != 0 { return .over }
        if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF) != 0 { return .moved }
        guard mask & UInt32(IN_ISDIR) != 0 else { return .fileChanged }
        if mask & UInt32(IN_CREATE | IN_MOVED_TO) != 0 { return .directoryAppeared }
        return mask & UInt32(IN_DELETE | IN_MOVED_FROM) != 0 ? .directoryLeft : .fileChanged
    }
}
