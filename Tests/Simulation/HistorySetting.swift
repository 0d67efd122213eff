/// What fixes a history: the same setting gives the same history, call by call.
package struct HistorySetting: Hashable, Sendable {
    package var seed: UInt64
    /// Requests and faults before the calm part, at least.
    package var operations: Int
    /// Whether the report tells what happened when.
    package var tellsStory = false
    /// Syncs answer well and make nothing durable: the simulation has to find what is lost by it.
    package var diskLies = false
    /// What a seed draws is fixed for an era, so that seeds found in an earlier one stay what they were.
    package var era: Era

    /// Each has all that the ones before it have.
    package enum Era: Int, Hashable, Sendable, Comparable, CaseIterable {
        /// Posts, deliveries, answers, pauses, lease and attempt settings.
        case spine = 1
        /// Operators in most histories: redrive, edit, purge, parked and halted queues, every setting.
        case operating = 2
        /// A queue that is declared, posted to and deleted.
        case deleting = 3

        package static func < (left: Era, right: Era) -> Bool { left.rawValue < right.rawValue }
        package static let current = Era.deleting
    }

    package init(
        seed: UInt64, operations: Int = HistorySetting.operationsDefault, era: Era = .current
    ) {
        self.seed = seed
        self.operations = operations
        self.era = era
    }

    package static let operationsDefault = 200
}

/// How a history went.
package struct HistoryReport: Sendable {
    /// Sentences that begin with the letter of the guarantee that was broken.
    package var violations: [String] = []
    package var tally = Tally()
    /// Over every frame that the broker sent: two runs of a seed agree on it.
    package var digest: UInt64 = 0
    /// Lines of the story, empty unless asked for.
    package var story: [String] = []

    package static func of(_ setting: HistorySetting) -> HistoryReport {
        var history = History(setting)
        return history.run()
    }
}
