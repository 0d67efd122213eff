import Glibc

/// Points in time for waits of tests, as nanoseconds of CLOCK_MONOTONIC.
package enum MonotonicDeadline {
    package static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    package static func after(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return now() + UInt64(max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }
}
