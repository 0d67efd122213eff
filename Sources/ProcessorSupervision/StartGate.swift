package import TaskModel

/// Holds starts back after one that failed: tried again after 1 s, then twice as long each time up to 60 s,
/// and at once when the file has changed.
package struct StartGate: Hashable, Sendable {
    package static let firstDelayMilliseconds: UInt64 = 1_000
    package static let longestDelayMilliseconds: UInt64 = 60_000

    package enum State: Hashable, Sendable {
        case open
        /// Nothing is started before `retryAt`.
        case closed(retryAt: MonotonicTime)
        /// One start is being tried.
        case probing
    }

    package private(set) var state = State.open
    private var delayMilliseconds: UInt64 = 0

    package init() {}

    package var isStalled: Bool { state != .open }

    /// How many starts may be under way at once.
    package func startsMax(of concurrency: Int) -> Int {
        switch state {
        case .open: concurrency
        case .closed: 0
        case .probing: 1
        }
    }

    package mutating func startFailed(now: MonotonicTime) {
        // The other processes of one bad program fail together: they count as one failure.
        if case .closed = state { return }
        delayMilliseconds =
            delayMilliseconds == 0
            ? Self.firstDelayMilliseconds : min(2 * delayMilliseconds, Self.longestDelayMilliseconds)
        state = .closed(retryAt: now.advanced(byMilliseconds: delayMilliseconds))
    }

    /// True if this ended a stall.
    package mutating func startSucceeded() -> Bool {
        defer {
            state = .open
            delayMilliseconds = 0
        }
        return isStalled
    }

    /// The program is another now: the next start says how things are.
    package mutating func programChanged() {
        guard case .closed = state else { return }
        state = .probing
        delayMilliseconds = 0
    }

    package mutating func passTime(now: MonotonicTime) {
        if case .closed(let retryAt) = state, retryAt <= now { state = .probing }
    }

    package var nextDeadline: MonotonicTime? {
        guard case .closed(let retryAt) = state else { return nil }
        return retryAt
    }
}
