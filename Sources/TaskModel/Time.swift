/// Milliseconds of journal time: advances with CLOCK_BOOTTIME within a boot, across boots by the wall
/// difference cut to [0, 24 h], and never goes back.
///
/// Retention, deduplication and history run on it.
package struct JournalTime: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Saturates instead of trapping, so that "forever" is a large number like any other.
    package func advanced(by milliseconds: UInt64) -> JournalTime {
        let (sum, overflow) = rawValue.addingReportingOverflow(milliseconds)
        return JournalTime(rawValue: overflow ? .max : sum)
    }
}

/// Nanoseconds of CLOCK_MONOTONIC.
///
/// Leases, timeouts and back-off run on it; it means nothing after a restart.
package struct MonotonicTime: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    package func advanced(byMilliseconds milliseconds: UInt64) -> MonotonicTime {
        let (nanoseconds, tooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflow) = rawValue.addingReportingOverflow(nanoseconds)
        return MonotonicTime(rawValue: tooLong || overflow ? .max : sum)
    }

    /// Whole milliseconds from `earlier` to here; 0 if `earlier` is later.
    package func milliseconds(since earlier: MonotonicTime) -> UInt64 {
        rawValue > earlier.rawValue ? (rawValue - earlier.rawValue) / 1_000_000 : 0
    }
}

/// Milliseconds since 1970 by the wall clock.
///
/// Only shown, and compared for "in the future".
package struct WallTime: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// One reading of every clock that a turn uses, taken once at its start.
package struct ClockReading: Hashable, Sendable {
    package let monotonic: MonotonicTime
    package let journal: JournalTime
    package let wall: WallTime

    package init(monotonic: MonotonicTime, journal: JournalTime, wall: WallTime) {
        self.monotonic = monotonic
        self.journal = journal
        self.wall = wall
    }
}
