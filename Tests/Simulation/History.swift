import BrokerDaemon
import Glibc
import Journal
import QueueStateMachine
import TaskModel
import TestSupport

/// One history: the real turn, journal and state machine on a simulated disk, network, clock and peers, from
/// one seed.
struct History {
    private let setting: HistorySetting
    private let world: World
    private var disk: SimulatedDisk
    private let background = SimulatedBackground()
    private var peers: Peers
    private var operations = 0

    init(_ setting: HistorySetting) {
        self.setting = setting
        world = World(setting)
        disk = SimulatedDisk(seed: setting.seed)
        peers = Peers(world)
        world.network.world = world
        if setting.tellsStory {
            world.oracle.tell = { [unowned world] text in world.tell(text) }
        }
    }

    /// Runs the history: lives with faults, then a calm one in which everything has to drain.
    mutating func run() -> HistoryReport {
        // A journal that is refused is refused for ever, so that the first violation ends the history.
        while operations < setting.operations, !isBroken { live(for: setting.operations - operations) }
        world.isFaulty = false
        disk.limit(bytes: nil)
        if !isBroken { live(for: 0) }
        if !isBroken { readFiles { world.oracle.checkDrained($0) } }
        world.tally.count(.histories)
        world.tally.count(.operations, operations)
        world.tally.count(.checkpoints, background.checkpoints)
        world.tally.count(.framesLost, world.network.framesLost)
        world.tally.count(.framesNotSent, world.network.framesNotSent)
        world.tally.add(world.oracle.tally)
        return HistoryReport(
            violations: world.oracle.violations, tally: world.tally, digest: world.network.digest,
            story: world.story ?? [])
    }

    private var isBroken: Bool { !world.oracle.violations.isEmpty }

    // One life

    /// One life of the broker, from recovery to its end.
    private mutating func live(for operationsLeft: Int) {
        let faults = planFaults()
        disk.inject { faults.fault(in: $0) }
        world.tally.count(.lives)
        world.tell("the broker starts")
        var life = Life(world: world, disk: disk, background: background, faults: faults, peers: peers)
        let end = world.isFaulty ? life.run(operations: operationsLeft) : life.drain()
        peers = life.peers
        operations += life.operations
        if let flip = life.flip { disk.flipBit(flip.bit, of: flip.name) }
        note(end, faults.outcome, life)
        disk.inject { _ in nil }
        die(end)
    }

    private func planFaults() -> DiskFaults {
        var plan = DiskFaults.Plan()
        plan.seed = world.random.next()
        plan.lies = setting.diskLies
        let next = disk.calls + 1
        let reach = world.random.pick([30, 120, 400, 1_500])
        if world.strikes(.crashInCall, oneIn: 2) || setting.diskLies {
            plan.dyingCall = next + world.random.below(reach)
        }
        if world.strikes(.ioError, oneIn: 3) { plan.failingCalls = [next + world.random.below(reach)] }
        if world.knows(.shortWrite) { plan.shortOneIn = 8 }
        if world.knows(.uncachedRead) { plan.uncachedOneIn = world.random.pick([2, 10]) }
        return DiskFaults(plan)
    }

    private func note(_ end: Life.End, _ outcome: DiskFaults.Outcome, _ life: Life) {
        world.tally.count(.shortWrites, outcome.short)
        world.tally.count(.uncachedReads, outcome.uncached)
        world.tally.count(.ioErrors, outcome.failures.count)
        world.tell("the broker ends: \(end)")
        switch end {
        case .killed: world.tally.count(.killed)
        case .stopped: world.tally.count(.cleanStops)
        case .failed(let error):
            if outcome.hasDied { world.tally.count(life.isRecovering ? .crashInRecovery : .crashInCall) }
            if !outcome.hasDied { judge(error, outcome, life) }
        }
    }

    /// Only what was done to the disk may end the broker.
    private func judge(_ error: JournalError, _ outcome: DiskFaults.Outcome, _ life: Life) {
        world.tally.count(.endedByError)
        switch error {
        case .storage where !outcome.failures.isEmpty: break
        case .damaged where life.flip != nil, .damagedRecord where life.flip != nil: break
        case .full where disk.isLimited: world.tally.count(.fullEnds)
        case .storage(_, _, let errno) where disk.isLimited && errno == ENOSPC: world.tally.count(.fullEnds)
        case .storage, .full, .locked, .tooLarge, .gone, .damaged, .damagedRecord, .unsupportedVersion,
            .foreignFile, .noGoodCheckpoint, .isBackup, .notEmpty:
            world.oracle.complain("I: the broker ended with \(error)")
        }
    }

    /// The process is gone, and perhaps the power; what it leaves is looked at, and time passes.
    private mutating func die(_ end: Life.End) {
        let rebooted = world.strikes(.reboot, oneIn: 5)
        let isPowerCut = rebooted || world.strikes(.powerCut, oneIn: 2) || setting.diskLies
        if isPowerCut { world.tally.count(.powerCuts) }
        disk = isPowerCut ? disk.crashed(seed: world.random.next()) : disk.restarted()
        world.network.brokerDied()
        background.brokerDied()
        world.oracle.brokerDied()
        peers.brokerDied(world)
        world.tell(isPowerCut ? "the power is cut" : "only the process is gone")
        if world.isFaulty { disk.limit(bytes: nil) }
        world.advance(
            nanoseconds: UInt64(world.random.below(3) == 0 ? world.random.below(15_000) : 5) * 1_000_000)
        if rebooted {
            world.reboot()
            peers.rebooted(world)
        }
        world.rebooted = rebooted || world.rebooted
        readFiles(after: end) { world.oracle.check($0) }
        if !isBroken { flipBits() }
    }

    // The files

    /// Reads the journal as it lies there, with nothing changed, and asks the oracle about it.
    private func readFiles(after end: Life.End? = nil, _ check: (Ledger) -> Void) {
        guard !disk.names.isEmpty else { return }
        world.tally.count(.journalReadings)
        var ledger = Ledger()
        do {
            let found = try JournalVerification(disk, sink: &ledger)
            switch found.recovery {
            case .success(let report): if let end { checkEnd(report, after: end) }
            case .failure(let error): return refuse(error)
            }
        } catch {
            return refuse(error)
        }
        world.oracle.readJournalTime(world.clocks)
        check(ledger)
    }

    /// A life that ended between two turns leaves no torn write, a clean stop a seal.
    private func checkEnd(_ report: RecoveryReport, after end: Life.End) {
        let isTorn = report.warnings.contains { if case .tornTailCut = $0 { true } else { false } }
        switch end {
        case .failed: break
        case .killed:
            if isTorn { world.oracle.complain("I: torn, and no write was interrupted: \(report.warnings)") }
        case .stopped:
            if isTorn || !report.wasSealed {
                world.oracle.complain("I: not sealed after a clean stop: \(report.warnings)")
            }
        }
    }

    private func refuse(_ error: JournalError) {
        // A crash while the very first segment was made leaves nothing to read.
        if world.oracle.order.contains(where: \.isPromised) {
            world.oracle.complain("A: the journal cannot be read: \(error)")
        }
    }

    /// A bit turns over at rest: recovery has to refuse, or to find the same as before.
    private func flipBits() {
        guard world.strikes(.flipAtRest, oneIn: 3) else { return }
        var whole = Ledger()
        guard let before = recover(disk.copied(), &whole) else { return }
        guard case .success(let report) = before else { return }
        let copy = disk.copied()
        let names = copy.names.filter { copy.contents($0).count > 0 }
        guard !names.isEmpty else { return }
        let name = world.random.pick(names)
        let contents = copy.contents(name)
        // Mostly where something stands: the rest of a segment is zeros.
        let used = (contents.lastIndex { $0 != 0 } ?? 0) + 1
        let byte = world.random.below(world.random.below(8) == 0 ? contents.count : used)
        copy.flipBit(byte * 8 + world.random.below(8), of: name)
        world.tally.count(.bitFlips)
        var ledger = Ledger()
        switch recover(copy, &ledger) {
        case .failure(let error):
            // There is a second checkpoint, or the journal from its first record on.
            let isSpare = name.hasPrefix("checkpoint-")
            if error.isDamage, !isSpare { return world.tally.count(.flipsRefused) }
            world.oracle.complain("I: a flipped bit of byte \(byte) of \(name) ended in \(error)")
        case .success(let flipped):
            if ledger == whole { return world.tally.count(.flipsHarmless) }
            let isTear = flipped.warnings.contains {
                if case .tornTailCut = $0 { true } else { false }
            }
            if isTear, !report.wasSealed { return world.tally.count(.flipsTorn) }
            world.oracle.complain("I: a flipped bit of byte \(byte) of \(name) went unseen")
        case nil: break
        }
    }

    private func recover(_ disk: SimulatedDisk, _ ledger: inout Ledger) -> Result<
        RecoveryReport, JournalError
    >? {
        do {
            let journal = try Journal.open(
                storage: disk, options: world.conditions.options.journal, clocks: world.clocks.raw,
                sink: &ledger)
            return .success(journal.recovery)
        } catch {
            return .failure(error)
        }
    }
}
