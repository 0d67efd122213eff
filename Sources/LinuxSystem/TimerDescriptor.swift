private import CLinux
private import Glibc

/// A one-shot alarm on CLOCK_MONOTONIC as a readable event.
package struct TimerDescriptor: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// The corresponding C function is `timerfd_create`.
    package init() throws(SystemError) {
        descriptor = OwnedDescriptor(
            adopting: try retryingInterrupted("timerfd_create") {
                timerfd_create(CLOCK_MONOTONIC, CInt(TFD_CLOEXEC | TFD_NONBLOCK))
            })
    }

    package var rawValue: CInt { descriptor.rawValue }

    /// Fires at a time of CLOCK_MONOTONIC in nanoseconds, at once if it has passed; replaces an earlier
    /// alarm.
    package borrowing func arm(atNanoseconds time: UInt64) throws(SystemError) {
        let instant = max(time, 1)
        try set(timespec(tv_sec: Int(instant / 1_000_000_000), tv_nsec: Int(instant % 1_000_000_000)))
    }

    package borrowing func disarm() throws(SystemError) {
        try set(timespec(tv_sec: 0, tv_nsec: 0))
    }

    /// Makes the descriptor quiet; true if the alarm had gone off.
    @discardableResult
    package borrowing func acknowledge() throws(SystemError) -> Bool {
        var count: UInt64 = 0
        let outcome = try withUnsafeMutableBytes(of: &count) { buffer throws(SystemError) in
            try OwnedDescriptor.read(descriptor.rawValue, into: buffer)
        }
        return outcome == .read(bytes: 8)
    }

    private borrowing func set(_ time: timespec) throws(SystemError) {
        var setting = itimerspec(it_interval: timespec(tv_sec: 0, tv_nsec: 0), it_value: time)
        let own = descriptor.rawValue
        _ = try retryingInterrupted("timerfd_settime") {
            timerfd_settime(own, CInt(TFD_TIMER_ABSTIME), &setting, nil)
        }
    }
}
