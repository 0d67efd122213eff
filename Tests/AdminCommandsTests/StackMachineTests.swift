import AdminCommands
import Testing

@Suite struct StackMachineTests {
    private static let mail = StackMember.worker(queue: "mail")
    private static let tasks = StackMember.worker(queue: "tasks")
    private static let died = StackMachine.Ending(words: "signal 9", isFinal: false)

    /// A stack with two workers in which all serve, at time 0.
    private static func serving() -> StackMachine {
        var machine = StackMachine()
        for queue in ["mail", "tasks"] { _ = machine.serve(queue, at: 0) }
        _ = machine.begin(at: 0)
        for member in [.broker, .ingest, mail, tasks] as [StackMember] { _ = machine.ready(member, at: 0) }
        return machine
    }

    @Test func eachRankStartsWhenTheOneBelowIsReady() {
        var machine = StackMachine()
        #expect(machine.begin(at: 0) == [.start(.broker)])
        for queue in ["mail", "tasks"] { #expect(machine.serve(queue, at: 0) == []) }
        #expect(machine.ready(.broker, at: 1) == [.start(.ingest)])
        #expect(machine.ready(.ingest, at: 2) == [.start(Self.mail), .start(Self.tasks), .announce])
        #expect(machine.ready(Self.mail, at: 3) == [])
        #expect(machine.nextDeadline == nil)
    }

    @Test func readinessSaidTwiceMeansNothingNew() {
        var machine = StackMachine()
        _ = machine.begin(at: 0)
        _ = machine.ready(.broker, at: 1)
        #expect(machine.ready(.broker, at: 2) == [])
    }

    @Test func aDaemonThatEndsBeforeItWasReadyStopsTheStack() {
        var machine = StackMachine()
        _ = machine.serve("mail", at: 0)
        _ = machine.begin(at: 0)
        let actions = machine.ended(.broker, .init(words: "exit 65", isFinal: true), at: 5)
        #expect(
            actions == [.say("taskq-broker ended before it was ready: exit 65; stopping"), .finish(code: 1)])
    }

    @Test func whatNoRestartCanCureStopsTheStackInOrder() {
        var machine = Self.serving()
        let actions = machine.ended(.broker, .init(words: "exit 65", isFinal: true), at: 5)
        #expect(
            actions == [
                .say("taskq-broker ended: exit 65; stopping"), .terminate(Self.mail), .terminate(Self.tasks),
            ])
        #expect(machine.ended(Self.mail, Self.died, at: 6) == [])
        #expect(machine.ended(Self.tasks, Self.died, at: 7) == [.terminate(.ingest)])
        #expect(machine.ended(.ingest, Self.died, at: 8) == [.finish(code: 1)])
    }

    @Test func aDeadBrokerIsStartedAgainWithoutTouchingTheOthers() {
        var machine = Self.serving()
        #expect(
            machine.ended(.broker, Self.died, at: 20_000)
                == [.say("taskq-broker ended: signal 9; starting it again in 100 ms")])
        #expect(machine.nextDeadline == 20_100)
        #expect(machine.tick(at: 20_099) == [])
        #expect(machine.tick(at: 20_100) == [.start(.broker)])
        #expect(machine.ready(.broker, at: 20_200) == [])
    }

    @Test func aWorkerThatKeepsDyingIsStartedEverMoreSeldom() {
        var machine = Self.serving()
        var now: UInt64 = 0
        var pauses: [UInt64] = []
        for _ in 0..<8 {
            _ = machine.ended(Self.mail, Self.died, at: now)
            let due = machine.nextDeadline ?? 0
            pauses.append(due - now)
            now = due
            #expect(machine.tick(at: now) == [.start(Self.mail)])
        }
        #expect(pauses == [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
        _ = machine.ended(Self.mail, Self.died, at: now + StackMachine.Delays.healthy)
        #expect(machine.nextDeadline == now + StackMachine.Delays.healthy + 100)
    }

    @Test func stoppingGoesFromWorkersToIngestToBroker() {
        var machine = Self.serving()
        #expect(machine.stopRequested(at: 100) == [.terminate(Self.mail), .terminate(Self.tasks)])
        #expect(machine.ended(Self.tasks, Self.died, at: 200) == [])
        #expect(machine.ended(Self.mail, Self.died, at: 300) == [.terminate(.ingest)])
        #expect(machine.ended(.ingest, Self.died, at: 400) == [.terminate(.broker)])
        #expect(machine.ended(.broker, Self.died, at: 500) == [.finish(code: 0)])
    }

    @Test func whatOutlivesItsGraceIsKilledWithinFiveSecondsInAll() {
        var machine = Self.serving()
        _ = machine.stopRequested(at: 1_000)
        var now: UInt64 = 1_000
        var killed: [StackMember] = []
        while let due = machine.nextDeadline {
            now = due
            for action in machine.tick(at: now) {
                guard case .kill(let member) = action else { continue }
                killed.append(member)
                _ = machine.ended(member, Self.died, at: now)
            }
        }
        #expect(killed == [Self.mail, Self.tasks, .ingest, .broker])
        #expect(now - 1_000 < 5_000)
    }

    @Test func aSecondRequestKillsEverythingAtOnceAndOnce() {
        var machine = Self.serving()
        _ = machine.stopRequested(at: 0)
        #expect(
            machine.stopRequested(at: 10)
                == [.kill(.broker), .kill(.ingest), .kill(Self.mail), .kill(Self.tasks)])
        #expect(machine.stopRequested(at: 11) == [])
        #expect(machine.nextDeadline == nil)
    }

    @Test func aStopWhileTheStackStartsEndsWhatRuns() {
        var machine = StackMachine()
        _ = machine.serve("mail", at: 0)
        _ = machine.begin(at: 0)
        #expect(machine.stopRequested(at: 1) == [.terminate(.broker)])
        #expect(machine.ready(.broker, at: 2) == [])
        #expect(machine.ended(.broker, Self.died, at: 3) == [.finish(code: 0)])
    }

    @Test func whatWaitsForItsRestartIsNotStartedOnceTheStackStops() {
        var machine = Self.serving()
        _ = machine.ended(Self.mail, Self.died, at: 0)
        _ = machine.stopRequested(at: 10)
        #expect(machine.tick(at: 1_000) == [])
    }

    @Test func aPluginThatComesLaterGetsItsWorkerAtOnce() {
        var machine = Self.serving()
        #expect(machine.serve("sms", at: 5) == [.start(.worker(queue: "sms"))])
        #expect(machine.serve("sms", at: 6) == [])
    }

    @Test func aWorkerWhosePluginIsGoneIsEndedAndNotStartedAgain() {
        var machine = Self.serving()
        #expect(machine.retire("mail", at: 5) == [.terminate(Self.mail)])
        #expect(machine.ended(Self.mail, Self.died, at: 6) == [])
        #expect(machine.nextDeadline == nil)
        #expect(machine.serve("mail", at: 7) == [.start(Self.mail)])
    }

    @Test func aPluginThatComesBackBeforeItsWorkerEndedIsServedByTheNextOne() {
        var machine = Self.serving()
        _ = machine.retire("mail", at: 5)
        #expect(machine.serve("mail", at: 6) == [])
        #expect(machine.ended(Self.mail, Self.died, at: 7) == [.start(Self.mail)])
    }

    @Test func aReplacedPluginEndsItsWorkerAndStartsTheNextAtOnce() {
        var machine = Self.serving()
        #expect(machine.renew("mail", at: 5) == [.terminate(Self.mail)])
        #expect(machine.renew("mail", at: 6) == [])
        #expect(machine.ended(Self.mail, Self.died, at: 7) == [.start(Self.mail)])
    }

    @Test func aRetiringWorkerHoldsTheStopOfTheStackNoLongerThanTheOthers() {
        var machine = Self.serving()
        _ = machine.retire("mail", at: 0)
        #expect(machine.stopRequested(at: 100) == [.terminate(Self.tasks)])
        #expect(machine.nextDeadline == 100 + StackMachine.Delays.killWorkers)
    }

    @Test func aReloadReachesWhoIsReadyAtOnceAndTheOthersWhenTheyAre() {
        var machine = StackMachine()
        _ = machine.serve("mail", at: 0)
        _ = machine.begin(at: 0)
        #expect(machine.reloadRequested() == [])
        #expect(machine.ready(.broker, at: 1) == [.reload(.broker), .start(.ingest)])
        #expect(machine.reloadRequested() == [.reload(.broker)])
        #expect(machine.ready(.ingest, at: 2) == [.reload(.ingest), .start(Self.mail), .announce])
        #expect(machine.ready(Self.mail, at: 3) == [])
        #expect(machine.reloadRequested() == [.reload(.broker), .reload(.ingest), .reload(Self.mail)])
    }

    @Test func whatStartsAgainReadsTheFilesByItselfAndAStoppingStackReloadsNothing() {
        var machine = Self.serving()
        _ = machine.ended(Self.mail, Self.died, at: 0)
        #expect(machine.reloadRequested() == [.reload(.broker), .reload(.ingest), .reload(Self.tasks)])
        #expect(machine.tick(at: 100) == [.start(Self.mail)])
        #expect(machine.ready(Self.mail, at: 200) == [])
        _ = machine.stopRequested(at: 300)
        #expect(machine.reloadRequested() == [])
    }
}
