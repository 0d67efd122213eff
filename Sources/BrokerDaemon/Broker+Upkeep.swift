import Journal
import QueueStateMachine
import TaskModel
import WireProtocol

/// When what was last begun, so that one thing of a kind runs at a time.
struct Upkeep {
    var startedAt = MonotonicTime(rawValue: 0)
    var isCheckpointing = false
    /// Housekeeping is looked at once a second, or in every turn while it has something to do.
    var nextHousekeeping = MonotonicTime(rawValue: 0)
    static let housekeepingMilliseconds: UInt64 = 1_000
    /// When age asks for something though nothing arrives; nil if nothing ages.
    var nextAging: MonotonicTime?
    /// Journal time goes on while the machine sleeps, and the clock of the turns does not: so long, in
    /// milliseconds, something may be overdue after a sleep.
    static let agingMillisecondsMax: UInt64 = 3_600_000

    /// Something may age earlier than was known.
    mutating func expectAging() { nextAging = nextHousekeeping }
}

/// Carries live records out of a segment that is mostly dead, a portion a turn.
struct Compaction {
    var scan: SegmentScan?
    var isScanning = false
    var items: ArraySlice<SegmentScan.Item> = []

    var hasItems: Bool { !items.isEmpty }
    var isIdle: Bool { scan == nil && !isScanning && items.isEmpty }
    static let itemsPerTurnMax = 500
}

extension Broker {
    mutating func takeBackgroundResults() throws(JournalError) {
        for result in background.takeResults() {
            switch result {
            case .segmentPrepared(let segment): try journal.adopt(segment)
            case .checkpointWritten(let checkpoint):
                upkeep.isCheckpointing = false
                if let error = checkpoint.error { events.append(.checkpointFailed("\(error)")) }
                let deleted = try journal.finishCheckpoint(checkpoint)
                if !deleted.isEmpty { events.append(.segmentsDeleted(deleted)) }
            case .read(let span, let outcome):
                switch outcome {
                case .success(let stored): loaded[span] = stored
                // Moved or finished meanwhile: the commands look for its place anew.
                case .failure(.gone): break
                case .failure(let error): throw error
                }
                for command in postponed.removeValue(forKey: span) ?? [] { try perform(command) }
            case .scanned(let scan, let outcome):
                compaction.isScanning = false
                let items = try outcome.get()
                compaction.scan = items == nil ? nil : scan
                compaction.items = (items ?? [])[...]
            }
        }
    }

    /// Age and bounds: forgets finished tasks, dead-letters what waited too long, moves on with compaction.
    mutating func keepHouse() throws(JournalError) {
        if upkeep.startedAt.rawValue == 0 { upkeep.startedAt = clock.monotonic }
        let isDue = clock.monotonic >= upkeep.nextHousekeeping || state.isSweeping || state.hasExcessHistory
        if isDue, starved.isEmpty {
            upkeep.nextHousekeeping = clock.monotonic.advanced(
                byMilliseconds: Upkeep.housekeepingMilliseconds)
            let work = state.housekeeping(at: clock, limit: Self.upkeepPerTurnMax)
            if let forgotten = work.forget { try recordIfRoom(.historyForgotten(forgotten)) }
            for id in work.expired { try perform(.expire(id)) }
            for id in work.buried { try bury(id) }
            upkeep.nextAging = nextAging
        }
        giveUpLostBackup()
        try makeRoom()
        try compact()
    }

    /// Once a second at most, and at least once in ``Upkeep/agingMillisecondsMax``.
    private var nextAging: MonotonicTime? {
        guard let next = state.nextAging(at: clock.journal) else { return nil }
        let left = next > clock.journal ? next.rawValue - clock.journal.rawValue : 0
        let wake = clock.monotonic.advanced(byMilliseconds: min(left, Upkeep.agingMillisecondsMax))
        return max(wake, upkeep.nextHousekeeping)
    }

    /// Purges a dead task that its queue keeps no longer; later, where a full disk has no room for that.
    private mutating func bury(_ id: TaskID) throws(JournalError) {
        guard let purge = state.purge(of: id), try recordIfRoom(purge) else { return }
        events.append(.operated(id, .purge, actor: "dlq_retention"))
    }

    private mutating func compact() throws(JournalError) {
        for item in compaction.items.prefix(Compaction.itemsPerTurnMax)
        where state.isLive(item.moved.id, role: item.moved.role, at: item.span) {
            guard try recordIfRoom(.moved(item.moved)) else {
                // The segment stays as it is, and is found again when there is room.
                compaction.items = []
                compaction.scan = nil
                return
            }
        }
        compaction.items = compaction.items.dropFirst(Compaction.itemsPerTurnMax)
    }

    /// What can as well be done later: false where a full disk has no room for it.
    @discardableResult
    mutating func recordIfRoom(_ record: JournalRecord) throws(JournalError) -> Bool {
        do throws(JournalError) {
            _ = try self.record(record)
            return true
        } catch {
            guard case .full = error else { throw error }
            return false
        }
    }

    /// Gives out the work that must not hold up a turn.
    ///
    /// Nothing is staged here, so a checkpoint covers everything.
    mutating func beginBackgroundWork() throws(JournalError) {
        if let preparation = journal.preparationNeeded(clocks: rawClocks) {
            background.submit(.prepareSegment(preparation))
        }
        if !upkeep.isCheckpointing, journal.checkpointIsDue {
            upkeep.isCheckpointing = true
            background.submit(.writeCheckpoint(try journal.beginCheckpoint(), of: state))
        }
        if let scan = compaction.scan, !compaction.isScanning, compaction.items.isEmpty {
            compaction.isScanning = true
            background.submit(.scan(scan))
        } else if compaction.isIdle, let segment = journal.compactionCandidate() {
            compaction.isScanning = true
            background.submit(.scan(try journal.scan(segment: segment)))
        }
    }
}
