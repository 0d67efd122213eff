private import Glibc
import LinuxSystem
import ZeroMQ

/// What the broker waits for, in one epoll: its sockets, their monitors, worker processes, and other
/// descriptors.
final class ReadinessWatch {
    enum Signal: Hashable {
        case socket(Int)
        case monitor(Int)
        /// The process behind the connection of this number.
        case processEnded(UInt32)
        case other
    }

    private static let monitorToken: UInt64 = 1 << 8
    private static let otherToken: UInt64 = 1 << 9
    private static let processToken: UInt64 = 1 << 32

    private let epoll: Epoll
    private var ready: [Epoll.Event] = []

    init(sockets: [ZMQSocket], monitors: [ZMQMonitor], others: [CInt]) throws(SystemError) {
        let epoll = try Epoll()
        for (role, socket) in sockets.enumerated() {
            try epoll.add(socket.fileDescriptor, token: UInt64(role), interest: .readable)
        }
        for (role, monitor) in monitors.enumerated() {
            let token = Self.monitorToken | UInt64(role)
            try epoll.add(monitor.fileDescriptor, token: token, interest: .readable)
        }
        for descriptor in others { try epoll.add(descriptor, token: Self.otherToken, interest: .readable) }
        self.epoll = epoll
    }

    func add(process pidfd: CInt, of connection: UInt32) throws(SystemError) {
        try epoll.add(pidfd, token: Self.processToken | UInt64(connection), interest: .readable)
    }

    func remove(process pidfd: CInt) {
        try? epoll.remove(pidfd)  // ignoring: closing the pidfd takes it out as well
    }

    func wait(timeoutMilliseconds: Int, spinNanoseconds: UInt64) throws(SystemError) -> [Signal] {
        if timeoutMilliseconds != 0, spinNanoseconds > 0 {
            let end = Clocks.monotonicNanoseconds() + spinNanoseconds
            repeat {
                try epoll.wait(into: &ready, timeoutMilliseconds: 0)
                if !ready.isEmpty { return ready.map(Self.signal) }
                sched_yield()
            } while Clocks.monotonicNanoseconds() < end
        }
        try epoll.wait(into: &ready, timeoutMilliseconds: CInt(clamping: timeoutMilliseconds))
        return ready.map(Self.signal)
    }

    private static func signal(_ event: Epoll.Event) -> Signal {
        if event.token & processToken != 0 { return .processEnded(UInt32(truncatingIfNeeded: event.token)) }
        if event.token & otherToken != 0 { return .other }
        let role = Int(event.token & 0xFF)
        return event.token & monitorToken != 0 ? .monitor(role) : .socket(role)
    }
}
