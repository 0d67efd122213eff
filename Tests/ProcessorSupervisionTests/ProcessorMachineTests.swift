import ProcessorSupervision
import TaskModel
import Testing

@Suite struct ProcessorMachineTests {
    private func at(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(rawValue: 0).advanced(byMilliseconds: milliseconds)
    }

    private let task = SupervisedPlugin.task()
    private var id: String { task.id.description }

    private func stream(_ change: (inout ProcessorSettings) -> Void = { _ in }) -> ProcessorMachine {
        var settings = ProcessorSettings()
        settings.mode = .stream
        change(&settings)
        return ProcessorMachine(streamWith: settings, now: at(0))
    }

    private func working() -> ProcessorMachine {
        var machine = stream()
        _ = machine.take(.ready(protocolVersion: 1), now: at(10))
        machine.assign(task, now: at(100))
        return machine
    }

    @Test func aStreamProcessIsReadyThenIdleThenWorks() {
        var machine = stream()
        #expect(machine.nextDeadline == at(60_000))
        let first = machine.take(.ready(protocolVersion: 1), now: at(10))
        #expect(first == .ready)
        #expect(machine.phase == .idle(since: at(10)))
        #expect(machine.nextDeadline == nil)
        machine.assign(task, now: at(100))
        #expect(machine.nextDeadline == at(30_100))
        #expect(machine.taskInHand == task.label)
        guard case .finished(let attempt, .acked, nil) = machine.take(.ack(id: id, result: nil), now: at(150))
        else {
            Issue.record("no end: \(machine.phase)")
            return
        }
        #expect(attempt.timing.durationMilliseconds(until: at(150)) == 50)
        #expect(machine.phase == .idle(since: at(150)))
    }

    @Test func pastTheTimeoutComesTermThenKillAndTheVerdictAtTheDeath() {
        var machine = working()
        let early = machine.passTime(now: at(30_099))
        #expect(early == nil)
        let term = machine.passTime(now: at(30_100))
        #expect(term == .terminate)
        #expect(machine.nextDeadline == at(35_100))
        let late = machine.take(.ack(id: id, result: nil), now: at(30_200))
        #expect(late == .none)
        let kill = machine.passTime(now: at(35_100))
        #expect(kill == .kill)
        #expect(machine.nextDeadline == nil)
        guard
            case .finished(_, .failed(.timedOut, let reason, nil)) = machine.ended(
                .signalled(9), byMemory: false, now: at(35_101))
        else {
            Issue.record("no time-out")
            return
        }
        #expect(reason == "timed out after 30 s")
    }

    @Test func extendCountsFromNowAndMaxRuntimeFromTheStart() {
        var machine = working()
        _ = machine.take(.extend(id: id, seconds: 60), now: at(20_100))
        #expect(machine.nextDeadline == at(80_100))
        _ = machine.take(.extend(id: id, seconds: 1), now: at(21_000))
        #expect(machine.nextDeadline == at(22_000))
        guard case .ignored = machine.take(.extend(id: id, seconds: 1e18), now: at(21_000)) else {
            Issue.record("the cut was not told")
            return
        }
        #expect(machine.nextDeadline == at(3_600_100))
        for seconds in [-5.0, .nan, -.infinity] {
            _ = machine.take(.extend(id: id, seconds: seconds), now: at(22_000))
            #expect(machine.nextDeadline == at(22_000))
        }
    }

    @Test func aKillForMemoryIsNamed() {
        #expect(
            verdict(working(), .signalled(9), byMemory: true)
                == .failed(.outOfMemory, reason: "ended without an answer", retryAfterMilliseconds: nil))
        #expect(
            verdict(working(), .signalled(9), byMemory: false)
                == .failed(.signalled(9), reason: "ended without an answer", retryAfterMilliseconds: nil))
    }

    private func verdict(
        _ machine: ProcessorMachine, _ status: ProcessorSupervision.ExitStatus, byMemory: Bool
    ) -> AttemptVerdict? {
        guard case .finished(_, let verdict) = machine.ended(status, byMemory: byMemory, now: at(200)) else {
            return nil
        }
        return verdict
    }

    @Test func aStopOfAWorkingProcessGivesTheTaskBack() {
        var machine = working()
        let order = machine.stop(now: at(500))
        #expect(order == .terminate)
        #expect(machine.nextDeadline == at(5_500))
        #expect(verdict(machine, .exited(0), byMemory: false) == .released)
    }

    @Test func aDrainWaitsForTheTaskThenClosesTheInput() {
        var machine = working()
        let nothing = machine.finishAndEnd(now: at(500))
        #expect(nothing == nil)
        guard case .finished(_, .acked, .closeInput) = machine.take(.ack(id: id, result: nil), now: at(600))
        else {
            Issue.record("the input stays open")
            return
        }
        let term = machine.passTime(now: at(1_100))
        #expect(term == .terminate)
        let kill = machine.passTime(now: at(6_100))
        #expect(kill == .kill)
        #expect(machine.ended(.signalled(9), byMemory: false, now: at(6_200)) == .quiet)
    }

    @Test func whoIsAbandonedIsKilledOnceAndSaysNothing() {
        var machine = working()
        let first = machine.abandon()
        #expect(first == .kill)
        let second = machine.abandon()
        #expect(second == nil)
        #expect(machine.taskInHand == nil)
        #expect(machine.ended(.signalled(9), byMemory: false, now: at(600)) == .quiet)
    }

    @Test func endingAfterSomeTasksIsWelcomeRightAfterReadyIsNot() {
        var machine = working()
        _ = machine.take(.ack(id: id, result: nil), now: at(150))
        #expect(machine.ended(.exited(0), byMemory: false, now: at(151)) == .quiet)
        var fresh = stream()
        _ = fresh.take(.ready(protocolVersion: 1), now: at(10))
        guard case .couldNotStart(nil, let reason) = fresh.ended(.exited(2), byMemory: false, now: at(20))
        else {
            Issue.record("taken for a start")
            return
        }
        #expect(reason == "ended with exit 2 right after it said that it is ready")
    }

    @Test func silenceBeforeReadyEndsTheProcessAndIsNamed() {
        var machine = stream { $0.startTimeoutMilliseconds = 500 }
        let noise = machine.take(.bad("noise"), now: at(100))
        guard case .ignored = noise else {
            Issue.record("\(noise)")
            return
        }
        let term = machine.passTime(now: at(500))
        #expect(term == .terminate)
        let reason = "did not say that it is ready within 0.5 s"
        #expect(
            machine.ended(.signalled(15), byMemory: false, now: at(510))
                == .couldNotStart(nil, reason: reason))
    }
}
