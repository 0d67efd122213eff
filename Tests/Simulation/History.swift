import BrokerDaemon
import Glibc
import Journal
import QueueStateMachine
import TaskModel
import TestSupport
import WireProtocol

/// One history: the real turn, journal and state machine on a simulated disk, network, clock and workers,
/// from one seed.
struct History {
    private var world: World
    private var disk: SimulatedDisk
    private let background = SimulatedBackground()
    private var clients: [SimulatedClient]
    private var workers: [SimulatedWorker]
    private(set) var crashes = 0
    private(set) var turns = 0
    private let operations: Int

    init(seed: UInt64, operations: Int) {
        world = World(seed: seed)
        disk = SimulatedDisk(seed: seed)
        clients = [SimulatedClient(number: 1), SimulatedClient(number: 2)]
        workers = [
            SimulatedWorker(name: "a@tasks", queue: "tasks"),
            SimulatedWorker(name: "b@tasks", queue: "tasks"),
            SimulatedWorker(name: "a@other", queue: "other"),
        ]
        self.operations = operations
    }

    private static var options: BrokerOptions {
        var settings = QueueSettings()
        settings.maxAttempts = 3
        settings.retryInitialMilliseconds = 20
        settings.leaseMilliseconds = 30_000
        settings.dedupWindowMilliseconds = UInt64.max / 2
        return BrokerOptions(
            journal: JournalOptions(segmentBytes: 1 << 20),
            queues: [("other", settings), ("tasks", settings)],
            defaults: settings)
    }

    /// Runs the history: a faulty part, then a calm one in which everything has to drain.
    mutating func run() -> HistoryReport {
        var done = 0
        while done < operations { done += live(faulty: true, operations: operations - done) }
        for _ in 0..<8 where !isDrained { _ = live(faulty: false, operations: 600) }
        if !isDrained {
            world.oracle.complain("B: not everything drained after the faults had stopped: \(left)")
        }
        var report = HistoryReport(violations: world.oracle.violations)
        report.tally.count(.histories)
        report.tally.count(.operations, done)
        report.tally.count(.turns, turns)
        report.tally.count(.crashes, crashes)
        report.tally.count(.accepted, world.oracle.accepted.count)
        report.tally.count(.deliveries, world.oracle.deliveries)
        return report
    }

    private var left = ""
    private var isDrained = false

    /// One life of the broker, from recovery to crash or to the end of the operations.
    private mutating func live(faulty: Bool, operations: Int) -> Int {
        let dyingCall = faulty ? disk.calls + Int.random(in: 1...400, using: &world.random) : Int.max
        disk.inject { call in call.number >= dyingCall ? .dies : nil }
        var clock = PatientClock()
        var done = 1
        do {
            var broker = try Broker.recovering(
                disk, options: Self.options, endpoint: world.network, background: background,
                clocks: world.clocks,
                now: clock.begin(rawNanoseconds: world.monotonicNanoseconds))
            while done < operations {
                done += 1
                step(faulty: faulty)
                turns += 1
                try broker.turn(world.clocks, now: clock.begin(rawNanoseconds: world.monotonicNanoseconds))
                broker.events.removeAll()
                if world.random.oneIn(10) { try broker.seal() }
                checkSums(broker.state)
            }
            checkKnown(broker.state)
            if faulty, world.random.oneIn(3) { try broker.seal() }
        } catch {
            check(error)
        }
        crash()
        return done
    }

    private mutating func check(_ error: JournalError) {
        switch error {
        case .storage: break
        case .locked, .full, .tooLarge, .gone, .damaged, .damagedRecord, .unsupportedVersion, .foreignFile,
            .noGoodCheckpoint:
            world.oracle.complain("I: the broker ended with \(error)")
        }
    }

    private mutating func crash() {
        crashes += 1
        disk = disk.crashed(seed: world.random.next())
        world.network.brokerDied()
        for index in clients.indices { clients[index].lost(&world) }
        for index in workers.indices { workers[index].brokerDied() }
        while background.waiting > 0 { background.runOne() }
        _ = background.takeResults()
        if world.random.oneIn(6) { reboot() }
    }

    private mutating func reboot() {
        world.bootID += 1
        world.boottimeMilliseconds = 1_000
        world.monotonicNanoseconds = 1_000_000_000
        for index in workers.indices { workers[index].die(&world, seen: false) }
    }

    private mutating func step(faulty: Bool) {
        world.advance(
            milliseconds: world.random.oneIn(20) ? 12_000 : UInt64.random(in: 0...40, using: &world.random))
        if world.random.oneIn(3) { background.runOne() }
        for index in clients.indices {
            if clients[index].connection == nil { clients[index].connect(to: &world) }
            clients[index].read(&world)
            if faulty, world.random.oneIn(2) { clients[index].post(&world) }
        }
        for index in workers.indices {
            if !workers[index].isConnected, world.random.oneIn(3) { workers[index].connect(to: &world) }
            workers[index].read(&world)
            if !world.random.oneIn(3) { workers[index].work(&world, faulty: faulty) }
            if world.random.oneIn(3) { workers[index].renew(&world) }
            guard faulty else { continue }
            if world.random.oneIn(60) { workers[index].die(&world, seen: !world.random.oneIn(4)) }
            if world.random.oneIn(60) { workers[index].disconnect(&world) }
        }
    }

    /// Guarantee K: the sums balance, whatever has happened.
    private mutating func checkSums(_ state: QueueStateMachine) {
        for entry in state.sums {
            let counted =
                entry.live + entry.dead + entry.counters.completed + entry.counters.cancelled
                + entry.counters.purged
            if entry.counters.accepted != counted {
                world.oracle.complain(
                    "K: \(entry.queue.name) accepted \(entry.counters.accepted), counted \(counted)")
            }
        }
    }

    /// Guarantees A and B: what was acknowledged is there; what was acked for good stays finished.
    private mutating func checkKnown(_ state: QueueStateMachine) {
        let now = MonotonicTime(rawValue: world.monotonicNanoseconds)
        var unfinished: [TaskID] = []
        for (id, later) in world.oracle.passedOver {
            guard case .live(let task) = state.lookup(id, now: now), case .dead = task.state,
                task.receives >= 3
            else {
                world.oracle.complain("C: task \(later) was delivered before \(id) of its group was over")
                continue
            }
        }
        for id in world.oracle.accepted.keys {
            switch state.lookup(id, now: now) {
            case .unknown, .forgotten: world.oracle.complain("A: task \(id) was acknowledged and is unknown")
            case .live(let task):
                if world.oracle.confirmedAcks.contains(id) {
                    world.oracle.complain("B: task \(id) was acked for good and is \(task.state)")
                }
                if task.state == .pending || task.state == .leased { unfinished.append(id) }
            case .finished: break
            }
        }
        isDrained = unfinished.isEmpty
        left = "\(unfinished.count) of \(world.oracle.accepted.count)"
    }
}
