/// Journal time as far as the outside can tell: exact within a boot of which something is on disk, else a
/// range.
struct JournalClock {
    struct Reading: Equatable {
        let least: UInt64
        let most: UInt64
        let era: Int
    }

    private var base: (least: UInt64, most: UInt64) = (0, 0)
    private var boot: UInt64 = 0
    /// Counts the times at which it was no longer certain how much had passed.
    private var era = 0
    /// A batch of this boot is on disk: time goes on from it whatever happens.
    private var isAnchored = false
    private var boottimeAtBase: UInt64 = 0
    private var boottime: UInt64 = 0

    private static let dayMilliseconds: UInt64 = 24 * 3_600_000

    mutating func read(boottimeMilliseconds: UInt64, bootID: UInt64, isStart: Bool = false) {
        if bootID != boot || isStart && !isAnchored {
            // What was the last batch, and so where time stood, is the broker's secret.
            base = (0, boot == 0 ? 0 : reading.most + Self.dayMilliseconds)
            boot = bootID
            era += 1
            isAnchored = false
            boottimeAtBase = boottimeMilliseconds
        }
        boottime = boottimeMilliseconds
    }

    /// Something was promised that is in a batch of this boot.
    mutating func anchor() { isAnchored = true }

    var reading: Reading {
        let passed = boottime - boottimeAtBase
        return Reading(least: base.least + passed, most: base.most + passed, era: era)
    }

    /// Milliseconds of journal time that have passed since.
    func passed(since earlier: Reading) -> (least: UInt64, most: UInt64) {
        let now = reading
        if now.era == earlier.era { return (now.least - earlier.least, now.least - earlier.least) }
        let least = now.least > earlier.most ? now.least - earlier.most : 0
        return (least, now.most - earlier.least)
    }
}
