import BrokerDaemon
import TaskModel
import Testing
import WireProtocol

/// What operators do to tasks by their ids.
@Suite struct OperatingTests {
    /// Lets so many tasks die; their ids in the order of their deaths.
    private static func kill(_ count: UInt64, in fixture: inout BrokerFixture) throws -> [TaskID] {
        for (connection, role) in [
            (ConnectionID.ingest, PeerRole.ingest), (.worker, .worker), (.admin, .admin),
        ] { _ = try fixture.greet(connection, role) }
        _ = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
        var ids: [TaskID] = []
        for number in 1...count {
            let replies = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(number))])
            let task = try #require(replies.deliveries.last)
            let failure = Failure(outcome: .rejected, durationMilliseconds: 1)
            _ = try fixture.turn([
                (.worker, .worker, .reject(receipt: task.receipt, id: task.id, failure: failure))
            ])
            ids.append(task.id)
        }
        _ = try fixture.turn([(.worker, .worker, .credit(tasks: 0))])
        return ids
    }

    private static func list(
        _ fixture: inout BrokerFixture, after: TaskID? = nil, limit: UInt16 = 1_000, queue: String = "tasks"
    ) throws -> Reply? {
        let query = DeadTaskQuery(queue: queue, after: after, limit: limit)
        return try fixture.turn([(.admin, .admin, .listDead(correlation: 1, query))]).last
    }

    private static func page(_ reply: Reply?) -> (ids: [TaskID], hasMore: Bool)? {
        guard case .dead(1, let page) = reply else { return nil }
        return (page.tasks.map(\.id), page.hasMore)
    }

    private static func act(
        _ fixture: inout BrokerFixture, _ act: TaskAct, _ ids: [TaskID]
    ) throws -> [ActOutcome]? {
        let replies = try fixture.turn([
            (.admin, .admin, .act(correlation: 2, act, ids: ids, actor: "me"))
        ])
        guard case .acted(2, let outcomes) = replies.last(where: { $0.kind == .acted }) else { return nil }
        return outcomes
    }

    @Test func theDeadAreListedInPagesInTheOrderOfTheirDeaths() throws {
        var fixture = try BrokerFixture()
        let ids = try Self.kill(5, in: &fixture)
        let first = try #require(Self.page(try Self.list(&fixture, limit: 3)))
        #expect(first.ids == Array(ids[..<3]) && first.hasMore)
        let rest = try #require(Self.page(try Self.list(&fixture, after: ids[2], limit: 3)))
        #expect(rest.ids == Array(ids[3...]) && !rest.hasMore)
    }

    @Test func aListThatChangedUnderTheReaderSaysSo() throws {
        var fixture = try BrokerFixture()
        let ids = try Self.kill(2, in: &fixture)
        #expect(try Self.act(&fixture, .purge, [ids[0]]) == [.done])
        #expect(
            try Self.list(&fixture, after: ids[0])
                == .done(correlation: 1, problem: "the list has changed: begin again"))
        #expect(
            try Self.list(&fixture, queue: "nope")
                == .done(correlation: 1, problem: #"there is no queue named "nope""#))
    }

    @Test func eachTaskOfAnActIsJudgedForItself() throws {
        var fixture = try BrokerFixture()
        let ids = try Self.kill(2, in: &fixture)
        let unknown = TaskID(unixMilliseconds: 4_000_000_000_000, random: (1, 1))
        #expect(
            try Self.act(&fixture, .redrive, [ids[0], unknown, ids[0]]) == [.done, .unknown, .notInState])
        #expect(try Self.act(&fixture, .purge, ids) == [.notInState, .done])
        let delivered = try fixture.turn([(.worker, .worker, .credit(tasks: 1))]).deliveries
        #expect(delivered.map(\.id) == [ids[0]])
        #expect(delivered.map(\.attempt) == [1])
    }

    @Test func anEditedTaskIsDeliveredWithItsNewPayload() throws {
        var fixture = try BrokerFixture()
        let ids = try Self.kill(1, in: &fixture)
        let request = Request.redriveEdited(correlation: 3, id: ids[0], payload: [1, 2, 3], actor: "me")
        #expect(try fixture.turn([(.admin, .admin, request)]).last == .acted(correlation: 3, [.done]))
        let shown = try fixture.turn([(.admin, .admin, .payload(correlation: 4, id: ids[0]))])
        #expect(shown.last == .payload(correlation: 4, [1, 2, 3]))
        let delivered = try fixture.turn([(.worker, .worker, .credit(tasks: 1))]).deliveries
        #expect(delivered.map(\.payload) == [[1, 2, 3]])
    }

    @Test func onlyAdminsMayOperate() throws {
        var fixture = try BrokerFixture()
        let ids = try Self.kill(1, in: &fixture)
        let request = Request.act(correlation: 2, .purge, ids: ids, actor: "me")
        for (connection, role) in [(ConnectionID.ingest, PeerRole.ingest), (.worker, .worker)] {
            let replies = try fixture.turn([(connection, role, request)])
            guard case .rejected = replies.last else {
                Issue.record("\(role): \(replies)")
                continue
            }
        }
        #expect(Self.page(try Self.list(&fixture))?.ids == ids)
    }
}
