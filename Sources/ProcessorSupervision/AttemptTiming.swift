package import TaskModel

/// When an attempt began, and when its time is up.
package struct AttemptTiming: Hashable, Sendable {
    package let startedAt: MonotonicTime
    package private(set) var deadline: MonotonicTime
    /// No extension goes beyond.
    private let latest: MonotonicTime

    package init(startedAt: MonotonicTime, timeoutMilliseconds: UInt64, maxRuntimeMilliseconds: UInt64) {
        self.startedAt = startedAt
        latest = startedAt.advanced(byMilliseconds: maxRuntimeMilliseconds)
        deadline = min(startedAt.advanced(byMilliseconds: timeoutMilliseconds), latest)
    }

    /// Sets the deadline to now and so many seconds; less than nothing is nothing.
    ///
    /// Says whether `max_runtime` cut it.
    package mutating func extend(bySeconds seconds: Double, now: MonotonicTime) -> Bool {
        let milliseconds = seconds > 0 ? UInt64(min(seconds * 1_000, 1e15)) : 0
        let wanted = now.advanced(byMilliseconds: milliseconds)
        deadline = min(wanted, latest)
        return wanted > latest
    }

    package func durationMilliseconds(until now: MonotonicTime) -> UInt64 {
        now.milliseconds(since: startedAt)
    }
}
