package import TaskModel

/// One reading of the clocks that journal time is made from.
package struct RawClocks: Hashable, Sendable {
    /// CLOCK_BOOTTIME, milliseconds.
    package var boottimeMilliseconds: UInt64
    /// CLOCK_REALTIME, milliseconds since 1970.
    package var wallMilliseconds: UInt64
    /// A hash of the kernel's boot id.
    package var bootID: UInt64

    package init(boottimeMilliseconds: UInt64, wallMilliseconds: UInt64, bootID: UInt64) {
        self.boottimeMilliseconds = boottimeMilliseconds
        self.wallMilliseconds = wallMilliseconds
        self.bootID = bootID
    }
}

/// What a batch says about time: the clocks as read, and the journal time made from them.
package struct BatchClocks: Hashable, Sendable {
    /// The most that journal time advances over a reboot, milliseconds.
    static let rebootAdvanceMax: UInt64 = 24 * 3_600_000

    package let journal: JournalTime
    package let raw: RawClocks

    package init(journal: JournalTime, raw: RawClocks) {
        self.journal = journal
        self.raw = raw
    }

    /// A new journal's first reading: journal time begins at 0.
    package init(first raw: RawClocks) {
        self.init(journal: JournalTime(rawValue: 0), raw: raw)
    }

    /// Within a boot, journal time advances as CLOCK_BOOTTIME does; across boots by the difference of the
    /// wall clocks cut to [0, 24 h].
    ///
    /// A clock that went back adds nothing.
    package func advanced(to now: RawClocks) -> BatchClocks {
        let sameBoot = now.bootID == raw.bootID
        let (earlier, later) =
            sameBoot
            ? (raw.boottimeMilliseconds, now.boottimeMilliseconds)
            : (raw.wallMilliseconds, now.wallMilliseconds)
        let difference = later > earlier ? later - earlier : 0
        let advance = sameBoot ? difference : min(difference, Self.rebootAdvanceMax)
        return BatchClocks(journal: journal.advanced(by: advance), raw: now)
    }
}
