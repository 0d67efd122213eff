package import Systemd

/// The line that `systemctl status` shows of a working broker: what waits, what is dead, and the rates.
///
/// At most one a second, and the last one is written when everything is quiet, so that it stays true while
/// the broker sleeps.
package struct StatusLine: Sendable {
    private static let intervalNanoseconds: UInt64 = 1_000_000_000

    package struct Figures: Hashable, Sendable {
        /// Tasks that are neither finished nor dead.
        package var live: UInt64 = 0
        package var dead: UInt64 = 0
        /// Since the beginning of the journal.
        package var accepted: UInt64 = 0
        package var completed: UInt64 = 0

        package init() {}
    }

    private var written = ""
    private var last = Figures()
    private var lastAt: UInt64 = 0
    /// When the line is to be looked at again, though nothing else happens; raw monotonic nanoseconds.
    package private(set) var nextUpdate: UInt64?

    package init() {}

    /// The line, where there is a new one; `figures` is asked once a second at most.
    package mutating func update(now: UInt64, figures: () -> Figures) -> ServiceNotification? {
        guard now >= nextUpdate ?? (lastAt + Self.intervalNanoseconds) else { return nil }
        let present = figures()
        let seconds = Double(max(now - lastAt, 1)) / 1e9
        let isFirst = lastAt == 0
        let accepted = isFirst ? 0 : Self.rate(present.accepted, last.accepted, seconds)
        let completed = isFirst ? 0 : Self.rate(present.completed, last.completed, seconds)
        last = present
        lastAt = now
        let text =
            "\(present.live) tasks live, \(present.dead) dead; "
            + "\(accepted)/s accepted, \(completed)/s completed"
        guard text != written else {
            nextUpdate = nil
            return nil
        }
        written = text
        nextUpdate = now + Self.intervalNanoseconds
        return .status(text)
    }

    private static func rate(_ now: UInt64, _ before: UInt64, _ seconds: Double) -> UInt64 {
        UInt64((Double(now - min(before, now)) / seconds).rounded())
    }
}
