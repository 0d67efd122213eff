import BrokerDaemon
import Journal
import TaskModel
import TestSupport
import WireProtocol

/// What everything in a simulation shares: chance, clocks, network, oracle, and the record of what happened.
final class World {
    var random: SeededGenerator
    let conditions: Conditions
    let network = SimulatedNetwork()
    let oracle: Oracle
    var tally = Tally()
    /// Nil unless the story is wanted.
    private(set) var story: [String]?
    /// Faults of disk, network, clocks and peers happen.
    var isFaulty = true

    /// The machine was rebooted since the broker last came up.
    var rebooted = false
    /// The disk under the broker that runs; nil where what it says is not to be believed.
    weak var disk: SimulatedDisk?

    /// Nanoseconds since the history began; never goes back.
    private(set) var time: UInt64 = 0
    private var bootStart: UInt64 = 0
    private var suspendedMilliseconds: UInt64 = 0
    private var wallOffsetMilliseconds: Int64 = 0
    private(set) var bootID: UInt64 = 1
    private var taskCount: UInt64 = 0

    static let wallBegin: Int64 = 1_700_000_000_000

    init(_ setting: HistorySetting) {
        var random = SeededGenerator(seed: setting.seed)
        conditions = Conditions(&random, setting)
        self.random = random
        oracle = Oracle(conditions)
        story = setting.tellsStory ? [] : nil
    }

    func knows(_ fault: Conditions.Fault) -> Bool { isFaulty && conditions.know(fault) }

    /// True once in `odds` times, and never without the fault.
    func strikes(_ fault: Conditions.Fault, oneIn odds: Int) -> Bool {
        knows(fault) && random.below(odds) == 0
    }

    func tell(_ text: @autoclosure () -> String) {
        guard story != nil else { return }
        story?.append("\(Double(time / 1_000) / 1_000) ms  \(text())")
    }

    // Clocks

    /// CLOCK_MONOTONIC of this boot, nanoseconds.
    var monotonic: UInt64 { time - bootStart + 1_000_000_000 }
    var boottimeMilliseconds: UInt64 { monotonic / 1_000_000 + suspendedMilliseconds }

    var clocks: TurnClocks {
        let wall = Self.wallBegin + wallOffsetMilliseconds + Int64(time / 1_000_000)
        return TurnClocks(
            monotonicNanoseconds: monotonic,
            raw: RawClocks(
                boottimeMilliseconds: boottimeMilliseconds, wallMilliseconds: UInt64(max(0, wall)),
                bootID: bootID))
    }

    func advance(nanoseconds: UInt64) { time += nanoseconds }
    func advance(to later: UInt64) { time = max(time, later) }

    func jumpWall(milliseconds: Int64) {
        wallOffsetMilliseconds += milliseconds
        tally.count(.wallJumps)
        tell("the wall clock jumps by \(milliseconds / 1_000) s")
    }

    /// CLOCK_BOOTTIME goes on in a suspend, CLOCK_MONOTONIC stands still.
    func suspend(milliseconds: UInt64) {
        suspendedMilliseconds += milliseconds
        wallOffsetMilliseconds += Int64(milliseconds)
        tally.count(.suspends)
        tell("the machine sleeps for \(milliseconds / 1_000) s")
    }

    func reboot() {
        bootID += 1
        bootStart = time
        suspendedMilliseconds = 0
        tally.count(.reboots)
        tell("the machine reboots")
    }

    // The broker

    /// Takes the events of a turn.
    func note(_ broker: inout Life.SimulatedBroker) {
        for event in broker.events {
            switch event {
            case .segmentsDeleted(let segments): tally.count(.segmentsDeleted, segments.count)
            case .parked: tally.count(.parked)
            case .accepted, .leased, .completed, .attemptFailed, .deadLettered, .cancelled,
                .operated, .workerConnected, .workerGone, .queueDeclared, .queueDeleted, .pauseChanged,
                .stalled, .badFrame, .diskFull, .checkpointFailed, .backupBegan, .backupEnded:
                break
            }
        }
        broker.events.removeAll(keepingCapacity: true)
    }

    /// Guarantee A at the boundary: nothing leaves before what it speaks of is on disk.
    func checkDurable() {
        guard let disk else { return }
        for name in disk.unsyncedNames where name.hasSuffix(".segment") {
            oracle.complain("A: a frame left while bytes of \(name) were not on disk")
        }
    }

    // Tasks

    func newTaskID() -> TaskID {
        taskCount += 1
        return TaskID(unixMilliseconds: clocks.raw.wallMilliseconds, random: (taskCount, random.next()))
    }

    /// The bytes that belong to a task, so that a wrong payload shows.
    static func payload(of id: TaskID, size: Int) -> ArraySlice<UInt8> {
        let offset = Int(id.low % 8_192)
        return pattern[offset..<(offset + min(size, payloadBytesMax))]
    }

    static let payloadBytesMax = 62_000
    private static let pattern: [UInt8] = {
        var random = SeededGenerator(seed: 4_711)
        return random.bytes(count: payloadBytesMax + 8_192)
    }()
}
