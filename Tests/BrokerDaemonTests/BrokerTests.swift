import BrokerDaemon
import Glibc
import Journal
import TaskModel
import Testing
import WireProtocol

@Suite struct BrokerTests {
    @Test func aStrangerIsAskedToSayHello() throws {
        var fixture = try BrokerFixture()
        #expect(try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))]) == [.helloRequired])
    }

    @Test func eachSocketTakesOnlyItsRolesMessages() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.worker, .worker)
        let replies = try fixture.turn([(.worker, .worker, BrokerFixture.enqueue(1))])
        #expect(replies == [.rejected(reason: "enqueue is not for the worker socket")])
        let refused = try fixture.turn([
            (.admin, .admin, .hello(Hello(role: .worker, name: "a", session: SessionID(rawValue: 1))))
        ])
        #expect(refused == [.helloRefused(reason: "this is the admin socket, and the peer is worker")])
    }

    @Test func aBadFrameIsAnsweredAndTheNextOneWorks() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        fixture.wire.events = [.frame(.ingest, .ingest, [9, 9, 9])]
        let replies = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        #expect(replies.count == 2)
        #expect(replies.last == .enqueued(correlation: 1, outcome: .accepted(TaskSequence(rawValue: 1))))
        #expect(fixture.broker.counters.badFrames == 1)
    }

    @Test func nothingIsAnsweredWhenTheSyncFails() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        fixture.disk.inject { call in call.operation == .sync ? .fails(errno: EIO) : nil }
        #expect(throws: JournalError.self) {
            try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        }
        #expect(fixture.wire.sent.isEmpty)
    }

    @Test func theNextDeliverySharesTheSyncOfTheAckBeforeIt() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(.worker, .worker)
        _ = try fixture.turn([
            (.ingest, .ingest, BrokerFixture.enqueue(1)), (.ingest, .ingest, BrokerFixture.enqueue(2)),
        ])
        let delivered = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
        let first = try #require(delivered.deliveries.first, "\(delivered)")
        #expect(String(decoding: first.payload, as: UTF8.self) == "payload 1")
        let syncs = fixture.broker.counters.syncs
        let replies = try fixture.turn([
            (.worker, .worker, .ack(receipt: first.receipt, id: first.id, result: [], resultError: ""))
        ])
        #expect(fixture.broker.counters.syncs == syncs + 1)
        #expect(replies.first == .settled(receipt: first.receipt, .taken))
        let second = try #require(replies.deliveries.last, "\(replies)")
        #expect(second.attempt == 1)
        #expect(String(decoding: second.payload, as: UTF8.self) == "payload 2")
    }

    /// Found by the simulation, seed 166: somebody who did not hold it worked on it, after later tasks.
    @Test func aPayloadThatWasReadForLongIsNotSentAfterItsLeaseHasEnded() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(.worker, .worker)
        _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        fixture.disk.inject { call in call.operation == .read ? .notCached : nil }
        fixture.broker.background.isSlow = true
        #expect(try fixture.turn([(.worker, .worker, .credit(tasks: 1))]).deliveries.isEmpty)
        fixture.wire.events = [.processDied(.worker)]
        _ = try fixture.turn()
        fixture.broker.background.isSlow = false
        #expect(try fixture.turn().deliveries.isEmpty)
    }

    /// Simulation, seed 35321.
    @Test func aPayloadThatWasReadForLongIsNotSentToAConnectionThatTheHelloOfAnotherReplaced() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(.worker, .worker)
        _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        fixture.disk.inject { call in call.operation == .read ? .notCached : nil }
        fixture.broker.background.isSlow = true
        #expect(try fixture.turn([(.worker, .worker, .credit(tasks: 1))]).deliveries.isEmpty)
        fixture.wire.events = [.disconnected(.worker)]
        _ = try fixture.turn()
        fixture.broker.background.isSlow = false
        #expect(try fixture.turn().deliveries.isEmpty)
        fixture.disk.inject { _ in nil }
        let other = ConnectionID(rawValue: 99)
        _ = try fixture.greet(other, .worker)
        let replies = try fixture.turn([(other, .worker, .credit(tasks: 1))])
        #expect(
            replies.deliveries.map(\.attempt) == [1], "it never arrived, so it does not count: \(replies)")
    }

    /// Simulation, seeds 142961 and 161234: the late hello, which makes the delivery one that never arrived,
    /// overtook the death, which had to wait for the history of attempts.
    @Test func anAttemptOfAWorkerThatDiedCountsThoughALateHelloOfItFollows() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(.worker, .worker)
        _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        let first = try #require(
            try fixture.turn([(.worker, .worker, .credit(tasks: 1))]).deliveries.first)
        let failure = Failure(outcome: .nacked, durationMilliseconds: 1, retryAfterMilliseconds: 0)
        let replies = try fixture.turn([
            (.worker, .worker, .nack(receipt: first.receipt, id: first.id, failure: failure))
        ])
        #expect(replies.deliveries.map(\.attempt) == [2])
        fixture.disk.inject { call in call.operation == .read ? .notCached : nil }
        fixture.broker.background.isSlow = true
        fixture.wire.events = [.processDied(.worker)]
        _ = try fixture.turn()
        fixture.disk.inject { _ in nil }
        let late = ConnectionID(rawValue: 98)
        _ = try fixture.greet(late, .worker)
        fixture.broker.background.isSlow = false
        _ = try fixture.turn()
        let again = try fixture.turn([(late, .worker, .credit(tasks: 1))])
        #expect(again.deliveries.map(\.attempt) == [3], "\(again)")
    }

    /// Simulation, seed 128747.
    @Test func aLateHelloOnAnOlderConnectionIsRefusedAndTakesNothingBack() throws {
        var fixture = try BrokerFixture()
        let newer = ConnectionID(rawValue: 99)
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(newer, .worker)
        _ = try fixture.turn([(newer, .worker, .credit(tasks: 1))])
        let delivered = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))]).deliveries
        #expect(delivered.count == 1)
        let replies = try fixture.greet(.worker, .worker)
        #expect(replies == [.helloRefused(reason: "this session has a newer connection")])
        fixture.wire.events = [.processDied(newer)]
        _ = try fixture.turn()
        let next = ConnectionID(rawValue: 100)
        _ = try fixture.greet(next, .worker)
        let again = try fixture.turn([(next, .worker, .credit(tasks: 1))])
        #expect(again.deliveries.map(\.attempt) == [2], "\(again)")
    }

    @Test func aDeliveryThatDidNotLeaveIsReleasedUncounted() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(.worker, .worker)
        _ = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
        fixture.wire.unreachable = [.worker]
        _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
        fixture.wire.unreachable = []
        let replies = try fixture.turn()
        let task = try #require(replies.deliveries.first, "\(replies)")
        #expect(task.attempt == 1, "the delivery that never left did not count")
    }

    @Test func aWaitingLookupIsAnsweredWhenItsTaskIsDone() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(.worker, .worker)
        let id = TaskID(unixMilliseconds: 1, random: (0, 1))
        _ = try fixture.turn([
            (.ingest, .ingest, BrokerFixture.enqueue(1)),
            (.ingest, .ingest, .lookup(correlation: 50, id: id, waitMilliseconds: 10_000)),
        ])
        let delivered = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
        let task = try #require(delivered.deliveries.first, "\(delivered)")
        let replies = try fixture.turn([
            (
                .worker, .worker,
                .ack(receipt: task.receipt, id: id, result: Array("7".utf8)[...], resultError: "")
            )
        ])
        let answers = replies.views(of: 50)
        #expect(answers.first?.state == .completed)
        #expect(answers.first.map { Array($0.result) } == Array("7".utf8))
    }

    @Test func aWaitingLookupIsAnsweredWhenItsTimeIsUp() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        let id = TaskID(unixMilliseconds: 1, random: (0, 1))
        let silent = try fixture.turn([
            (.ingest, .ingest, BrokerFixture.enqueue(1)),
            (.ingest, .ingest, .lookup(correlation: 50, id: id, waitMilliseconds: 10_000)),
        ])
        #expect(silent.count == 1)
        fixture.seconds = 20
        let replies = try fixture.turn()
        let view = try #require(replies.views(of: 50).first, "\(replies)")
        #expect(view.state == .pending)
        #expect(view.waitingBecause == "no plugin")
    }

    @Test func ingestHearsOfQueuesAndPausesAsTheyChange() throws {
        var fixture = try BrokerFixture()
        let greeting = try fixture.greet(.ingest, .ingest)
        #expect(greeting.listings.last?.map(\.name) == ["tasks"])
        _ = try fixture.greet(.admin, .admin)
        let replies = try fixture.turn([
            (
                .admin, .admin,
                .declareQueue(correlation: 1, name: "mail", settings: QueueSettings(), hasPlugin: true)
            ),
            (
                .admin, .admin,
                .pause(correlation: 2, queue: "mail", set: .ingest, clear: [], actor: "me", reason: "")
            ),
        ])
        let published = replies.listings
        #expect(published.last?.map(\.name) == ["tasks", "mail"])
        #expect(published.last?.last?.ingestIsPaused == true)
    }

    @Test func aDeadWorkersTaskGoesToTheNextInTheSameTurn() throws {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(.worker, .worker)
        _ = try fixture.turn([
            (.worker, .worker, .credit(tasks: 1)), (.ingest, .ingest, BrokerFixture.enqueue(1)),
        ])
        let other = ConnectionID(rawValue: 9)
        let hello = Hello(role: .worker, name: "b", session: SessionID(rawValue: 8), queue: "tasks")
        _ = try fixture.turn([(other, .worker, .hello(hello)), (other, .worker, .credit(tasks: 1))])
        fixture.wire.events = [.processDied(.worker)]
        let replies = try fixture.turn()
        let task = try #require(replies.deliveries.first, "\(replies)")
        #expect(task.attempt == 2)
    }

    @Test func finishedTasksAreKnownAfterARestart() throws {
        let disk = SimulatedDisk(seed: 3)
        var id = TaskID(unixMilliseconds: 1, random: (0, 1))
        do {
            var fixture = try BrokerFixture(disk: disk)
            _ = try fixture.greet(.ingest, .ingest)
            _ = try fixture.greet(.worker, .worker)
            _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1))])
            let delivered = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
            let task = try #require(delivered.deliveries.first, "\(delivered)")
            id = task.id
            _ = try fixture.turn([
                (.worker, .worker, .ack(receipt: task.receipt, id: id, result: [], resultError: ""))
            ])
        }
        var fixture = try BrokerFixture(disk: disk.crashed(seed: 4))
        _ = try fixture.greet(.ingest, .ingest)
        let replies = try fixture.turn([
            (.ingest, .ingest, .lookup(correlation: 5, id: id, waitMilliseconds: 0))
        ])
        let view = try #require(replies.views(of: 5).first, "\(replies)")
        #expect(view.state == .completed)
        #expect(view.receives == 1)
    }
}

extension [Reply] {
    var deliveries: [DeliveredTask] {
        compactMap { reply in
            if case .delivery(let task) = reply { return task }
            return nil
        }
    }

    var listings: [[QueueListing]] {
        compactMap { reply in
            if case .queues(let listings) = reply { return listings }
            return nil
        }
    }

    fileprivate func views(of correlation: Correlation) -> [TaskView] {
        compactMap { reply in
            if case .task(correlation, .found(let view)) = reply { return view }
            return nil
        }
    }
}
