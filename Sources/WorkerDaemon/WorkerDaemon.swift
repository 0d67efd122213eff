package import Configuration
private import Glibc
import LinuxSystem
import Logging
import ProcessorSupervision
import Systemd
import TaskModel
import WireProtocol
import ZeroMQ

/// Serves one queue: takes deliveries from the broker, gives them to processors, and keeps each answer until
/// the broker has confirmed it.
///
/// One thread polls everything.
///
/// The thread that calls ``run()`` must live as long as the process: its processors die with it.
package final class WorkerDaemon {
    /// How far the daemon is on its way out.
    enum Stage {
        case serving
        /// Processors finish what they have in hand.
        case draining(until: MonotonicTime)
        /// They are told to end.
        case stopping
        /// All have ended; the broker's word on the last answers is waited for.
        case confirming(until: MonotonicTime)
        case over
    }

    /// What a round has to look at.
    struct Due: OptionSet {
        let rawValue: Int
        static let socket = Due(rawValue: 1)
        static let processors = Due(rawValue: 2)
    }

    private enum Token {
        static let socket: UInt64 = 1
        static let processors: UInt64 = 2
        static let stop: UInt64 = 3
        static let reload: UInt64 = 4
    }

    let options: WorkerOptions
    let log: WorkerLog
    let session: SessionID
    let supervisor: ProcessorSupervisor
    let socket: DealerSocket
    var ledger = WorkerLedger()
    var link = BrokerLink()
    var frame = FrameWriter()
    /// Frames that the socket would not take though there is a connection.
    var unsent: [[UInt8]] = []
    /// What this connection was told last.
    var toldCredit: Int?
    var toldStall = ""
    /// Why nothing can start, for each new connection; empty where all is well.
    var stall = ""
    /// The cure that the log has told of last.
    var loggedStall: StartProblem?
    var stage = Stage.serving
    var badFrames: UInt64 = 0
    private let epoll: Epoll
    private var ready: [Epoll.Event] = []
    private var due: Due = [.socket, .processors]
    private var watchdogMicroseconds: UInt64?
    private var watchdogAt: MonotonicTime?

    package init(_ options: WorkerOptions, log: WorkerLog) throws(WorkerDaemonError) {
        self.options = options
        self.log = log
        do throws(ProcessorSupervisionError) {
            supervisor = try ProcessorSupervisor(options.supervision) { log.take($0) }
        } catch {
            throw .supervision(error)
        }
        do throws(SystemError) {
            socket = try DealerSocket(connectingTo: options.brokerSocket)
            session = SessionID(rawValue: try RandomBytes.word())
            epoll = try Epoll()
            try epoll.add(socket.descriptor, token: Token.socket, interest: .readable)
            try epoll.add(supervisor.pollDescriptor, token: Token.processors, interest: .readable)
        } catch {
            throw .system(error)
        }
    }

    /// Serves until told to stop.
    ///
    /// A second request does not wait for tasks in hand.
    ///
    /// - Parameters:
    ///   - stopRequests: a descriptor, of signals or events, that becomes readable with each request.
    ///   - reloadRequests: one that becomes readable when `reload` is to be called; nil for none.
    package func run(
        stopRequests: CInt, reloadRequests: CInt? = nil, reload: () -> Void = {}
    ) throws(WorkerDaemonError) {
        do throws(SystemError) {
            try epoll.add(stopRequests, token: Token.stop, interest: .readable)
            if let reloadRequests {
                try epoll.add(reloadRequests, token: Token.reload, interest: .readable)
            }
            watchdogMicroseconds = try SystemdService.watchdogMicroseconds()
        } catch {
            throw .system(error)
        }
        supervisor.start(now: Self.now())
        notify(.ready)
        while true {
            try turn(now: Self.now())
            if case .over = stage { break }
            try sleep()
            for event in ready {
                switch event.token {
                case Token.socket: due.insert(.socket)
                case Token.processors: due.insert(.processors)
                case Token.reload:
                    try quieten(reloadRequests)
                    reload()
                case _: try takeStop(stopRequests)
                }
            }
        }
        log.say(.notice, "worker stopped", ["unconfirmed": "\(ledger.unconfirmed.count)"])
    }

    /// Attempts that begin from now on are bounded so.
    package func reconfigure(_ limits: ProcessorLimits) {
        supervisor.bound(
            timeoutMilliseconds: limits.timeoutMilliseconds,
            maxRuntimeMilliseconds: limits.maxRuntimeMilliseconds)
    }

    private func quieten(_ requests: CInt?) throws(WorkerDaemonError) {
        guard let requests else { return }
        do throws(SystemError) {
            try Self.quieten(requests)
        } catch {
            throw .system(error)
        }
    }

    private func takeStop(_ requests: CInt) throws(WorkerDaemonError) {
        try quieten(requests)
        log.say(.notice, "stopping")
        stop(now: Self.now())
    }

    /// Reads away what makes the descriptor readable.
    private static func quieten(_ descriptor: CInt) throws(SystemError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_024, alignment: 8)
        defer { buffer.deallocate() }
        _ = try OwnedDescriptor.read(descriptor, into: buffer)
    }

    static func now() -> MonotonicTime { MonotonicTime(rawValue: Clocks.monotonicNanoseconds()) }

    /// One round over everything that is due, and nothing else.
    private func turn(now: MonotonicTime) throws(WorkerDaemonError) {
        if due.contains(.socket) { try readBroker(now: now) }
        do throws(ProcessorSupervisionError) {
            let isLate = supervisor.nextDeadline.map { $0 <= now } ?? false
            if due.contains(.processors) || isLate { act(on: try supervisor.turn(now: now), now: now) }
        } catch {
            throw .supervision(error)
        }
        due = []
        startWaiting(now: now)
        passTime(now: now)
        tellCredit()
        try flush()
    }

    private func passTime(now: MonotonicTime) {
        switch link.passTime(now: now) {
        case .nothing: break
        case .hello: sayHello(now: now)
        case .renewal:
            let held = ledger.receipts
            if !held.isEmpty { frame.append(Request.renew(receipts: held)) }
        }
        passStage(now: now)
        guard let interval = watchdogMicroseconds, watchdogAt.map({ $0 <= now }) ?? true else { return }
        notify(.watchdog)
        watchdogAt = now.advanced(byMilliseconds: interval / 2_000)
    }

    /// Waits for the kernel; for the first moments after an event without sleeping while a lease is out,
    /// because waking a sleeping core takes longer than most answers do.
    private func sleep() throws(WorkerDaemonError) {
        let now = Self.now()
        do throws(SystemError) {
            if options.spinMicroseconds > 0, !ledger.isEmpty {
                let end = now.rawValue + options.spinMicroseconds * 1_000
                repeat {
                    try epoll.wait(into: &ready, timeoutMilliseconds: 0)
                    if !ready.isEmpty { return }
                    sched_yield()
                } while Clocks.monotonicNanoseconds() < end
            }
            try epoll.wait(into: &ready, timeoutMilliseconds: timeoutMilliseconds(now: now))
        } catch {
            throw .system(error)
        }
    }

    private func timeoutMilliseconds(now: MonotonicTime) -> CInt {
        var next = MonotonicTime(rawValue: .max)
        switch stage {
        case .draining(let until), .confirming(let until): next = until
        case .serving, .stopping, .over: break
        }
        if let deadline = supervisor.nextDeadline { next = min(next, deadline) }
        if let deadline = link.nextDeadline { next = min(next, deadline) }
        if let watchdogAt { next = min(next, watchdogAt) }
        guard next.rawValue < .max else { return -1 }
        // Rounded up: to wake early is to wake twice.
        return next <= now ? 0 : CInt(clamping: next.milliseconds(since: now) + 1)
    }

    func notify(_ notification: ServiceNotification) {
        _ = try? SystemdService.notify(notification)  // ignoring: nobody has to listen
    }
}
