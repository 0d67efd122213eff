import ProcessorSupervision
import TaskModel
import Testing

@Suite struct StartGateTests {
    private func at(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(rawValue: 0).advanced(byMilliseconds: milliseconds)
    }

    @Test func pausesDoubleFromOneSecondToSixty() {
        var gate = StartGate()
        #expect(gate.startsMax(of: 4) == 4)
        var now: UInt64 = 0
        for pause in [1, 2, 4, 8, 16, 32, 60, 60] as [UInt64] {
            gate.startFailed(now: at(now))
            #expect(gate.startsMax(of: 4) == 0)
            #expect(gate.nextDeadline == at(now + pause * 1_000))
            gate.passTime(now: at(now + pause * 1_000 - 1))
            #expect(gate.startsMax(of: 4) == 0)
            now += pause * 1_000
            gate.passTime(now: at(now))
            #expect(gate.startsMax(of: 4) == 1)
        }
        let ended = gate.startSucceeded()
        #expect(ended)
        #expect(gate.state == .open)
        gate.startFailed(now: at(now))
        #expect(gate.nextDeadline == at(now + 1_000))
    }

    @Test func processesThatFailTogetherCountOnce() {
        var gate = StartGate()
        gate.startFailed(now: at(0))
        gate.startFailed(now: at(5))
        #expect(gate.nextDeadline == at(1_000))
    }

    @Test func anotherProgramIsTriedAtOnce() {
        var gate = StartGate()
        gate.startFailed(now: at(0))
        gate.programChanged()
        #expect(gate.state == .probing)
        gate.startFailed(now: at(10))
        #expect(gate.nextDeadline == at(1_010))
    }

    @Test func aSuccessWithoutAStallEndsNone() {
        var gate = StartGate()
        let ended = gate.startSucceeded()
        #expect(!ended)
    }
}
