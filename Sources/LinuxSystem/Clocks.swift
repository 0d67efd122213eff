private import CLinux
private import Glibc

/// The kernel's clocks.
///
/// Read by shells only; whatever decides takes the time as an argument.
package enum Clocks {
    /// CLOCK_MONOTONIC, nanoseconds: stands still while the machine sleeps, means nothing after a boot.
    package static func monotonicNanoseconds() -> UInt64 { nanoseconds(of: CLOCK_MONOTONIC) }

    /// CLOCK_BOOTTIME, milliseconds: goes on while the machine sleeps, starts anew at each boot.
    package static func boottimeMilliseconds() -> UInt64 { nanoseconds(of: CLOCK_BOOTTIME) / 1_000_000 }

    /// CLOCK_REALTIME, milliseconds since 1970.
    ///
    /// May jump both ways.
    package static func wallMilliseconds() -> UInt64 { nanoseconds(of: CLOCK_REALTIME) / 1_000_000 }

    /// Whether the kernel was told how exact the wall clock is, by NTP or the like.
    ///
    /// The corresponding C function is `adjtimex`.
    package static var isSynchronised: Bool { clinux_clock_is_synchronised() != 0 }

    private static func nanoseconds(of clock: clockid_t) -> UInt64 {
        var reading = timespec()
        let status = clock_gettime(clock, &reading)
        precondition(status == 0, "clock_gettime fails only for a clock that does not exist")
        return UInt64(max(0, reading.tv_sec)) * 1_000_000_000 + UInt64(reading.tv_nsec)
    }

    /// Names this boot: the kernel's boot id, hashed with 64-bit FNV-1a.
    ///
    /// The same until the next boot.
    package static func bootIdentity() throws(SystemError) -> UInt64 {
        let text = try FileContents.read("/proc/sys/kernel/random/boot_id", maximumBytes: 128)
        return hash(text)
    }

    static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
