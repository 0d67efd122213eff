import BrokerDaemon
import TaskModel
import Testing
import WireProtocol

/// Who may have the journal's files kept, and how that ends.
@Suite struct BackupTests {
    private static let other = ConnectionID(rawValue: 9)

    private func begun() throws -> BrokerFixture {
        var fixture = try BrokerFixture()
        for connection in [ConnectionID.admin, Self.other] { _ = try fixture.greet(connection, .admin) }
        _ = try fixture.greet(.ingest, .ingest)
        for number in 1...3 as ClosedRange<UInt64> {
            _ = try fixture.turn([(.ingest, .ingest, BrokerFixture.enqueue(number))])
        }
        let replies = try fixture.turn([(.admin, .admin, .beginBackup(correlation: 1))])
        guard case .backup(1, _, let contents) = replies.last else {
            Issue.record("\(replies)")
            return fixture
        }
        let durable = fixture.broker.durableLSN
        #expect(contents.lastLSN == durable)
        #expect(contents.segments.count == 1)
        return fixture
    }

    private func keep(
        _ fixture: inout BrokerFixture, by connection: ConnectionID = .admin, ends: Bool = false
    ) throws -> String? {
        let request = ends ? Request.endBackup(correlation: 2) : .keepBackup(correlation: 2)
        guard case .done(2, let problem) = try fixture.turn([(connection, .admin, request)]).last else {
            return "no answer"
        }
        return problem
    }

    @Test func aSecondBackupWaitsForTheFirst() throws {
        var fixture = try begun()
        let refused = try fixture.turn([(Self.other, .admin, .beginBackup(correlation: 5))])
        #expect(refused.last == .done(correlation: 5, problem: "another backup is under way"))
        let answer1 = try keep(&fixture, ends: true)
        #expect(answer1 == nil)
        let replies = try fixture.turn([(Self.other, .admin, .beginBackup(correlation: 6))])
        guard case .backup(6, _, _) = replies.last else { return #expect(Bool(false), "\(replies)") }
    }

    @Test func aBackupGoesOnAsLongAsItsClientSaysSo() throws {
        var fixture = try begun()
        for _ in 0..<5 {
            fixture.seconds += 50
            let answer2 = try keep(&fixture)
            #expect(answer2 == nil)
        }
        let answer3 = try keep(&fixture, ends: true)
        #expect(answer3 == nil)
        let problem = try keep(&fixture)
        #expect(problem?.contains("keeps no backup") == true)
    }

    @Test func aSilentClientsBackupIsOver() throws {
        var fixture = try begun()
        let deadline = fixture.broker.nextDeadline?.rawValue ?? .max
        #expect(deadline <= 70_000_000_000)
        fixture.seconds += 61
        let problem = try keep(&fixture)
        #expect(problem?.contains("keeps no backup") == true)
    }

    @Test func aLostConnectionEndsItsBackupAndNoOther() throws {
        var fixture = try begun()
        fixture.wire.events.append(.disconnected(Self.other))
        let answer4 = try keep(&fixture)
        #expect(answer4 == nil)
        fixture.wire.events.append(.disconnected(.admin))
        _ = try fixture.turn()
        _ = try fixture.greet(Self.other, .admin)
        let problem = try keep(&fixture, by: Self.other)
        #expect(problem?.contains("keeps no backup") == true)
        let replies = try fixture.turn([(Self.other, .admin, .beginBackup(correlation: 6))])
        guard case .backup(6, _, _) = replies.last else { return #expect(Bool(false), "\(replies)") }
    }

    @Test func onlyAdminsMayBackUp() throws {
        var fixture = try begun()
        let replies = try fixture.turn([(.ingest, .ingest, .beginBackup(correlation: 7))])
        guard case .rejected = replies.last else { return #expect(Bool(false), "\(replies)") }
    }
}
