import BrokerDaemon
import QueueStateMachine
import TaskModel
import Testing
import WireProtocol

/// What the plugin keeper tells the broker about queues.
@Suite struct PluginTests {
    private static func declare(
        _ fixture: inout BrokerFixture, _ queues: [String], defaults: QueueDefaults? = QueueDefaults()
    ) throws -> [Reply] {
        try fixture.turn(
            queues.map {
                (
                    .admin, .admin,
                    .declarePlugin(correlation: 1, PluginDeclaration(queue: $0, defaults: defaults))
                )
            })
    }

    private static func present(
        _ fixture: inout BrokerFixture, _ presences: [PluginPresence]
    ) throws {
        _ = try fixture.turn([(.admin, .admin, .plugins(correlation: 2, presences))])
    }

    /// Why the first task of the queue waits.
    private static func reason(_ fixture: inout BrokerFixture, queue: String) throws -> String {
        let replies = try fixture.turn([(.admin, .admin, .status(correlation: 3))])
        for case .status(3, let status) in replies {
            return status.queues.first { $0.name == queue }?.waitingBecause ?? "there is no such queue"
        }
        return "no answer"
    }

    private static func settings(_ fixture: borrowing BrokerFixture, of queue: String) -> QueueSettings? {
        fixture.broker.state.queue(named: queue)?.settings
    }

    private static func greeted() throws -> BrokerFixture {
        var fixture = try BrokerFixture()
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.greet(.admin, .admin)
        return fixture
    }

    @Test func aTurnOfDeclarationsIsPublishedOnceAndPostsAreAcceptedInTheNext() throws {
        var fixture = try Self.greeted()
        let names = (1...50).map { "queue\($0)" }
        let replies = try Self.declare(&fixture, names)
        #expect(replies.listings.count == 1)
        #expect(replies.listings.last?.map(\.name) == ["tasks"] + names)
        let posted = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(9, queue: "queue50"))])
        guard case .enqueued(9, outcome: .accepted)? = posted.last else {
            Issue.record("\(posted)")
            return
        }
    }

    @Test func declaringAgainWithTheSameDefaultsChangesNothing() throws {
        var fixture = try Self.greeted()
        _ = try Self.declare(&fixture, ["mail"])
        let lsn = fixture.broker.durableLSN
        let replies = try Self.declare(&fixture, ["mail"])
        #expect(replies == [.done(correlation: 1, problem: nil)])
        #expect(fixture.broker.durableLSN == lsn)
    }

    @Test func anUnreadableManifestLeavesTheSettingsOfItsQueueAndMakesOneThatIsMissing() throws {
        var fixture = try Self.greeted()
        var defaults = QueueDefaults()
        defaults.maxAttempts = 9
        _ = try Self.declare(&fixture, ["mail"], defaults: defaults)
        _ = try Self.declare(&fixture, ["mail", "sms"], defaults: nil)
        #expect(Self.settings(fixture, of: "mail")?.maxAttempts == 9)
        #expect(Self.settings(fixture, of: "sms") == QueueSettings())
    }

    @Test func aQueueNameThatIsNoneIsRefusedWithTheRule() throws {
        var fixture = try Self.greeted()
        guard case .done(1, let problem?)? = try Self.declare(&fixture, ["Mail"]).last else {
            Issue.record("it was not refused")
            return
        }
        #expect(problem.contains("[a-z0-9]"))
    }

    @Test func aQueueSaysWhetherItHasAPluginAndWhyThatDoesNotServe() throws {
        var fixture = try Self.greeted()
        _ = try Self.declare(&fixture, ["mail"])
        _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(1, queue: "mail"))])
        #expect(try Self.reason(&fixture, queue: "mail") == "no plugin")
        try Self.present(&fixture, [PluginPresence(queue: "mail"), PluginPresence(queue: "unknown")])
        #expect(try Self.reason(&fixture, queue: "mail") == "no worker connected")
        try Self.present(&fixture, [PluginPresence(queue: "mail", problem: "two plugins")])
        #expect(try Self.reason(&fixture, queue: "mail") == "two plugins")
        try Self.present(&fixture, [])
        #expect(try Self.reason(&fixture, queue: "mail") == "no plugin")
    }

    @Test func theStallOfAPluginThatIsGoneEndsWithIt() throws {
        var fixture = try Self.greeted()
        _ = try fixture.greet(.worker, .worker)
        try Self.present(&fixture, [PluginPresence(queue: "tasks")])
        _ = try fixture.turn([
            (.worker, .worker, .stalled(reason: "no shebang")),
            (.ingest, .ingest, BrokerFixture.enqueue(1)),
        ])
        #expect(try Self.reason(&fixture, queue: "tasks") == "stalled: no shebang")
        fixture.wire.events = [.processDied(.worker)]
        _ = try fixture.turn()
        try Self.present(&fixture, [])
        #expect(try Self.reason(&fixture, queue: "tasks") == "no plugin")
    }

    @Test func aManifestBoundsItsQueuesBytesAlsoAfterTheConfigurationWasReadAgain() throws {
        var fixture = try Self.greeted()
        var defaults = QueueDefaults()
        defaults.maxBytes = 1
        defaults.workers = 3
        defaults.deadLetterRetentionMilliseconds = 1_000
        _ = try Self.declare(&fixture, ["mail"], defaults: defaults)
        fixture.broker.reconfigure(BrokerOptions(), changed: [])
        let bounds = try #require(fixture.broker.state.bounds.queues["mail"])
        #expect(bounds.storedBytesMax == 1 && bounds.workersMax == 3)
        #expect(bounds.deadRetentionMilliseconds == 1_000)
        let posted = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(9, queue: "mail"))])
        if case .enqueued(9, outcome: .accepted)? = posted.last { Issue.record("\(posted)") }
        let other = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(10, queue: "tasks"))])
        guard case .enqueued(10, outcome: .accepted)? = other.last else {
            Issue.record("\(other)")
            return
        }
    }

    @Test func aQueueThatIsMadeAgainAfterItsDeletionHasNoneOfTheOldBounds() throws {
        var fixture = try Self.greeted()
        var defaults = QueueDefaults()
        defaults.maxBytes = 1
        _ = try Self.declare(&fixture, ["mail"], defaults: defaults)
        let deletion = QueueDeletion(queue: "mail", purges: false, actor: "admin")
        let replies = try fixture.turn([(.admin, .admin, .deleteQueue(correlation: 4, deletion))])
        #expect(replies.contains(.deletion(correlation: 4, .deleted)))
        #expect(fixture.broker.state.bounds.queues["mail"] == nil)
    }

    @Test func aQueueWithoutTasksSaysWhatWouldKeepThemWaiting() throws {
        var fixture = try Self.greeted()
        _ = try Self.declare(&fixture, ["mail"])
        #expect(try Self.reason(&fixture, queue: "mail") == "no plugin")
        try Self.present(&fixture, [PluginPresence(queue: "mail", problem: "two plugins")])
        #expect(try Self.reason(&fixture, queue: "mail") == "two plugins")
    }
}
