import BrokerDaemon
import Journal
import QueueStateMachine
import TaskModel
import TestSupport

/// What kind of history a seed gives: which faults it knows, how large its tables are, how fast it goes.
///
/// Every history knows some faults and not others: where all happen at once, each hides the others.
struct Conditions {
    enum Fault: Int, CaseIterable {
        case crashInCall, powerCut, ioError, shortWrite, uncachedRead, fullDisk, flipAtRest, flipUnderWork
        case wallJump, suspend, reboot, stall, slowSync
        case workerDeath, ingestDeath, disconnect, slowPeer, repeatedFrame, malformedFrame
        case pause, cancel, redeclare, lookup
    }

    struct QueueTerms {
        let name: String
        var settings: QueueSettings
    }

    private var knows: [Bool]
    let segmentBytes: Int
    let finishedMax: Int
    let keysMax: Int
    var queues: [QueueTerms]
    /// Most milliseconds between two steps, usually.
    let paceMilliseconds: Int
    /// Keys that posts draw from; few keys repeat often.
    let keys: Int
    let groups: Int
    let workersPerQueue: Int
    /// A large payload every so many posts.
    let largeOneIn: Int
    /// A step of hours or days every so many, for what ages.
    let longPauseOneIn: Int
    /// Whether operators work on tasks.
    let operates: Bool
    let finalAct: FinalAct
    /// Settings of a queue that comes and goes; nil where there is none.
    private(set) var passing: QueueSettings?
    static let passingQueue = "passing"

    /// What becomes of the dead when the faults are over.
    enum FinalAct {
        case leave
        case redrive
        case purge
    }

    /// - Parameters:
    ///   - random: what every era draws from, in the same order for ever.
    ///   - setting: seeds the draws of later eras, which have a generator of their own.
    init(_ random: inout SeededGenerator, _ setting: HistorySetting) {
        knows = Fault.allCases.map { _ in random.below(3) > 0 }
        // These hide much of what the oracle could say, so few histories know them.
        for rare in [Fault.uncachedRead, .malformedFrame, .fullDisk] where random.below(3) > 0 {
            knows[rare.rawValue] = false
        }
        segmentBytes = random.pick([8, 16, 16, 32, 64]) << 10
        finishedMax = random.pick([3, 20, 200, 200_000])
        keysMax = random.pick([8, 1_000, 1_000_000])
        paceMilliseconds = random.pick([2, 20, 40, 200])
        keys = random.pick([3, 12, 40])
        groups = random.pick([1, 3, 8])
        workersPerQueue = random.pick([1, 2, 2, 3])
        largeOneIn = random.pick([12, 60])
        longPauseOneIn = random.pick([40, 400])
        queues = ["tasks", "other"].map { name in
            QueueTerms(name: name, settings: Self.settings(&random, isSecond: name == "other"))
        }
        var own = SeededGenerator(seed: setting.seed ^ 0x6F70_6572_6174_6F72)
        operates = setting.era >= .operating && own.below(3) > 0
        finalAct = own.pick([.leave, .redrive, .redrive, .purge])
        var last = SeededGenerator(seed: setting.seed ^ 0x6465_6C65_7469_6E67)
        if setting.era >= .deleting, last.below(2) == 0 {
            passing = Self.settings(&last, isSecond: false)
        }
        guard operates else { return }
        for index in queues.indices {
            queues[index].settings.onExhausted = own.pick(
                [.deadLetter, .deadLetter, .parkGroup, .haltQueue])
        }
    }

    /// The settings of a queue, one of them changed.
    func changed(_ queue: QueueTerms, _ random: inout SeededGenerator) -> QueueSettings {
        var settings = queue.settings
        switch random.below(8) {
        case 0: settings.maxAttempts = UInt32(random.number(1...4))
        case 1: settings.leaseMilliseconds = random.pick([15_000, 60_000])
        case 2: settings.dedupWindowMilliseconds = random.pick([1_000, 60_000])
        case 3: settings.retentionMilliseconds = random.pick([60_000, 600_000, 86_400_000])
        case 4: settings.maxDepth = random.pick([3, 20, 10_000])
        case 5: settings.onExhausted = random.pick([.deadLetter, .parkGroup, .haltQueue])
        case 6: settings.retryInitialMilliseconds = random.pick([0, 100, 5_000])
        case _: settings.historyMilliseconds = random.pick([1_000, 600_000])
        }
        return settings
    }

    private static func settings(_ random: inout SeededGenerator, isSecond: Bool) -> QueueSettings {
        var settings = QueueSettings()
        settings.maxAttempts = random.pick([1, 2, 3, 3, 5])
        settings.retryInitialMilliseconds = random.pick([0, 20, 1_000])
        settings.leaseMilliseconds = random.pick([12_000, 30_000, 180_000])
        settings.dedupWindowMilliseconds = random.pick([200, 5_000, 300_000])
        settings.historyMilliseconds = random.pick([2_000, 60_000, 3_600_000])
        settings.retentionMilliseconds = random.pick([120_000, 3_600_000, 14 * 86_400_000])
        settings.maxDepth = random.pick([6, 10_000, 10_000])
        if isSecond {
            settings.onExhausted = random.pick([.deadLetter, .deadLetter, .parkGroup])
            settings.defaultGroup = random.pick([.queue, .task])
        }
        return settings
    }

    func know(_ fault: Fault) -> Bool { knows[fault.rawValue] }

    var options: BrokerOptions {
        var options = BrokerOptions(
            journal: JournalOptions(segmentBytes: segmentBytes),
            queues: queues.map { ($0.name, $0.settings) },
            defaults: QueueSettings())
        options.bounds.finishedMax = finishedMax
        options.bounds.keysMax = keysMax
        return options
    }
}

extension SeededGenerator {
    /// A number from 0 up to, not including, `bound`.
    mutating func below(_ bound: Int) -> Int { Int(truncatingIfNeeded: next() >> 33) % max(1, bound) }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
