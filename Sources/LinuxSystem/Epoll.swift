private import CLinux
private import Glibc

/// The kernel's readiness list.
///
/// Tokens are the caller's; level-triggered unless asked otherwise.
package struct Epoll: ~Copyable, Sendable {
    package struct Interest: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Interest(rawValue: 1)
        package static let writable = Interest(rawValue: 4)
        package static let edgeTriggered = Interest(rawValue: 1 << 31)
    }

    package struct Readiness: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let readable = Readiness(rawValue: 1)
        package static let writable = Readiness(rawValue: 4)
        package static let error = Readiness(rawValue: 8)
        package static let hangUp = Readiness(rawValue: 16)
    }

    package struct Event: Hashable, Sendable {
        package let token: UInt64
        package let readiness: Readiness
    }

    private let descriptor: OwnedDescriptor

    /// The corresponding C function is `epoll_create1`.
    package init() throws(SystemError) {
        descriptor = OwnedDescriptor(
            adopting: try retryingInterrupted("epoll_create1") {
                epoll_create1(CInt(bitPattern: 0o2_000_000))
            })
    }

    /// An epoll is itself readable while something in it is ready.
    package var rawValue: CInt { descriptor.rawValue }

    package borrowing func add(_ fd: CInt, token: UInt64, interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_ADD, fd, token, interest)
    }

    package borrowing func modify(_ fd: CInt, token: UInt64, interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_MOD, fd, token, interest)
    }

    package borrowing func remove(_ fd: CInt) throws(SystemError) {
        try control(EPOLL_CTL_DEL, fd, 0, [])
    }

    private borrowing func control(
        _ operation: CInt, _ fd: CInt, _ token: UInt64, _ interest: Interest
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = token
        let own = descriptor.rawValue
        _ = try retryingInterrupted("epoll_ctl") { epoll_ctl(own, operation, fd, &event) }
    }

    /// Replaces `events` by what is ready.
    ///
    /// Empty after the timeout and after an interrupting signal, so that the caller looks at its clocks
    /// again; -1 waits for ever. The corresponding C function is `epoll_wait`.
    package borrowing func wait(
        into events: inout [Event], maximum: Int = 64, timeoutMilliseconds: CInt
    ) throws(SystemError) {
        events.removeAll(keepingCapacity: true)
        let own = descriptor.rawValue
        let failure: CInt = withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: maximum) { buffer in
            let count = epoll_wait(own, buffer.baseAddress, CInt(maximum), timeoutMilliseconds)
            guard count >= 0 else { return Glibc.errno }
            for index in 0..<Int(count) {
                events.append(
                    Event(token: buffer[index].data.u64, readiness: Readiness(rawValue: buffer[index].events))
                )
            }
            return 0
        }
        guard failure == 0 || failure == EINTR else { throw SystemError(call: "epoll_wait", errno: failure) }
    }
}
