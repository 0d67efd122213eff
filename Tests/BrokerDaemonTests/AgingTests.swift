import BrokerDaemon
import Journal
import QueueStateMachine
import TaskModel
import Testing
import WireProtocol

/// What age asks for comes though nothing arrives: the broker wakes for it by itself.
@Suite struct AgingTests {
    private static let id = TaskID(unixMilliseconds: 1, random: (0, 1))
    private static let day: UInt64 = 86_400_000

    /// Days long where the test is not about it.
    private static func settings(retention: UInt64 = 9 * day, history: UInt64 = 9 * day) -> QueueSettings {
        var settings = QueueSettings()
        settings.retentionMilliseconds = retention
        settings.historyMilliseconds = history
        return settings
    }

    /// Takes only the turns that the broker asks for, until `isOver` or this many seconds have passed.
    ///
    /// - Returns: the seconds that passed, nil if it slept past the end, and the turns that it took.
    private static func idle(
        _ fixture: inout BrokerFixture, upTo seconds: Double, until isOver: (LookupState) -> Bool
    ) throws -> (seconds: Double?, turns: Int) {
        let begun = fixture.seconds
        for turns in 0..<1_000 {
            if isOver(state(in: fixture)) { return (fixture.seconds - begun, turns) }
            if !fixture.broker.hasWork {
                guard let deadline = fixture.broker.nextDeadline else { return (nil, turns) }
                let wake = Double(deadline.rawValue) / 1e9
                guard wake <= begun + seconds else { return (nil, turns) }
                fixture.seconds = max(fixture.seconds, wake)
            }
            _ = try fixture.turn()
        }
        return (nil, 1_000)
    }

    private enum LookupState: Equatable {
        case live(LiveTask.State)
        case finished
        case gone
    }

    private static func state(in fixture: borrowing BrokerFixture) -> LookupState {
        switch fixture.broker.state.lookup(id, now: MonotonicTime(rawValue: 0)) {
        case .live(let task): .live(task.state)
        case .finished: .finished
        case .forgotten, .unknown: .gone
        }
    }

    @Test func aWaitingTaskOfAnIdleBrokerIsDeadLetteredWhenItsRetentionEnds() throws {
        var fixture = try BrokerFixture(settings: Self.settings(retention: 4 * 3_600_000))
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        let idled = try Self.idle(&fixture, upTo: 4 * 3_600 + 120) { $0 == .live(.dead(.expired)) }
        let seconds = try #require(idled.seconds)
        #expect(seconds >= 4 * 3_600)
        // Once an hour for the sake of a machine that sleeps, and the turns of the walk.
        #expect(idled.turns < 15)
    }

    @Test func aFinishedTaskOfAnIdleBrokerIsForgottenWhenItsHistoryEnds() throws {
        var fixture = try BrokerFixture(settings: Self.settings(history: 90_000))
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.turn([
            (.ingest, .ingest, BrokerFixture.enqueue(1)),
            (.ingest, .ingest, .cancel(correlation: 2, id: Self.id, actor: "me")),
        ])
        #expect(Self.state(in: fixture) == .finished)
        let idled = try Self.idle(&fixture, upTo: 91) { $0 == .gone }
        #expect(try #require(idled.seconds) >= 90)
        #expect(idled.turns < 5)
    }

    @Test func aDeadTaskOfAnIdleBrokerIsPurgedWhenItIsKeptNoLonger() throws {
        var fixture = try BrokerFixture(settings: Self.settings(retention: 1_000))
        var options = BrokerOptions()
        options.bounds.everyQueue.deadRetentionMilliseconds = 600_000
        fixture.broker.reconfigure(options, changed: [])
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        let died = try Self.idle(&fixture, upTo: 120) { $0 == .live(.dead(.expired)) }
        #expect(died.seconds != nil)
        let idled = try Self.idle(&fixture, upTo: 601) { $0 == .gone }
        #expect(try #require(idled.seconds) >= 600)
        #expect(idled.turns < 5)
    }

    @Test func aShorterKeepingTimeReachesTheDeadOfAnIdleBroker() throws {
        var fixture = try BrokerFixture(settings: Self.settings(retention: 1_000))
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        _ = try Self.idle(&fixture, upTo: 120) { $0 == .live(.dead(.expired)) }
        fixture.seconds += 3_600
        _ = try fixture.turn()
        var options = BrokerOptions()
        options.bounds.everyQueue.deadRetentionMilliseconds = 1_000
        fixture.broker.reconfigure(options, changed: [])
        let idled = try Self.idle(&fixture, upTo: 2) { $0 == .gone }
        #expect(idled.seconds != nil)
    }

    @Test func anIdleBrokerInWhichNothingAgesSleeps() throws {
        var fixture = try BrokerFixture(settings: Self.settings())
        _ = try fixture.greet(.ingest, .ingest)
        fixture.seconds += 5
        _ = try fixture.turn()
        #expect(fixture.broker.nextDeadline == nil)
    }
}
