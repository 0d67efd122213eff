package import TaskModel

/// Keeps deadlines fair when the broker itself was late: stopped, starved, or waiting for a slow disk.
///
/// A turn that begins more than a second after it was meant to moves every lease, timeout and back-off by the
/// lateness, so that nobody's lease runs out while the broker could not have heard of a renewal.
package struct PatientClock: Sendable {
    package static let toleranceNanoseconds: UInt64 = 1_000_000_000

    private var offset: UInt64 = 0
    /// When the next turn is meant to begin, in the raw clock; nil if it may begin any time.
    private var expected: UInt64?
    /// When this turn began, in the raw clock.
    private var begun: UInt64 = 0

    package init() {}

    /// The time for this turn, nanoseconds behind the raw clock by all the lateness so far.
    package mutating func begin(rawNanoseconds: UInt64) -> MonotonicTime {
        if let expected, rawNanoseconds > expected, rawNanoseconds - expected > Self.toleranceNanoseconds {
            offset += rawNanoseconds - expected
        }
        expected = nil
        begun = rawNanoseconds
        return MonotonicTime(rawValue: rawNanoseconds - min(offset, rawNanoseconds))
    }

    /// Says when the next turn begins at the latest, counted from the beginning of this one.
    package mutating func expectNext(beforeRawNanoseconds: UInt64) {
        // "At once", or a deadline that has passed, is no promise about the past.
        expected = max(beforeRawNanoseconds, begun)
    }

    package func rawNanoseconds(of time: MonotonicTime) -> UInt64 {
        let (sum, overflow) = time.rawValue.addingReportingOverflow(offset)
        return overflow ? .max : sum
    }
}
