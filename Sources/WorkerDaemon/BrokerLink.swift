package import TaskModel

/// Where the conversation with the broker stands.
///
/// Pure: the time is an argument.
package struct BrokerLink: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// No connection; the socket tries again by itself.
        case away
        /// Hello was said; nothing that comes before the welcome counts.
        case greeting
        /// The broker did not want us, for a reason that passes: a queue not declared yet, an older run of
        /// ours that it still believes in.
        case refused(retryAt: MonotonicTime)
        case connected(leaseMilliseconds: UInt64, renewAt: MonotonicTime)
    }

    package static let firstRetryMilliseconds: UInt64 = 20
    package static let longestRetryMilliseconds: UInt64 = 1_000

    package private(set) var state = State.away
    private var retryMilliseconds = firstRetryMilliseconds

    package init() {}

    package var isConnected: Bool {
        if case .connected = state { true } else { false }
    }

    package var nextDeadline: MonotonicTime? {
        switch state {
        case .away, .greeting: nil
        case .refused(let retryAt): retryAt
        case .connected(_, let renewAt): renewAt
        }
    }

    /// A fresh connection, or a broker that does not know us: hello is to be said.
    package mutating func greet() {
        state = .greeting
    }

    package mutating func lost() {
        state = .away
        retryMilliseconds = Self.firstRetryMilliseconds
    }

    package mutating func welcomed(leaseMilliseconds: UInt64, now: MonotonicTime) {
        retryMilliseconds = Self.firstRetryMilliseconds
        state = .connected(
            leaseMilliseconds: leaseMilliseconds, renewAt: Self.renewal(of: leaseMilliseconds, from: now))
    }

    package mutating func refused(now: MonotonicTime) {
        state = .refused(retryAt: now.advanced(byMilliseconds: retryMilliseconds))
        retryMilliseconds = min(2 * retryMilliseconds, Self.longestRetryMilliseconds)
    }

    package enum Due: Hashable, Sendable {
        case nothing
        case hello
        case renewal
    }

    /// What the time has brought about.
    package mutating func passTime(now: MonotonicTime) -> Due {
        switch state {
        case .refused(let retryAt) where retryAt <= now:
            return .hello
        case .connected(let lease, let renewAt) where renewAt <= now:
            state = .connected(leaseMilliseconds: lease, renewAt: Self.renewal(of: lease, from: now))
            return .renewal
        case .away, .greeting, .refused, .connected:
            return .nothing
        }
    }

    /// Every third of the lease, so that one renewal may be lost.
    private static func renewal(of leaseMilliseconds: UInt64, from now: MonotonicTime) -> MonotonicTime {
        now.advanced(byMilliseconds: max(leaseMilliseconds / 3, 1))
    }
}
