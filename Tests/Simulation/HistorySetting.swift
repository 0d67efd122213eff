/// What fixes a history: the same setting gives the same history, call by call.
package struct HistorySetting: Hashable, Sendable {
    package var seed: UInt64
    /// Requests and faults before the calm part, at least.
    package var operations: Int
    /// Whether the report tells what happened when.
    package var tellsStory = false
    /// Syncs answer well and make nothing durable: the simulation has to find what is lost by it.
    package var diskLies = false

    package init(seed: UInt64, operations: Int = HistorySetting.operationsDefault) {
        self.seed = seed
        self.operations = operations
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
