import AdminCommands
import TaskModel
import TestSupport
import Testing
import WireProtocol

@Suite struct AdminCommandsOverSocketTests {
    private static let id = TaskID(unixMilliseconds: 1_767_323_045_000, random: (1, 2))

    private static func view() -> TaskView {
        TaskView(
            id: id, state: .pending, queue: "mail", group: "mail", sequence: TaskSequence(rawValue: 1),
            receives: 0,
            maxAttempts: 5)
    }

    private static func welcome(_ request: Request) -> Reply? {
        guard case .hello(let hello) = request, hello.role == .admin else { return nil }
        return .welcome(Welcome(instance: JournalInstance(rawValue: 1), leaseMilliseconds: 0))
    }

    @Test(
        arguments: [
            (LookupAnswer.found(view()), 0), (.unknown, 4), (.forgotten, 4), (.tooManyWaiters, 1),
        ] as [(LookupAnswer, Int32)])
    func theAnswerToALookupIsTheExitCode(answer: LookupAnswer, code: Int32) throws {
        try TemporaryDirectory.with { directory in
            let reply: @Sendable (Request) -> Reply? = { request in
                if case .lookup(let correlation, Self.id, 0) = request {
                    return .task(correlation: correlation, answer: answer)
                }
                return Self.welcome(request)
            }
            try FakeBroker.with(directory, answering: reply) {
                #expect(AdminProgram.run(["get", "\(Self.id)", "--json", "--state", directory.path]) == code)
            }
        }
    }

    @Test func aRefusalIsAFailure() throws {
        try TemporaryDirectory.with { directory in
            let reply: @Sendable (Request) -> Reply? = { request in
                if case .status = request { return .rejected(reason: "not an admin's to ask\u{1B}[31m") }
                return Self.welcome(request)
            }
            try FakeBroker.with(directory, answering: reply) {
                #expect(AdminProgram.run(["status", "--state", directory.path]) == 1)
            }
        }
    }

    @Test func aBrokerThatAsksForAHelloIsGreetedAgain() throws {
        try TemporaryDirectory.with { directory in
            let asked = SharedList<Int>()
            let reply: @Sendable (Request) -> Reply? = { request in
                guard case .status(let correlation) = request else { return nil }
                asked.append(1)
                if asked.values.count == 1 { return .helloRequired }
                let status = BrokerStatus(
                    instance: JournalInstance(rawValue: 1), uptimeMilliseconds: 0,
                    durableLSN: LogSequenceNumber(rawValue: 0), journalBytes: 0, liveBytes: 0, syncs: 0,
                    queues: [])
                return .status(correlation: correlation, status)
            }
            try FakeBroker.with(directory, answering: reply) {
                #expect(AdminProgram.run(["queues", "--state", directory.path]) == 0)
            }
            #expect(asked.values.count == 2)
        }
    }
}
