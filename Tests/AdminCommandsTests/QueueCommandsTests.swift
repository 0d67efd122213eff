import AdminCommands
import TaskModel
import TestSupport
import Testing
import WireProtocol

/// `queues delete`, `groups`, `drain` and the acts on tasks, against a broker that says what a test wants.
@Suite struct QueueCommandsTests {
    private static let id = TaskID(unixMilliseconds: 1_767_323_045_000, random: (1, 2))

    private static func queue(_ name: String, pending: UInt64 = 0, pauses: QueuePauses = []) -> QueueStatus {
        QueueStatus(
            name: name, counters: QueueCounters(), pending: pending, leased: 0, parked: 0, dead: 3, groups: 1,
            blockedGroups: 1, oldestAgeMilliseconds: 0, pauses: pauses, workers: 0, waitingBecause: "")
    }

    private static func group(_ name: String, isParked: Bool = true) -> BlockedGroupView {
        BlockedGroupView(
            name: name, head: id, isParked: isParked, waiting: 2, receives: 5, maxAttempts: 5,
            retryMilliseconds: isParked ? nil : 4_000, waitingBecause: "parked after 5 attempts")
    }

    private static func status(_ correlation: Correlation, _ queue: QueueStatus) -> Reply {
        .status(
            correlation: correlation,
            BrokerStatus(
                instance: JournalInstance(rawValue: 1), uptimeMilliseconds: 0,
                durableLSN: LogSequenceNumber(rawValue: 0), journalBytes: 0, liveBytes: 0, syncs: 0,
                queues: [queue]))
    }

    /// The exit code of a command, and what was asked beside hello and status.
    private static func run(
        _ arguments: [String], queue: QueueStatus = queue("mail"),
        answering answer: @escaping @Sendable (Request, Int) -> Reply?
    ) throws -> (code: Int32, asked: [Request]) {
        let asked = SharedList<Request>()
        let code = SharedList<Int32>()
        try TemporaryDirectory.with { directory in
            let reply: @Sendable (Request) -> Reply? = { request in
                switch request {
                case .hello: return .welcome(Welcome(instance: .init(rawValue: 1), leaseMilliseconds: 0))
                case .status(let correlation): return status(correlation, queue)
                case _:
                    asked.append(request)
                    return answer(request, asked.values.count)
                }
            }
            try FakeBroker.with(directory, answering: reply) {
                code.append(AdminProgram.run(arguments + ["--state", directory.path]))
            }
        }
        return (code.values.first ?? -1, asked.values)
    }

    @Test func aDeletionIsAskedForAgainUntilTheQueueIsGone() throws {
        let (code, asked) = try Self.run(["queues", "delete", "mail", "--purge", "--yes"]) { request, count in
            guard case .deleteQueue(let correlation, let deletion) = request, deletion.purges else {
                return nil
            }
            let left = DeletionOutcome.remaining(waiting: 0, leased: 1, dead: 3)
            return .deletion(correlation: correlation, count < 3 ? left : .deleted)
        }
        #expect(code == 0)
        #expect(asked.count == 3)
    }

    @Test func aQueueThatTheBrokerKeepsIsAFailure() throws {
        let (code, asked) = try Self.run(["queues", "delete", "mail", "--yes"]) { request, _ in
            guard case .deleteQueue(let correlation, _) = request else { return nil }
            return .deletion(correlation: correlation, .refused(reason: "its plugin is there"))
        }
        #expect(code == 1)
        #expect(asked.count == 1)
    }

    @Test(
        arguments: [
            (["queues", "delete", "mail"], 2), (["queues", "delete", "mail", "--dry-run"], 0),
            (["queues", "delete", "other", "--yes"], 4), (["groups", "retry", "mail"], 2),
            (["groups", "retry", "mail", "a", "--all"], 2), (["drain", "other"], 4),
            (["drain", "mail", "--timeout=-1"], 2), (["dlq", "retry", "\(id)"], 2),
            (["put", "mail", "-", "--connections", "2"], 2), (["put", "mail", "{}", "--ndjson"], 2),
        ] as [([String], Int32)])
    func nothingIsAskedOfTheBrokerWhenTheCommandCannotBeMeant(arguments: [String], code: Int32) throws {
        let isPut = arguments.first == "put"
        let outcome = try isPut ? (AdminProgram.run(arguments), []) : Self.run(arguments) { _, _ in nil }
        #expect(outcome.0 == code)
        #expect(outcome.1.isEmpty)
    }

    @Test(
        arguments: [
            (["retry"], TaskAct.retry), (["dead-letter"], .deadLetter), (["cancel"], .cancel),
        ] as [([String], TaskAct)])
    func anActOnAGroupIsAnActOnTheTaskThatBlocksIt(words: [String], act: TaskAct) throws {
        let (code, asked) = try Self.run(["groups"] + words + ["mail", "a"]) { request, _ in
            switch request {
            case .listBlocked(let correlation, let query) where query.group == "a":
                .blocked(correlation: correlation, .init(groups: [Self.group("a")], hasMore: false))
            case .act(let correlation, act, [Self.id], _): .acted(correlation: correlation, [.done])
            case _: nil
            }
        }
        #expect(code == 0)
        #expect(asked.count == 2)
    }

    @Test func allMeansTheParkedGroupsAlsoWhereTheListHasToBeBegunAgain() throws {
        let (code, asked) = try Self.run(["groups", "retry", "mail", "--all", "--json"]) { request, count in
            switch request {
            case .listBlocked(let correlation, let query) where query.after == nil:
                .blocked(
                    correlation: correlation,
                    count == 1
                        ? .init(groups: [Self.group("gone")], hasMore: true)
                        : .init(groups: [Self.group("a"), Self.group("b", isParked: false)], hasMore: false))
            case .listBlocked(let correlation, _): .done(correlation: correlation, problem: "begin again")
            case .act(let correlation, .retry, let ids, _) where ids == [Self.id]:
                .acted(correlation: correlation, [.done])
            case _: nil
            }
        }
        #expect(code == 0)
        #expect(asked.count == 4)
    }

    @Test func aGroupThatIsNotBlockedIsNotFound() throws {
        let (code, _) = try Self.run(["groups", "cancel", "mail", "a"]) { request, _ in
            guard case .listBlocked(let correlation, _) = request else { return nil }
            return .blocked(correlation: correlation, .init(groups: [], hasMore: false))
        }
        #expect(code == 4)
    }

    @Test func anEmptyQueueIsDrainedAsSoonAsItsPostsAreRefused() throws {
        let (code, asked) = try Self.run(["drain", "mail", "--json"]) { request, _ in
            guard case .pause(let correlation, "mail", .ingest, [], _, "draining") = request else {
                return nil
            }
            return .done(correlation: correlation, problem: nil)
        }
        #expect(code == 0)
        #expect(asked.count == 1)
    }

    @Test func aQueueThatDoesNotGetEmptyInTimeIsAFailure() throws {
        let full = Self.queue("mail", pending: 2, pauses: .ingest)
        let (code, asked) = try Self.run(["drain", "mail", "--timeout", "0"], queue: full) { _, _ in nil }
        #expect(code == 1)
        #expect(asked.isEmpty, "a queue whose posts are refused already is not paused again")
    }

    /// Both commands once ended with 2, as for a wrong command line.
    @Test(arguments: [["cancel"], ["dlq", "redrive"], ["dlq", "purge", "--yes"]])
    func aTaskThatIsNotInTheStateForAnActIsExitCodeFour(words: [String]) throws {
        for outcome in [ActOutcome.notInState, .unknown] {
            let (code, _) = try Self.run(words + ["\(Self.id)"]) { request, _ in
                guard case .act(let correlation, _, _, _) = request else { return nil }
                return .acted(correlation: correlation, [outcome])
            }
            #expect(code == 4)
        }
    }

    @Test func aRedriveStopsWhereItsQueueIsFull() throws {
        let (code, asked) = try Self.run(["dlq", "redrive", "\(Self.id)", "\(Self.id)", "--rate", "10"]) {
            guard case .act(let correlation, .redrive, _, _) = $0, $1 == 1 else { return nil }
            return .acted(correlation: correlation, [.queueFull])
        }
        #expect(code == 1)
        #expect(asked.count == 1)
    }
}

@Suite struct BlockedGroupTextTests {
    private static var line: BlockedGroupText.Line {
        let group = BlockedGroupView(
            name: "", head: TaskID(unixMilliseconds: 1_767_323_045_000, random: (1, 2)), isParked: false,
            waiting: 1_200, receives: 3, maxAttempts: 5, retryMilliseconds: 4_000,
            waitingBecause: "attempt 3 of 5 failed, retry in 4 s")
        let attempt = AttemptRecord(
            number: 3, outcome: .exited(status: 1), startedAt: WallTime(rawValue: 1_767_323_045_000),
            durationMilliseconds: 500, worker: "worker@mail", reason: "no disk", stderrTail: [])
        return BlockedGroupText.Line(queue: "mail", group: group, lastAttempt: attempt)
    }

    @Test func theTableSaysByWhatAGroupIsBlockedAndForHowLong() {
        let table = BlockedGroupText.table([Self.line], isCut: true, now: 1_767_323_110_500)
        let words = table.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(words.first == "QUEUE GROUP BLOCKED BY FOR STATE WAITING LAST ATTEMPT")
        #expect(
            words.dropFirst().first
                == "mail mail \(Self.line.group.head) 1 m 5 s retrying 1,200 exit 1 "
                + "attempt 3 of 5 failed, retry in 4 s")
        #expect(words.last == "and more: see --limit")
        #expect(BlockedGroupText.table([], isCut: false) == "no group is blocked\n")
    }

    @Test func theJSONHasTheSameFacts() {
        #expect(
            BlockedGroupText.json([Self.line])
                == #"[{"queue":"mail","group":"mail","task_id":"\#(Self.line.group.head)","#
                + #""state":"retrying","blocked_since":"2026-01-02T03:04:05.500Z","waiting":1200,"#
                + #""receives":3,"max_attempts":5,"retry_in_ms":4000,"last_outcome":"exit 1","#
                + #""last_reason":"no disk","waiting_because":"attempt 3 of 5 failed, retry in 4 s"}]"#
                + "\n")
    }
}
