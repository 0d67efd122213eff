import BrokerDaemon
import Journal
import QueueStateMachine
import TaskModel
import TestSupport
import WireProtocol

/// A broker on a simulated disk, with connections that a test speaks through by hand.
struct BrokerFixture: ~Copyable {
    final class Wire: BrokerEndpoint {
        var events: [NetworkEvent] = []
        var sent: [(connection: ConnectionID, reply: Reply)] = []
        var unreachable: Set<ConnectionID> = []

        func receive(limit: Int) -> [NetworkEvent] {
            defer { events = [] }
            return events
        }

        func send(_ frame: [UInt8], to connection: ConnectionID) -> FrameOutcome {
            if unreachable.contains(connection) { return .notSent }
            do {
                var reader = try FrameReader(frame)
                while let reply = try reader.nextReply() { sent.append((connection, reply)) }
            } catch {
                preconditionFailure("the broker sent a frame that cannot be read: \(error)")
            }
            return .sent
        }
    }

    final class Inline: BackgroundWork {
        private var results: [BackgroundResult] = []
        /// Results stay away from the turns, as if the disk were slow.
        var isSlow = false
        func submit(_ job: BackgroundJob) { results.append(job.run()) }
        func takeResults() -> [BackgroundResult] {
            if isSlow { return [] }
            defer { results = [] }
            return results
        }
    }

    let disk: SimulatedDisk
    let wire = Wire()
    var broker: Broker<Wire, Inline>
    var seconds: Double = 10

    init(disk: SimulatedDisk = SimulatedDisk(seed: 1), settings: QueueSettings = QueueSettings()) throws {
        try self.init(
            storage: disk, disk: disk, journal: JournalOptions(segmentBytes: 1 << 20), settings: settings)
    }

    /// On any storage; ``disk`` is then one that nobody uses.
    init(storage: any JournalStorage, journal: JournalOptions) throws {
        try self.init(
            storage: storage, disk: SimulatedDisk(seed: 1), journal: journal, settings: QueueSettings())
    }

    private init(
        storage: any JournalStorage, disk: SimulatedDisk, journal: JournalOptions, settings: QueueSettings
    ) throws {
        self.disk = disk
        broker = try Broker.recovering(
            storage, options: BrokerOptions(journal: journal, defaults: settings),
            endpoint: wire, background: Inline(), clocks: Self.clocks(at: 10),
            now: MonotonicTime(rawValue: 10_000_000_000))
    }

    private static func clocks(at seconds: Double) -> TurnClocks {
        TurnClocks(
            monotonicNanoseconds: UInt64(seconds * 1e9),
            raw: RawClocks(
                boottimeMilliseconds: UInt64(seconds * 1e3), wallMilliseconds: UInt64(seconds * 1e3),
                bootID: 1))
    }

    /// One turn with what the peers said; gives what they were told.
    mutating func turn(_ requests: [(ConnectionID, PeerRole, Request)] = []) throws -> [Reply] {
        for (connection, role, request) in requests {
            var writer = FrameWriter()
            writer.append(request)
            wire.events.append(.frame(connection, role, writer.bytes))
        }
        wire.sent = []
        try broker.turn(Self.clocks(at: seconds), now: MonotonicTime(rawValue: UInt64(seconds * 1e9)))
        return wire.sent.map(\.reply)
    }

    mutating func greet(_ connection: ConnectionID, _ role: PeerRole, receipts: [Receipt] = []) throws
        -> [Reply]
    {
        let hello = Hello(
            role: role, name: "a", session: SessionID(rawValue: 7), queue: role == .worker ? "tasks" : "",
            receipts: receipts)
        return try turn([(connection, role, .hello(hello))])
    }

    static func enqueue(_ number: UInt64, queue: String = "tasks") -> Request {
        .enqueue(
            Enqueue(
                correlation: number, queue: queue, group: "",
                id: TaskID(unixMilliseconds: number, random: (0, number)), key: nil, traceparent: [],
                payload: Array("payload \(number)".utf8)[...]))
    }
}

extension ConnectionID {
    static let ingest = ConnectionID(rawValue: 1)
    static let worker = ConnectionID(rawValue: 2)
    static let admin = ConnectionID(rawValue: 3)
}
