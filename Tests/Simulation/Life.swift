import BrokerDaemon
import Journal
import QueueStateMachine
import TaskModel
import TestSupport

/// One life of the broker: the daemon's loop around the turn, as events of the simulation make it go.
struct Life {
    enum End {
        case killed
        case stopped
        case failed(JournalError)
    }

    typealias SimulatedBroker = Broker<SimulatedNetwork, SimulatedBackground>

    private let world: World
    private let disk: SimulatedDisk
    private let background: SimulatedBackground
    private let faults: DiskFaults
    var peers: Peers
    private(set) var operations = 0
    private(set) var isRecovering = true
    /// A bit that turned over while the broker ran, to be turned back at the end.
    private(set) var flip: (name: String, bit: Int)?

    private var clock = PatientClock()
    /// Lateness of this life, nanoseconds, as the simulation knows it.
    private var lateness: UInt64 = 0
    /// When the next turn was to begin at the latest; nil if any time was good.
    private var promised: UInt64?
    private var lastSync: UInt64 = 0
    private var syncs: UInt64 = 0
    private var wake: UInt64 = 0
    private var nextStep: UInt64 = 0
    private var nextJob: UInt64 = 0

    init(
        world: World, disk: SimulatedDisk, background: SimulatedBackground, faults: DiskFaults, peers: Peers
    ) {
        self.world = world
        self.disk = disk
        self.background = background
        self.faults = faults
        self.peers = peers
    }

    /// Runs with faults until the broker ends or so many operations are done.
    mutating func run(operations limit: Int) -> End {
        do {
            var broker = try start()
            let span = world.random.below(3) == 0 ? limit : min(limit, world.random.number(5...120))
            while operations < span {
                try next(&broker)
            }
            if world.random.below(3) > 0 { return .killed }
            broker.isStopping = true
            try turn(&broker)
            try broker.seal()
            return .stopped
        } catch {
            return .failed(error)
        }
    }

    /// Runs without faults until nothing waits any more.
    mutating func drain() -> End {
        do {
            var broker = try start()
            peers.step(world)
            peers.settle(world)
            for step in 0..<12_000 {
                try next(&broker)
                if step % 32 == 0 {
                    try tidy(&broker)
                    if isDrained(broker) { break }
                }
            }
            try checkDisk(&broker)
            broker.isStopping = true
            try turn(&broker)
            try broker.seal()
            return .stopped
        } catch {
            return .failed(error)
        }
    }

    private func isDrained(_ broker: borrowing SimulatedBroker) -> Bool {
        let staysDead = !world.conditions.operates || world.conditions.finalAct == .leave
        return broker.state.sums.allSatisfy { $0.live == 0 && (staysDead || $0.dead == 0) }
    }

    /// What is parked waits for an operator, and so does what is dead.
    private mutating func operate(_ broker: borrowing SimulatedBroker) {
        let now = MonotonicTime(rawValue: world.oracle.now)
        var parked: [TaskID] = []
        var dead: [TaskID] = []
        for task in world.oracle.order {
            guard case .live(let found) = broker.state.lookup(task.id, now: now) else { continue }
            switch found.state {
            case .pending, .leased: break
            case .parked: parked.append(task.id)
            case .dead: dead.append(task.id)
            }
        }
        peers.tidy(parked: parked, dead: dead, world)
    }

    /// Parked tasks wait for an operator.
    private mutating func tidy(_ broker: inout SimulatedBroker) throws(JournalError) {
        if broker.state.queue(named: Conditions.passingQueue) != nil { peers.clear(world) }
        if world.conditions.operates { return operate(broker) }
        guard broker.state.queues.contains(where: { $0.settings.onExhausted == .parkGroup }) else { return }
        let now = MonotonicTime(rawValue: world.oracle.now)
        var parked: [TaskID] = []
        for task in world.oracle.order where task.terms.mayPark && task.final == nil {
            if case .live(let found) = broker.state.lookup(task.id, now: now), found.state == .parked {
                parked.append(task.id)
            }
        }
        peers.cancelParked(parked, world)
    }

    private mutating func start() throws(JournalError) -> SimulatedBroker {
        let clocks = world.clocks
        world.disk = faults.lies ? nil : disk
        world.oracle.readJournalTime(clocks, isStart: true)
        world.oracle.began(at: clocks.monotonicNanoseconds, rebooted: world.rebooted)
        let broker = try Broker.recovering(
            disk, options: world.conditions.options, endpoint: world.network, background: background,
            clocks: clocks, now: clock.begin(rawNanoseconds: clocks.monotonicNanoseconds))
        world.rebooted = false
        isRecovering = false
        lastSync = clocks.monotonicNanoseconds
        syncs = broker.counters.syncs
        nextStep = world.time
        world.oracle.checkSums(broker.state)
        rest(broker)
        return broker
    }

    // The loop

    /// To the next thing that happens, and through it.
    private mutating func next(_ broker: inout SimulatedBroker) throws(JournalError) {
        let wakeTime = absolute(wake)
        let arrival = world.network.nextArrival ?? .max
        let job = background.hasJobs ? nextJob : .max
        let moment = min(nextStep, wakeTime, arrival, job)
        world.advance(to: moment)
        if world.time >= nextStep { step() }
        if background.hasJobs, world.time >= nextJob { runJob() }
        let arrived = world.network.nextArrival.map { $0 <= world.time } ?? false
        guard wakeTime <= world.time || arrived || background.hasResults else { return }
        world.advance(nanoseconds: UInt64(world.random.below(200)) * 1_000)
        if world.strikes(.stall, oneIn: 150) {
            world.tally.count(.stalls)
            world.advance(nanoseconds: UInt64(world.random.number(500...40_000)) * 1_000_000)
        }
        try turn(&broker)
    }

    private mutating func step() {
        operations += 1
        disturbClocks()
        flipBit()
        peers.step(world)
        if world.strikes(.fullDisk, oneIn: 40) {
            world.tally.count(.fullDisks)
            disk.limit(bytes: disk.usedBytes + world.random.below(3) * 4_096)
        } else if disk.isLimited, world.random.below(25) == 0 {
            disk.limit(bytes: nil)
        }
        let pace = world.conditions.paceMilliseconds
        var pause = UInt64(world.random.below(pace * 2_000)) * 1_000
        if world.random.below(25) == 0 { pause = UInt64(world.random.below(13_000)) * 1_000_000 }
        if world.isFaulty, world.random.below(world.conditions.longPauseOneIn) == 0 {
            pause = UInt64(world.random.pick([60, 600, 7_200, 400_000])) * 1_000_000_000
            // Nobody is there meanwhile: else every lease would run out again and again.
            // A full disk is tried again every second.
            if pause > 100_000_000_000 {
                peers.leave(world)
                disk.limit(bytes: nil)
            }
        }
        nextStep = world.time + pause
    }

    /// Damage that comes while the broker runs: it may end by it, and must not pass it on.
    private mutating func flipBit() {
        guard flip == nil, world.strikes(.flipUnderWork, oneIn: 40) else { return }
        let segments = disk.names.filter { $0.hasSuffix(".segment") }
        guard !segments.isEmpty else { return }
        let name = world.random.pick(segments)
        guard let used = disk.contents(name).lastIndex(where: { $0 != 0 }) else { return }
        flip = (name, world.random.below(used * 8))
        if let flip { disk.flipBit(flip.bit, of: flip.name) }
        world.tally.count(.flipsUnderWork)
        world.tell("a bit of \(name) turns over")
    }

    private func disturbClocks() {
        if world.strikes(.wallJump, oneIn: 40) {
            let day: Int64 = 86_400_000
            world.jumpWall(milliseconds: world.random.pick([-3_650 * day, -day / 24, day / 24, 3_650 * day]))
        }
        if world.strikes(.suspend, oneIn: 80) {
            world.suspend(milliseconds: UInt64(world.random.pick([2_000, 60_000, 3_600_000])))
        }
    }

    private mutating func runJob() {
        background.runOne()
        nextJob = world.time + UInt64(world.random.below(40)) * 1_000_000
    }

    private mutating func turn(_ broker: inout SimulatedBroker) throws(JournalError) {
        let clocks = world.clocks
        let raw = clocks.monotonicNanoseconds
        if let promised, raw > promised, raw - promised > PatientClock.toleranceNanoseconds {
            lateness += raw - promised
        }
        promised = nil
        world.tally.count(.turns)
        let now = clock.begin(rawNanoseconds: raw)
        if now.rawValue != raw - lateness {
            world.oracle.complain(
                "G: the patient clock is \(raw - now.rawValue) ns late, and the broker was \(lateness)")
            lateness = raw - now.rawValue
        }
        world.oracle.turnBegins(at: now.rawValue)
        world.oracle.readJournalTime(clocks)
        let failures = faults.outcome.failures.count
        try broker.turn(clocks, now: now)
        checkFailures(since: failures)
        world.note(&broker)
        world.oracle.turnEnded()
        if world.random.below(8) == 0 { world.oracle.checkSums(broker.state) }
        if broker.counters.syncs != syncs {
            syncs = broker.counters.syncs
            lastSync = raw
        }
        if world.strikes(.slowSync, oneIn: 100) {
            world.tally.count(.slowSyncs)
            world.advance(nanoseconds: UInt64(world.random.number(200...5_000)) * 1_000_000)
        }
        try broker.sealIfQuiet(lastSync: lastSync, now: raw)
        rest(broker, since: raw)
        if background.hasJobs, nextJob <= world.time {
            nextJob = world.time + UInt64(world.random.below(100)) * 1_000_000
        }
    }

    /// A write or sync of the journal's own that failed must end the turn, and did not.
    private func checkFailures(since earlier: Int) {
        for call in faults.outcome.failures.dropFirst(earlier) where call.operation == .sync {
            world.oracle.complain("H: a failed \(call.operation) of \(call.file) did not end the broker")
        }
    }

    /// Fixes when the next turn begins at the latest, by the broker's own rule, and checks it.
    private mutating func rest(_ broker: borrowing SimulatedBroker, since raw: UInt64? = nil) {
        let begun = raw ?? world.monotonic
        wake = broker.wakeTime(clock, lastSync: lastSync)
        clock.expectNext(beforeRawNanoseconds: wake)
        promised = broker.hasWork ? begun : max(wake, begun)
        if let due = world.oracle.nextDue, !broker.hasWork, wake > due + lateness, !world.oracle.mayPostpone {
            world.oracle.complain(
                "B: the broker sleeps \((wake - due - lateness) / 1_000) us past what is due at \(due)")
        }
    }

    /// A time of this boot's monotonic clock as time of the simulation.
    private func absolute(_ monotonic: UInt64) -> UInt64 {
        if monotonic == .max { return .max }
        return monotonic > world.monotonic ? world.time + (monotonic - world.monotonic) : world.time
    }

    // At the end

    /// Guarantee J: with a little traffic the disk comes down to what is live.
    private mutating func checkDisk(_ broker: inout SimulatedBroker) throws(JournalError) {
        for _ in 0..<12 {
            peers.knock(world)
            for _ in 0..<8 {
                while background.hasJobs { background.runOne() }
                try next(&broker)
            }
        }
        world.oracle.checkTables(broker.state)
        world.oracle.checkDisk(broker.state, usedBytes: disk.usedBytes)
    }
}
