import BrokerDaemon
import Journal
import QueueStateMachine
import TaskModel
import Testing
import WireProtocol

/// What operators do to whole queues and to blocked groups, over the wire.
@Suite struct QueueOperatingTests {
    private static func settings(_ onExhausted: QueueSettings.OnExhausted) -> QueueSettings {
        var settings = QueueSettings()
        settings.maxAttempts = 1
        settings.onExhausted = onExhausted
        return settings
    }

    private static func greetAll(_ fixture: inout BrokerFixture) throws {
        for (connection, role) in [
            (ConnectionID.ingest, PeerRole.ingest), (.worker, .worker), (.admin, .admin),
        ] { _ = try fixture.greet(connection, role) }
    }

    /// Posts so many tasks and fails the first.
    private static func failFirst(of count: UInt64, in fixture: inout BrokerFixture) throws -> TaskID {
        try greetAll(&fixture)
        var replies = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
        for number in 1...count {
            replies += try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(number))])
        }
        let task = try #require(replies.deliveries.first)
        let failure = Failure(outcome: .exited(status: 1), durationMilliseconds: 1)
        _ = try fixture.turn([
            (.worker, .worker, .nack(receipt: task.receipt, id: task.id, failure: failure))
        ])
        return task.id
    }

    private static func ask(_ fixture: inout BrokerFixture, _ request: Request) throws -> Reply? {
        try fixture.turn([(.admin, .admin, request)]).last { reply in
            switch reply.kind {
            case .done, .deletion, .blocked: true
            case _: false
            }
        }
    }

    private static func delete(
        _ fixture: inout BrokerFixture, _ queue: String, purges: Bool = false
    ) throws -> Reply? {
        let deletion = QueueDeletion(queue: queue, purges: purges, actor: "me")
        return try ask(&fixture, .deleteQueue(correlation: 9, deletion))
    }

    private static func declare(_ fixture: inout BrokerFixture, _ queue: String) throws {
        let request = Request.declareQueue(
            correlation: 1, name: queue, settings: QueueSettings(), hasPlugin: false)
        #expect(try ask(&fixture, request) == .done(correlation: 1, problem: nil))
    }

    @Test func aBlockedGroupIsListedWithItsHeadAndWhatItWaitsFor() throws {
        var fixture = try BrokerFixture(settings: Self.settings(.parkGroup))
        let head = try Self.failFirst(of: 3, in: &fixture)
        let query = BlockedGroupQuery(queue: "tasks", limit: 10)
        let group = BlockedGroupView(
            name: "", head: head, isParked: true, waiting: 3, receives: 1, maxAttempts: 1,
            retryMilliseconds: nil, waitingBecause: "parked after 1 attempt, waits for taskq groups")
        let page = Reply.blocked(correlation: 2, BlockedGroupListing(groups: [group], hasMore: false))
        #expect(try Self.ask(&fixture, .listBlocked(correlation: 2, query)) == page)
        let named = BlockedGroupQuery(queue: "tasks", group: "tasks", limit: 10)
        #expect(try Self.ask(&fixture, .listBlocked(correlation: 2, named)) == page)
        let other = BlockedGroupQuery(queue: "tasks", group: "other", limit: 10)
        #expect(
            try Self.ask(&fixture, .listBlocked(correlation: 2, other))
                == .blocked(correlation: 2, BlockedGroupListing(groups: [], hasMore: false)))
        let unknown = BlockedGroupQuery(queue: "nope", limit: 10)
        #expect(
            try Self.ask(&fixture, .listBlocked(correlation: 2, unknown))
                == .done(correlation: 2, problem: #"there is no queue named "nope""#))
    }

    @Test func resumingAHaltedQueueDeliversItsHeadWithAFreshCount() throws {
        var fixture = try BrokerFixture(settings: Self.settings(.haltQueue))
        let head = try Self.failFirst(of: 2, in: &fixture)
        #expect(try fixture.turn().deliveries.isEmpty)
        let resume = Request.pause(
            correlation: 3, queue: "tasks", set: [], clear: [.halted], actor: "me", reason: "")
        let replies = try fixture.turn([(.admin, .admin, resume)])
        #expect(replies.contains(.done(correlation: 3, problem: nil)))
        #expect(replies.deliveries.map(\.id) == [head])
        #expect(replies.deliveries.map(\.attempt) == [1])
    }

    @Test func aQueueIsDeletedAndStaysDeletedAfterARestart() throws {
        let disk: SimulatedDisk
        do {
            var fixture = try BrokerFixture()
            try Self.greetAll(&fixture)
            try Self.declare(&fixture, "mail")
            #expect(try Self.delete(&fixture, "mail") == .deletion(correlation: 9, .deleted))
            #expect(
                try Self.delete(&fixture, "mail")
                    == .deletion(
                        correlation: 9, .refused(reason: #"there is no queue named "mail""#)))
            let post = BrokerFixture.enqueue(1, queue: "mail")
            #expect(
                try fixture.turn([(.ingest, .ingest, post)])
                    == [.enqueued(correlation: 1, outcome: .unknownQueue)])
            disk = fixture.disk
        }
        var fixture = try BrokerFixture(disk: disk)
        try Self.greetAll(&fixture)
        let post = BrokerFixture.enqueue(2, queue: "mail")
        #expect(
            try fixture.turn([(.ingest, .ingest, post)])
                == [.enqueued(correlation: 2, outcome: .unknownQueue)])
    }

    @Test func aQueueThatIsAlwaysThereCannotBeDeleted() throws {
        var fixture = try BrokerFixture()
        try Self.greetAll(&fixture)
        #expect(
            try Self.delete(&fixture, "tasks", purges: true)
                == .deletion(correlation: 9, .refused(reason: "the queue tasks is always there")))
    }

    @Test func aLargeQueueIsDeletedInPortionsDuringWhichNothingIsAccepted() throws {
        var fixture = try BrokerFixture()
        try Self.greetAll(&fixture)
        try Self.declare(&fixture, "mail")
        for number in 1...UInt64(1_200) {
            _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(number, queue: "mail"))])
        }
        let refusal =
            "mail holds 1200 waiting, 0 leased, 0 parked and 0 dead tasks: "
            + "drain and redrive it, or let them go with --purge"
        #expect(
            try Self.delete(&fixture, "mail") == .deletion(correlation: 9, .refused(reason: refusal)))
        // The first of 500 steps is the pause.
        for left: UInt64 in [701, 201] {
            #expect(
                try Self.delete(&fixture, "mail", purges: true)
                    == .deletion(correlation: 9, .remaining(waiting: left, leased: 0, dead: 0)))
        }
        let late = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(9_999, queue: "mail"))])
        #expect(late == [.enqueued(correlation: 9_999, outcome: .paused)])
        #expect(
            try Self.delete(&fixture, "mail", purges: true) == .deletion(correlation: 9, .deleted))
        let mail = try #require(fixture.broker.state.sums.first { $0.queue.name == "mail" })
        #expect(mail.counters.accepted == 1_200 && mail.counters.cancelled == 1_200 && mail.live == 0)
    }
}
