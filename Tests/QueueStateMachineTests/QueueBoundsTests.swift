import QueueStateMachine
import TaskModel
import Testing

/// What a queue may take of the disk and of workers.
@Suite struct QueueBoundsTests {
    /// Every record of the fixture takes ten bytes.
    private static func fixture(bytes: UInt64 = .max, workers: Int = .max) -> MachineFixture {
        var bounds = QueueStateMachine.Bounds()
        bounds.queues["tasks"] = QueueStateMachine.QueueBounds()
        bounds.queues["tasks"]?.storedBytesMax = bytes
        bounds.queues["tasks"]?.workersMax = workers
        var fixture = MachineFixture(bounds: bounds)
        fixture.declare("tasks")
        fixture.declare("other")
        return fixture
    }

    private func isFull(_ acceptance: Acceptance) -> Bool {
        if case .refuse(.queueFull) = acceptance { true } else { false }
    }

    private func arrive(_ fixture: inout MachineFixture, _ number: UInt64, queue: String = "tasks") -> Bool {
        let arrival = fixture.machine.workerArrived(
            PeerID(rawValue: UInt32(number)), name: "w\(number)", session: SessionID(rawValue: number),
            queue: queue,
            holding: [], now: fixture.clock.monotonic)
        if case .refused = arrival { return false }
        return true
    }

    @Test func postsAreRefusedAboveTheBytesOfTheirQueueAndTakenAgainBelow() {
        // A payload of nine bytes has to fit; its record then takes ten.
        var fixture = Self.fixture(bytes: 39)
        for number in 1...4 { #expect(!isFull(fixture.post(number))) }
        #expect(fixture.machine.storedBytes(of: QueueNumber(rawValue: 1)) == 40)
        #expect(isFull(fixture.post(5)))
        #expect(!isFull(fixture.post(6, queue: "other")))
        if case .record(let record) = fixture.machine.cancellation(
            of: MachineFixture.id(1), actor: "", earlier: [], at: fixture.clock)
        {
            fixture.stage(record)
        }
        // Its payload went, its end is remembered.
        #expect(fixture.machine.storedBytes(of: QueueNumber(rawValue: 1)) == 40)
        fixture.stage(.historyForgotten(HistoryForgotten(count: 1, newestForgotten: 1)))
        #expect(fixture.machine.storedBytes(of: QueueNumber(rawValue: 1)) == 30)
        #expect(!isFull(fixture.post(7)))
    }

    @Test func aBoundThatChangesHoldsFromThenOn() {
        var fixture = Self.fixture(bytes: 10)
        #expect(!isFull(fixture.post(1)))
        #expect(isFull(fixture.post(2)))
        fixture.machine.bounds.queues = [:]
        #expect(!isFull(fixture.post(3)))
    }

    @Test func onlySoManyWorkersServeAQueue() {
        var fixture = Self.fixture(workers: 2)
        #expect(arrive(&fixture, 1))
        #expect(arrive(&fixture, 2))
        #expect(!arrive(&fixture, 3))
        #expect(arrive(&fixture, 3, queue: "other"))
        _ = fixture.machine.workerDied(PeerID(rawValue: 1))
        #expect(arrive(&fixture, 4))
    }

    @Test func aRestartFindsTheSameBytes() {
        var fixture = Self.fixture()
        for number in 1...6 { _ = fixture.post(number, group: "g\(number)") }
        #expect(arrive(&fixture, 1))
        fixture.machine.setCredit(6, of: PeerID(rawValue: 1))
        let failure = Failure(outcome: .exited(status: 1), durationMilliseconds: 1, reason: "no")
        for (index, next) in fixture.deliver().enumerated() {
            let answer: Answer =
                switch index % 3 {
                case 0: .ack(result: [], resultError: "")
                case 1: .nack(failure)
                case _: .reject(failure)
                }
            _ = fixture.settle(answer, receipt: next.receipt, id: next.delivery.record.id)
        }
        let queue = QueueNumber(rawValue: 1)
        let bytes = fixture.machine.storedBytes(of: queue)
        #expect(bytes == UInt64(fixture.liveSpans.count) * 10)
        fixture.restartFromCheckpoint()
        #expect(fixture.machine.storedBytes(of: queue) == bytes)
        fixture.restartByReplay()
        #expect(fixture.machine.storedBytes(of: queue) == bytes)
    }

    @Test func aDeadTaskIsBuriedWhenItsQueueKeepsItNoLonger() {
        var fixture = Self.fixture()
        fixture.bounds.queues["tasks"]?.deadRetentionMilliseconds = 60_000
        fixture.machine.bounds = fixture.bounds
        for (number, queue) in [(1, "tasks"), (2, "tasks"), (3, "other")] {
            _ = fixture.post(number, queue: queue, group: "g\(number)")
        }
        #expect(arrive(&fixture, 1) && arrive(&fixture, 2, queue: "other"))
        for peer in [1, 2] as [UInt32] { fixture.machine.setCredit(1, of: PeerID(rawValue: peer)) }
        let failure = Failure(outcome: .rejected, durationMilliseconds: 1, reason: "no")
        for second in [10, 30] {
            fixture.seconds = Double(second)
            for next in fixture.deliver() {
                _ = fixture.settle(.reject(failure), receipt: next.receipt, id: next.delivery.record.id)
            }
        }
        func buried(at second: Double) -> [TaskID] {
            fixture.seconds = second
            return fixture.machine.housekeeping(at: fixture.clock, limit: 100).buried
        }
        func nextAging(at second: Double) -> UInt64? {
            fixture.seconds = second
            return fixture.machine.nextAging(at: fixture.clock.journal)?.rawValue
        }
        #expect(nextAging(at: 60) == 70_000)
        #expect(buried(at: 69) == [])
        #expect(buried(at: 71) == [MachineFixture.id(1)])
        // A checkpoint says when each died.
        fixture.restartFromCheckpoint()
        #expect(buried(at: 71) == [MachineFixture.id(1)])
        if let purge = fixture.machine.purge(of: MachineFixture.id(1)) { fixture.stage(purge) }
        #expect(buried(at: 89) == [])
        #expect(buried(at: 91) == [MachineFixture.id(2)])
        fixture.restartByReplay()
        #expect(buried(at: 91) == [MachineFixture.id(2)])
    }
}
