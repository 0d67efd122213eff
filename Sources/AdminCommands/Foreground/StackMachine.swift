/// One program of the foreground stack.
package enum StackMember: Hashable, Sendable {
    case broker
    case ingest
    case worker(queue: String)

    package var program: String {
        switch self {
        case .broker: "taskq-broker"
        case .ingest: "taskq-ingest"
        case .worker: "taskq-worker"
        }
    }

    /// The program, with the queue that tells workers apart.
    package var label: String {
        if case .worker(let queue) = self { "\(program)@\(queue)" } else { program }
    }

    package var isWorker: Bool {
        if case .worker = self { true } else { false }
    }
}

/// What the foreground stack does next: starts in order, restarts what dies, stops in order.
///
/// Pure; time enters.
///
/// The broker is started first, ingest when that is ready, and when ingest is, the workers that the plugin
/// keeper asks for. Stopping goes the other way, so that nobody loses the peer that it reports to.
package struct StackMachine: Sendable {
    package enum Action: Hashable, Sendable {
        case start(StackMember)
        case terminate(StackMember)
        case kill(StackMember)
        /// Have it read its configuration again.
        case reload(StackMember)
        /// Everything serves for the first time.
        case announce
        case say(String)
        /// All are gone: end with this code.
        case finish(code: Int32)
    }

    /// How a member ended, as far as it matters here.
    package struct Ending: Hashable, Sendable {
        /// For people, `exit 1`, `signal 9`.
        package var words: String
        /// What no restart can cure: the daemon says so by its exit status.
        package var isFinal: Bool

        package init(words: String, isFinal: Bool) {
            self.words = words
            self.isFinal = isFinal
        }
    }

    private enum State {
        case idle
        case running(since: UInt64, isReady: Bool)
        /// Dead, to be started again at this time.
        case waiting(until: UInt64)
        case ended
    }

    /// What becomes of a worker when its process has ended.
    private enum Sequel {
        case restart
        /// Its plugin is gone: nothing.
        case nothing
        /// Another plugin serves its queue: a fresh start, at once.
        case successor
    }

    private struct Record {
        var state = State.idle
        var sequel = Sequel.restart
        var wasReady = false
        /// It is told to reload once it is ready: before, the signal would end it.
        var reloadIsDue = false
        /// Deaths in a row, each within ``Delays/healthy`` of its start.
        var failures = 0
        /// Told to end, and when it is killed.
        var killAt: UInt64?
        var isKilled = false
    }

    /// All in milliseconds.
    package enum Delays {
        package static let firstRestart: UInt64 = 100
        package static let longestRestart: UInt64 = 5_000
        /// A member that ran so long was well.
        package static let healthy: UInt64 = 10_000
        /// From the request to stop: when workers, ingest and broker are killed.
        ///
        /// All told less than 5 s.
        package static let killWorkers: UInt64 = 4_000
        package static let killIngest: UInt64 = 4_400
        package static let killBroker: UInt64 = 4_800
        /// From the end of its plugin: when a worker that did not end by itself is killed.
        ///
        /// Long, because the worker itself bounds how long its task in hand may go on.
        package static let killRetired: UInt64 = 120_000
    }

    private var workers: [StackMember] = []
    private var records: [StackMember: Record] = [:]
    private var isAnnounced = false
    /// When the stop began; nil while the stack serves.
    private var stopSince: UInt64?
    private var exitCode: Int32 = 0
    private var isFinished = false

    package init() {
        for member in [StackMember.broker, .ingest] { records[member] = Record() }
    }

    private var allMembers: [StackMember] { [.broker, .ingest] + workers }

    package var isStopping: Bool { stopSince != nil }

    package mutating func begin(at now: UInt64) -> [Action] {
        start(.broker, at: now)
    }

    /// A plugin is there: its queue gets a worker.
    package mutating func serve(_ queue: String, at now: UInt64) -> [Action] {
        let member = StackMember.worker(queue: queue)
        guard !isStopping else { return [] }
        if let record = records[member] {
            // The one before has not ended yet.
            if record.sequel == .nothing { records[member]?.sequel = .successor }
            return []
        }
        records[member] = Record()
        workers.append(member)
        return isAnnounced ? start(member, at: now) : []
    }

    /// Another plugin serves the queue: its worker ends, and starts anew.
    package mutating func renew(_ queue: String, at now: UInt64) -> [Action] {
        let member = StackMember.worker(queue: queue)
        guard records[member] != nil else { return serve(queue, at: now) }
        return isStopping ? [] : dismiss(member, .successor, at: now)
    }

    /// The plugin is gone.
    package mutating func retire(_ queue: String, at now: UInt64) -> [Action] {
        let member = StackMember.worker(queue: queue)
        return isStopping || records[member] == nil ? [] : dismiss(member, .nothing, at: now)
    }

    private mutating func dismiss(_ member: StackMember, _ sequel: Sequel, at now: UInt64) -> [Action] {
        guard isRunning(member) else {
            // Not started yet, or between two starts.
            if sequel == .nothing { forget(member) }
            if case .waiting? = records[member]?.state { records[member]?.state = .waiting(until: now) }
            return []
        }
        records[member]?.sequel = sequel
        guard records[member]?.killAt == nil else { return [] }
        records[member]?.killAt = now + Delays.killRetired
        return [.terminate(member)]
    }

    private mutating func forget(_ member: StackMember) {
        records[member] = nil
        workers.removeAll { $0 == member }
    }

    /// A member says that it serves.
    ///
    /// Said again after a reload, it means nothing new.
    package mutating func ready(_ member: StackMember, at now: UInt64) -> [Action] {
        guard case .running(let since, false)? = records[member]?.state, !isStopping else { return [] }
        records[member]?.state = .running(since: since, isReady: true)
        records[member]?.wasReady = true
        let reload: [Action] = records[member]?.reloadIsDue == true ? [.reload(member)] : []
        records[member]?.reloadIsDue = false
        switch member {
        case .broker:
            return reload + (isIdle(.ingest) ? start(.ingest, at: now) : [])
        case .ingest:
            guard !isAnnounced else { return reload }
            isAnnounced = true
            return reload + workers.flatMap { start($0, at: now) } + [.announce]
        case .worker:
            return reload
        }
    }

    /// The configuration has changed: everybody reads it again.
    package mutating func reloadRequested() -> [Action] {
        guard !isStopping else { return [] }
        var actions: [Action] = []
        for member in allMembers {
            guard case .running(_, let isReady)? = records[member]?.state else { continue }
            if isReady { actions.append(.reload(member)) } else { records[member]?.reloadIsDue = true }
        }
        return actions
    }

    package mutating func ended(_ member: StackMember, _ ending: Ending, at now: UInt64) -> [Action] {
        guard var record = records[member], case .running(let since, _) = record.state else { return [] }
        if isStopping {
            record.state = .ended
            records[member] = record
            return advanceStop(at: now)
        }
        switch record.sequel {
        case .restart: break
        case .nothing:
            forget(member)
            return []
        case .successor:
            records[member] = Record()
            return start(member, at: now)
        }
        if !member.isWorker, ending.isFinal || !record.wasReady {
            record.state = .ended
            records[member] = record
            let when = record.wasReady ? "" : " before it was ready"
            return [.say("\(member.label) ended\(when): \(ending.words); stopping")]
                + beginStop(code: 1, at: now)
        }
        record.failures = now - since >= Delays.healthy ? 1 : record.failures + 1
        let pause = Self.restartPause(failures: record.failures)
        record.state = .waiting(until: now + pause)
        records[member] = record
        return [.say("\(member.label) ended: \(ending.words); starting it again in \(pause) ms")]
    }

    /// Doubles from ``Delays/firstRestart`` to ``Delays/longestRestart``.
    private static func restartPause(failures: Int) -> UInt64 {
        min(Delays.firstRestart << UInt64(min(failures - 1, 10)), Delays.longestRestart)
    }

    /// The first request stops in order, every later one kills at once.
    package mutating func stopRequested(at now: UInt64) -> [Action] {
        guard isStopping else { return beginStop(code: 0, at: now) }
        return allMembers.filter { isRunning($0) && records[$0]?.isKilled == false }.map { kill($0) }
    }

    private mutating func beginStop(code: Int32, at now: UInt64) -> [Action] {
        stopSince = now
        exitCode = code
        for member in allMembers where !isRunning(member) { records[member]?.state = .ended }
        return advanceStop(at: now)
    }

    /// Restarts what is due, kills what has outlived its grace.
    package mutating func tick(at now: UInt64) -> [Action] {
        var actions: [Action] = []
        for member in allMembers {
            guard let record = records[member] else { continue }
            if case .waiting(let until) = record.state, until <= now { actions += start(member, at: now) }
            if let killAt = record.killAt, killAt <= now, isRunning(member), !record.isKilled {
                actions += [.say("\(member.label) did not end in time"), kill(member)]
            }
        }
        return actions
    }

    /// When ``tick(at:)`` has something to do; nil if only events can.
    package var nextDeadline: UInt64? {
        allMembers.compactMap { member -> UInt64? in
            guard let record = records[member] else { return nil }
            if case .waiting(let until) = record.state { return until }
            return isRunning(member) && !record.isKilled ? record.killAt : nil
        }.min()
    }

    /// Ends the next rank once the one above it is gone.
    private mutating func advanceStop(at now: UInt64) -> [Action] {
        guard let stopSince, !isFinished else { return [] }
        let ranks: [(members: [StackMember], grace: UInt64)] = [
            (workers, Delays.killWorkers), ([.ingest], Delays.killIngest), ([.broker], Delays.killBroker),
        ]
        for (members, grace) in ranks {
            let alive = members.filter { isRunning($0) }
            if alive.isEmpty { continue }
            let untold = alive.filter { records[$0]?.killAt == nil }
            for member in alive {
                // A worker whose plugin has gone was told before, and had more time.
                let killAt = min(records[member]?.killAt ?? .max, stopSince + grace)
                records[member]?.killAt = killAt
            }
            return untold.map { .terminate($0) }
        }
        isFinished = true
        return [.finish(code: exitCode)]
    }

    private mutating func start(_ member: StackMember, at now: UInt64) -> [Action] {
        records[member]?.state = .running(since: now, isReady: false)
        // It reads what stands in the files now.
        records[member]?.reloadIsDue = false
        return [.start(member)]
    }

    private mutating func kill(_ member: StackMember) -> Action {
        records[member]?.isKilled = true
        return .kill(member)
    }

    private func isRunning(_ member: StackMember) -> Bool {
        if case .running? = records[member]?.state { true } else { false }
    }

    private func isIdle(_ member: StackMember) -> Bool {
        if case .idle? = records[member]?.state { true } else { false }
    }
}
