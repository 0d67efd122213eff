import Logging
import Synchronization

/// The least level that is written, shared by all loggers of a log; may change while they log.
final class LogLevel: Sendable {
    private static let levels = Logger.Level.allCases
    /// The place among all levels, least severe first.
    private let place: Atomic<Int>

    init(_ level: Logger.Level) {
        place = Atomic(Self.place(of: level))
    }

    var value: Logger.Level { Self.levels[place.load(ordering: .relaxed)] }

    func set(_ level: Logger.Level) { place.store(Self.place(of: level), ordering: .relaxed) }

    private static func place(of level: Logger.Level) -> Int { levels.firstIndex(of: level) ?? 0 }
}
