import BrokerDaemon
import Journal
import QueueStateMachine
import TaskModel
import TestSupport
import WireProtocol

typealias ConnectionRef = ConnectionID

/// What clients and workers of a simulation share: network, clocks, chance and the oracle.
struct World {
    var random: SeededGenerator
    let network = SimulatedNetwork()
    var oracle = Oracle()
    var monotonicNanoseconds: UInt64 = 5_000_000_000
    var boottimeMilliseconds: UInt64 = 5_000
    var wallMilliseconds: UInt64 = 1_700_000_000_000
    var bootID: UInt64 = 1
    private var taskCount: UInt64 = 0
    /// Highest counted attempt seen of each task.
    private var attempts: [TaskID: UInt32] = [:]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func nextTask() -> UInt64 {
        taskCount += 1
        return taskCount
    }

    mutating func noteAttempt(_ task: DeliveredTask) {
        if task.attempt > task.maxAttempts {
            oracle.complain("G: task \(task.id) was delivered \(task.attempt) times of \(task.maxAttempts)")
        }
        if task.attempt == task.maxAttempts { oracle.mayBeDead.insert(task.id) }
        attempts[task.id] = max(attempts[task.id] ?? 0, task.attempt)
    }

    var clocks: TurnClocks {
        TurnClocks(
            monotonicNanoseconds: monotonicNanoseconds,
            raw: RawClocks(
                boottimeMilliseconds: boottimeMilliseconds, wallMilliseconds: wallMilliseconds, bootID: bootID
            ))
    }

    mutating func advance(milliseconds: UInt64) {
        monotonicNanoseconds += milliseconds * 1_000_000
        boottimeMilliseconds += milliseconds
        wallMilliseconds += milliseconds
    }

    /// The bytes that belong to a task, so that a wrong payload shows.
    static func payload(of id: TaskID, size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: id.low &+ UInt64($0)) }
    }

    static func replies(in frame: [UInt8]) -> [Reply] {
        var replies: [Reply] = []
        do {
            var reader = try FrameReader(frame)
            while let reply = try reader.nextReply() { replies.append(reply) }
        } catch {
            preconditionFailure("the broker sent a frame that cannot be read: \(error)")
        }
        return replies
    }
}
