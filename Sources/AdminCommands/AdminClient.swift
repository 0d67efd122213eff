import Configuration
import Glibc
import LinuxSystem
import TaskModel
import WireProtocol
import ZeroMQ

/// A page of a dead-letter queue, or why there is none.
enum DeadTaskListing {
    case page(DeadTaskPage)
    case refused(String)
}

/// Talks to the broker as an admin: one request at a time, each answered or given up.
///
/// Used by one thread.
final class AdminClient {
    /// How long an answer may take beyond what the request itself waits for, milliseconds.
    static let answerMilliseconds: UInt64 = 3_000

    private let socket: DealerSocket
    private let path: String
    private let session: SessionID
    private var nextCorrelation: Correlation = 1

    init(_ paths: StatePaths) throws(CommandFailure) {
        path = paths.adminSocket
        try Self.checkAccess(path)
        do {
            socket = try DealerSocket(connectingTo: path)
            session = SessionID(rawValue: try RandomBytes.word())
        } catch {
            throw .failed("\(error)")
        }
    }

    private static func checkAccess(_ path: String) throws(CommandFailure) {
        if access(path, R_OK | W_OK) == 0 { return }
        switch errno {
        case ENOENT, ENOTDIR: throw .notReachable("the broker is not running: there is no \(path)")
        case EACCES: throw .notReachable("no permission for \(path): join the group taskq-admin, or use sudo")
        case let other: throw .notReachable("\(path): \(SystemError.text(of: other))")
        }
    }

    func status() throws(CommandFailure) -> BrokerStatus {
        let number = takeCorrelation()
        return try exchange(.status(correlation: number)) { reply in
            if case .status(number, let status) = reply { status } else { nil }
        }
    }

    /// `waitMilliseconds`: how long the broker waits for the task's final state before it answers anyway.
    func lookup(_ id: TaskID, waitMilliseconds: UInt32 = 0) throws(CommandFailure) -> LookupAnswer {
        let number = takeCorrelation()
        let request = Request.lookup(correlation: number, id: id, waitMilliseconds: waitMilliseconds)
        return try exchange(request, extraMilliseconds: UInt64(waitMilliseconds)) { reply in
            if case .task(number, let answer) = reply { answer } else { nil }
        }
    }

    func deadTasks(_ query: DeadTaskQuery) throws(CommandFailure) -> DeadTaskListing {
        let number = takeCorrelation()
        return try exchange(.listDead(correlation: number, query)) { reply in
            switch reply {
            case .dead(number, let page): .page(page)
            case .done(number, let problem): .refused(problem ?? "")
            case _: nil
            }
        }
    }

    /// One outcome for each id; at most ``Limits/batchTasksMax`` ids.
    func act(_ act: TaskAct, on ids: [TaskID]) throws(CommandFailure) -> [ActOutcome] {
        let number = takeCorrelation()
        let actor = Self.actor
        return try exchange(.act(correlation: number, act, ids: ids, actor: actor)) { reply in
            if case .acted(number, let outcomes) = reply, outcomes.count == ids.count {
                outcomes
            } else {
                nil
            }
        }
    }

    func redrive(_ id: TaskID, edited payload: [UInt8]) throws(CommandFailure) -> ActOutcome {
        let number = takeCorrelation()
        let request = Request.redriveEdited(
            correlation: number, id: id, payload: payload[...], actor: Self.actor)
        return try exchange(request) { reply in
            if case .acted(number, let outcomes) = reply { outcomes.first } else { nil }
        }
    }

    /// Nil where no such task is waiting, leased, parked or dead.
    func payload(of id: TaskID) throws(CommandFailure) -> [UInt8]? {
        let number = takeCorrelation()
        return try exchange(.payload(correlation: number, id: id)) { reply -> [UInt8]?? in
            if case .payload(number, let payload) = reply { .some(payload.map { Array($0) }) } else { nil }
        }
    }

    func pause(
        _ queue: String, set: QueuePauses, clear: QueuePauses, reason: String
    ) throws(CommandFailure) {
        let number = takeCorrelation()
        let request = Request.pause(
            correlation: number, queue: queue, set: set, clear: clear, actor: Self.actor, reason: reason)
        let problem: String = try exchange(request) { reply in
            if case .done(number, let problem) = reply { problem ?? "" } else { nil }
        }
        guard problem.isEmpty else { throw .failed(problem) }
    }

    /// Who the broker's log names for what is done here.
    static var actor: String {
        let variables = ProcessEnvironment.variables()
        let user =
            ProcessEnvironment.value(of: "SUDO_USER", in: variables)
            ?? ProcessEnvironment.value(of: "USER", in: variables)
        return user ?? "uid \(getuid())"
    }

    func takeCorrelation() -> Correlation {
        defer { nextCorrelation += 1 }
        return nextCorrelation
    }

    /// Says hello with each request: a connection may have been made anew since the last one.
    func exchange<Answer>(
        _ request: Request, extraMilliseconds: UInt64 = 0, answer: (Reply) -> Answer?
    ) throws(CommandFailure) -> Answer {
        var frame = FrameWriter()
        frame.append(.hello(Hello(role: .admin, name: "taskq", session: session)))
        frame.append(request)
        let limit = Self.answerMilliseconds + extraMilliseconds
        let deadline = Clocks.monotonicNanoseconds() + limit * 1_000_000
        var isSent = false
        do {
            while true {
                var events: [DealerSocket.Event] = []
                try socket.receive(into: &events)
                for case .message(let bytes) in events {
                    if let found = try read(bytes, isSent: &isSent, answer) { return found }
                }
                if !isSent { isSent = try socket.send(frame.bytes) == .sent }
                let now = Clocks.monotonicNanoseconds()
                guard now < deadline else { break }
                try OwnedDescriptor.waitUntilReady(
                    socket.descriptor, events: Int16(POLLIN),
                    timeoutMilliseconds: CInt((deadline - now) / 1_000_000) + 1)
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .failed("the broker's answer could not be read: \(error)")
        }
        let seconds = "within \(limit / 1_000) s"
        throw .notReachable(
            isSent
                ? "the broker behind \(path) did not answer \(seconds)"
                : "nobody took the connection at \(path) \(seconds): is the broker running?")
    }

    private func read<Answer>(
        _ frame: [UInt8], isSent: inout Bool, _ answer: (Reply) -> Answer?
    ) throws -> Answer? {
        var reader = try FrameReader(frame)
        while let reply = try reader.nextReply() {
            if let found = answer(reply) { return found }
            switch reply {
            case .helloRequired: isSent = false
            case .helloRefused(let reason):
                throw CommandFailure.failed("the broker refuses this taskq: \(reason)")
            case .rejected(let reason):
                throw CommandFailure.failed("the broker refused the request: \(reason)")
            case .welcome, .enqueued, .task, .cancelled, .queues, .delivery, .settled, .status, .done, .dead,
                .acted, .payload, .deletion, .blocked, .backup:
                continue
            }
        }
        return nil
    }
}
