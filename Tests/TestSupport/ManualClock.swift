import Synchronization

/// Time that moves only when the test says so: the three clocks of a machine and the boot they belong to.
package final class ManualClock: Sendable {
    /// One reading, in the units in which the programs take them.
    package struct Reading: Hashable, Sendable {
        package var monotonicNanoseconds: UInt64
        package var boottimeMilliseconds: UInt64
        package var wallMilliseconds: UInt64
        package var boot: UInt64
    }

    private let state: Mutex<Reading>

    /// Starts an hour after boot on 2026-01-01T00:00:00Z.
    package init(wallMilliseconds: UInt64 = 1_767_225_600_000) {
        state = Mutex(
            Reading(
                monotonicNanoseconds: 3_600_000_000_000,
                boottimeMilliseconds: 3_600_000,
                wallMilliseconds: wallMilliseconds,
                boot: 1
            )
        )
    }

    package var now: Reading { state.withLock { $0 } }

    /// All clocks go on by `duration`, which must not be negative.
    package func advance(by duration: Duration) {
        let nanoseconds = Self.nanoseconds(duration)
        precondition(nanoseconds >= 0, "a running clock does not go back; use jumpWall")
        state.withLock {
            $0.monotonicNanoseconds += UInt64(nanoseconds)
            $0.boottimeMilliseconds += UInt64(nanoseconds / 1_000_000)
            $0.wallMilliseconds += UInt64(nanoseconds / 1_000_000)
        }
    }

    /// Somebody sets the wall clock, forward or back; nothing else moves.
    package func jumpWall(by duration: Duration) {
        let milliseconds = Self.nanoseconds(duration) / 1_000_000
        state.withLock { $0.wallMilliseconds = UInt64(Int64($0.wallMilliseconds) + milliseconds) }
    }

    /// The machine suspends: CLOCK_BOOTTIME and the wall go on, CLOCK_MONOTONIC does not.
    package func suspend(for duration: Duration) {
        let milliseconds = UInt64(Self.nanoseconds(duration) / 1_000_000)
        state.withLock {
            $0.boottimeMilliseconds += milliseconds
            $0.wallMilliseconds += milliseconds
        }
    }

    /// The machine is off for `duration`, then boots: a new boot whose own clocks start near zero.
    package func reboot(after duration: Duration) {
        let milliseconds = UInt64(Self.nanoseconds(duration) / 1_000_000)
        state.withLock {
            $0.boot += 1
            $0.monotonicNanoseconds = 1_000_000_000
            $0.boottimeMilliseconds = 1_000
            $0.wallMilliseconds += milliseconds
        }
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
