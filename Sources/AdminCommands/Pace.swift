private import TaskModel

/// Spreads acts over time: never above the rate, and not below it while the broker keeps up.
package struct Pace: Hashable, Sendable {
    /// Time that was lost is made up for this far and no farther, nanoseconds, so that the rate holds in
    /// every second of a command.
    private static let catchUpNanoseconds: UInt64 = 100_000_000

    /// Tasks in one request: ten requests a second, so that progress shows.
    package let batch: Int
    /// Nil: as fast as it goes.
    private let tasksPerSecond: UInt64?
    /// When the counting began, nanoseconds of CLOCK_MONOTONIC.
    private var origin: UInt64?
    private var granted: UInt64 = 0

    package init(tasksPerSecond: Int?) {
        self.tasksPerSecond = tasksPerSecond.map { UInt64(max($0, 1)) }
        batch = tasksPerSecond.map { min(max($0 / 10, 1), Limits.batchTasksMax) } ?? Limits.batchTasksMax
    }

    /// When so many tasks more may go; `now` and the result in nanoseconds of CLOCK_MONOTONIC.
    package mutating func grant(_ count: Int, now: UInt64) -> UInt64 {
        guard let tasksPerSecond else { return now }
        var due = (origin ?? now) + Self.nanoseconds(for: granted, tasksPerSecond)
        if origin == nil || now > due + Self.catchUpNanoseconds {
            origin = now
            granted = 0
            due = now
        }
        granted += UInt64(count)
        return due
    }

    /// Exact, also where the rate does not divide a second.
    private static func nanoseconds(for tasks: UInt64, _ tasksPerSecond: UInt64) -> UInt64 {
        let (seconds, rest) = tasks.quotientAndRemainder(dividingBy: tasksPerSecond)
        return seconds * 1_000_000_000 + rest * 1_000_000_000 / tasksPerSecond
    }
}
