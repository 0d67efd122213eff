/// What happened in one history, or in many, counted by kind.
package struct Tally: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        // What was done.
        case histories, operations, requests, turns, lives
        // What came of it.
        case accepted, replayed, refused, deliveries, taken, stale, completed, dead, cancelled, parked
        case checkpoints, segmentsDeleted, journalReadings
        // How lives of the broker ended.
        case crashInCall, crashInRecovery, killed, powerCuts, cleanStops, endedByError, reboots
        // Faults of the disk.
        case ioErrors, shortWrites, uncachedReads, fullDisks, fullEnds, bitFlips, flipsRefused, flipsHarmless
        case flipsTorn, flipsUnderWork
        // Faults of the clocks.
        case wallJumps, suspends, stalls, slowSyncs
        // Faults of the peers and the network.
        case workerDeathsSeen, workerDeathsUnseen, ingestDeaths, disconnects, framesLost, framesRepeated
        case framesNotSent, framesMalformed
        // Acts of an operator.
        case pauses, resumes, declarations, deletions, cancellations, lookups, waits
        case acts, operatorsGone, redriven, edited, purged, unparked
    }

    private var counts = [UInt64](repeating: 0, count: Kind.allCases.count)

    package init() {}

    package subscript(kind: Kind) -> UInt64 {
        get { counts[Self.place(of: kind)] }
        set { counts[Self.place(of: kind)] = newValue }
    }

    package mutating func count(_ kind: Kind, _ number: Int = 1) {
        counts[Self.place(of: kind)] += UInt64(number)
    }

    package mutating func add(_ other: Tally) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    /// `name=number`, spaces between; kinds that did not occur are left out.
    package var text: String {
        Kind.allCases.filter { self[$0] > 0 }.map { "\($0.rawValue)=\(self[$0])" }.joined(separator: " ")
    }

    /// Reads what ``text`` wrote; names that it does not know count as nothing.
    package init(text: some StringProtocol) {
        for pair in text.split(separator: " ") {
            let parts = pair.split(separator: "=")
            guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])), let number = UInt64(parts[1])
            else { continue }
            self[kind] = number
        }
    }

    private static func place(of kind: Kind) -> Int { places[kind] ?? 0 }
    private static let places = Dictionary(
        uniqueKeysWithValues: Kind.allCases.enumerated().map { ($0.element, $0.offset) })
}
