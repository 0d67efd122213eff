import Configuration
import Journal
import LinuxSystem
import Logging
import QueueStateMachine
import ServiceLog
import ServiceProgram
import Systemd
import TaskModel
import WireProtocol

/// The daemon around the turn: real disk, sockets, clocks, signals, logs.
package struct BrokerDaemon {
    /// How the process ends besides what every daemon shares; the unit names them, docs/OPERATIONS.md
    /// explains them.
    package enum ExitStatus {
        /// The journal is damaged (EX_DATAERR of sysexits.h).
        ///
        /// Nothing may restart the broker; a person has to look.
        package static let damaged: Int32 = 65
        /// EX_IOERR: the disk failed.
        ///
        /// Nothing was acknowledged that is not on it; a restart recovers.
        package static let diskFailed: Int32 = 74
        /// EX_TEMPFAIL: another broker has the directory.
        package static let locked: Int32 = 75
    }

    /// How long the turn looks for the next frame before it sleeps (docs/decisions/0007-spinning.md).
    private static let spinNanoseconds: UInt64 = 100_000

    private let configuration: ServiceConfiguration
    private let logger: Logger
    private var watchdog: Watchdog
    private var reload: ConfigurationReload

    /// Runs to the end and says what the process is to end with.
    package static func run(_ arguments: [String]) -> Int32 {
        let program = ServiceProgram(
            "taskq-broker", summary: "Owns the durable queue; speaks ZeroMQ to ingest, workers and taskq.")
        return program.run(arguments) { setting in
            let logger = Logger(label: "taskq-broker")
            do {
                let watchdog = Watchdog(intervalMicroseconds: try SystemdService.watchdogMicroseconds())
                var daemon = BrokerDaemon(
                    configuration: setting.configuration, logger: logger, watchdog: watchdog,
                    reload: setting.reload)
                try daemon.run(signals: setting.signals, reloadRequests: setting.reloadRequests)
                return ServiceProgram.ExitStatus.clean
            } catch let error as JournalError {
                return exitStatus(of: error, logger)
            } catch {
                logger.critical(
                    "broker failed", metadata: CatalogMessage.daemonFailed.with(["error": "\(error)"]))
                return ServiceProgram.ExitStatus.failed
            }
        }
    }

    private static func exitStatus(of error: JournalError, _ logger: Logger) -> Int32 {
        switch error {
        case .locked(let pid):
            logger.critical(
                "another broker has this journal",
                metadata: CatalogMessage.journalLocked.with([
                    "pid": "\(pid.map { "\($0)" } ?? "unknown")", "cure": "stop it, or use another --state",
                ]))
            return ExitStatus.locked
        case .damaged, .damagedRecord, .noGoodCheckpoint, .foreignFile, .unsupportedVersion:
            logger.critical(
                "journal is damaged; nothing was changed and nothing is served",
                metadata: CatalogMessage.journalDamaged.with([
                    "damage": "\(error)", "cure": "docs/OPERATIONS.md, \"the journal is damaged\"",
                ]))
            return ExitStatus.damaged
        case .isBackup, .notEmpty:
            logger.critical(
                "this is a backup and no journal; nothing was changed and nothing is served",
                metadata: CatalogMessage.journalIsBackup.with([
                    "cure": "'taskq journal restore' makes a journal of it elsewhere"
                ]))
            return ExitStatus.damaged
        case .storage, .full, .tooLarge, .gone:
            logger.critical(
                "disk failed; what was not yet acknowledged is not acknowledged",
                metadata: CatalogMessage.diskFailed.with(["error": "\(error)"]))
            return ExitStatus.diskFailed
        }
    }

    private mutating func run(
        signals: borrowing SignalDescriptor, reloadRequests: borrowing SignalDescriptor
    ) throws {
        let background = try BackgroundThread()
        var clock = PatientClock()
        let bootID = try Clocks.bootIdentity()
        var clocks = Self.readClocks(bootID: bootID)
        // The directory's lock comes before the sockets: a second broker would take their paths over.
        var broker = try Broker.recovering(
            FileStorage(directory: configuration.journal.directory),
            options: try BrokerOptions(configuration),
            endpoint: LateEndpoint(), background: background, clocks: clocks,
            now: clock.begin(rawNanoseconds: clocks.monotonicNanoseconds), progress: reportProgress)
        logRecovery(broker.recovery, tasks: broker.state.sums.reduce(0) { $0 + $1.live })
        let endpoint = try bindSockets(
            watching: [signals.rawValue, reloadRequests.rawValue, background.descriptor])
        broker.endpoint.endpoint = endpoint
        var status: StatusLine? = try SystemdService.notify(.ready) ? StatusLine() : nil
        logger.notice("ready", metadata: ["journal": "\(configuration.journal.directory)"])

        var log = BrokerLog(logger: logger, policy: configuration.log.tasks)
        var lastSync = clocks.monotonicNanoseconds
        while try signals.next() == nil {
            if try reloadRequests.next() != nil { try reconfigure(&broker, &log) }
            let syncs = broker.counters.syncs
            clocks = Self.readClocks(bootID: bootID)
            broker.wantsTaskEvents = log.wantsTaskEvents(at: clocks.monotonicNanoseconds)
            try broker.turn(clocks, now: clock.begin(rawNanoseconds: clocks.monotonicNanoseconds))
            log.write(&broker)
            if broker.counters.syncs != syncs { lastSync = clocks.monotonicNanoseconds }
            try broker.sealIfQuiet(lastSync: lastSync, now: clocks.monotonicNanoseconds)
            // Not the turn's own clock: a slow disk made the turn long.
            watchdog.feed(now: Clocks.monotonicNanoseconds())
            Self.write(&status, of: broker, now: clocks.monotonicNanoseconds)
            let wake = min(
                broker.wakeTime(clock, lastSync: lastSync), watchdog.nextFeed ?? .max,
                status?.nextUpdate ?? .max)
            clock.expectNext(beforeRawNanoseconds: wake)
            try endpoint.wait(
                timeoutMilliseconds: Self.timeout(until: wake),
                spinNanoseconds: Self.spinNanoseconds)
        }
        try stop(&broker, bootID: bootID, &clock, &log)
    }

    /// SIGHUP: settings of queues and the policy of task lines change; the rest is said to take a restart.
    private mutating func reconfigure(
        _ broker: inout Broker<LateEndpoint, BackgroundThread>, _ log: inout BrokerLog
    ) throws {
        try reload.run(logger) { old, new in
            log.policy = new.log.tasks
            let changed = broker.state.queues.compactMap {
                queue -> (name: String, settings: QueueSettings)? in
                let settings = old.settings(queue.settings, of: queue.name, after: new)
                return settings == queue.settings ? nil : (queue.name, settings)
            }
            broker.reconfigure(try BrokerOptions(new), changed: changed)
        }
    }

    /// SIGTERM: what has arrived is answered (posts with "paused"), the journal is sealed.
    private func stop(
        _ broker: inout Broker<LateEndpoint, BackgroundThread>, bootID: UInt64, _ clock: inout PatientClock,
        _ log: inout BrokerLog
    ) throws {
        try SystemdService.notify(.stopping, .status("stopping"))
        broker.isStopping = true
        let clocks = Self.readClocks(bootID: bootID)
        try broker.turn(clocks, now: clock.begin(rawNanoseconds: clocks.monotonicNanoseconds))
        try broker.seal()
        log.write(&broker)
        logger.notice("stopped", metadata: ["journal.lsn": "\(broker.durableLSN.rawValue)"])
    }

    private static func timeout(until wake: UInt64) -> Int {
        if wake == .max { return -1 }
        let now = Clocks.monotonicNanoseconds()
        // Rounded up: a turn that begins before its deadline would find nothing to do.
        return wake > now ? Int(min((wake - now + 999_999) / 1_000_000, 60_000)) : 0
    }

    private static func readClocks(bootID: UInt64) -> TurnClocks {
        TurnClocks(
            monotonicNanoseconds: Clocks.monotonicNanoseconds(),
            raw: RawClocks(
                boottimeMilliseconds: Clocks.boottimeMilliseconds(),
                wallMilliseconds: Clocks.wallMilliseconds(),
                bootID: bootID))
    }

    private func bindSockets(watching descriptors: [CInt]) throws -> ZeroMQEndpoint {
        let paths = configuration.paths
        for socket in [paths.ingestSocket, paths.workerSocket, paths.adminSocket] {
            guard let folder = FileContents.parentDirectory(of: socket) else { continue }
            try FileContents.makeDirectories(folder, mode: 0o750)
        }
        return try ZeroMQEndpoint(
            paths: [
                .ingest: paths.ingestSocket, .worker: paths.workerSocket, .admin: paths.adminSocket,
            ], watching: descriptors)
    }

    private func reportProgress(_ progress: RecoveryProgress) {
        let percent = progress.bytesTotal == 0 ? 100 : progress.bytesDone * 100 / progress.bytesTotal
        // ignoring: a status line is a courtesy, and recovery goes on without it
        _ = try? SystemdService.notify(  // ignoring: as above
            .status("recovering: \(percent) %"), .extendTimeout(microseconds: 30_000_000))
    }

    private static func write(
        _ status: inout StatusLine?, of broker: borrowing Broker<LateEndpoint, BackgroundThread>,
        now: UInt64
    ) {
        let line = status?.update(now: now) {
            broker.state.sums.reduce(into: StatusLine.Figures()) { figures, queue in
                figures.live += queue.live
                figures.dead += queue.dead
                figures.accepted += queue.counters.accepted
                figures.completed += queue.counters.completed
            }
        }
        guard let line else { return }
        _ = try? SystemdService.notify(line)  // ignoring: a status line is a courtesy
    }

    private func logRecovery(_ report: RecoveryReport, tasks: UInt64) {
        for warning in report.warnings {
            logger.warning(
                "journal mended at start", metadata: CatalogMessage.journalMended.with(["what": "\(warning)"])
            )
        }
        logger.notice(
            "journal recovered",
            metadata: [
                "journal.new": "\(report.isNew)", "journal.checkpoint": "\(report.checkpointLSN.rawValue)",
                "journal.tasks": "\(tasks)",
                "journal.replayed": "\(report.replayedRecords)",
            ])
    }
}

/// The network that is bound only after recovery.
struct LateEndpoint: BrokerEndpoint {
    var endpoint: ZeroMQEndpoint?

    mutating func receive(limit: Int) -> [NetworkEvent] { endpoint?.receive(limit: limit) ?? [] }
    mutating func send(_ frame: [UInt8], to connection: ConnectionID) -> FrameOutcome {
        endpoint?.send(frame, to: connection) ?? .notSent
    }
}

/// Tells systemd, from the turn's own thread, that turns go on.
private struct Watchdog {
    private let intervalNanoseconds: UInt64?
    private(set) var nextFeed: UInt64?

    /// Feeds at half the interval, as sd_watchdog_enabled(3) advises.
    init(intervalMicroseconds: UInt64?) {
        intervalNanoseconds = intervalMicroseconds.map { $0 * 1_000 / 2 }
        nextFeed = intervalNanoseconds == nil ? nil : 0
    }

    mutating func feed(now: UInt64) {
        guard let intervalNanoseconds, let due = nextFeed, now >= due else { return }
        nextFeed = now + intervalNanoseconds
        _ = try? SystemdService.notify(.watchdog)  // ignoring: a missed feed is what the watchdog is for
    }
}

extension BrokerOptions {
    init(_ configuration: ServiceConfiguration) throws {
        self.init(
            journal: JournalOptions(
                segmentBytes: Int(clamping: configuration.journal.segmentBytes),
                reserveBytes: Int(clamping: configuration.journal.reserveBytes)),
            directory: try FileContents.absolute(configuration.journal.directory),
            queues: configuration.queues.keys.sorted().map { ($0, configuration.queueSettings(for: $0)) },
            defaults: configuration.queueSettings(for: BrokerOptions.defaultQueue))
        pluginSettings = { configuration.queueSettings(for: $0, plugin: $1) }
        pluginBounds = { Self.bounds(of: $0, plugin: $1, configuration) }
        bounds.finishedMax = configuration.historyMax
        bounds.keysMax = configuration.dedupMax
        let nothing = QueueDefaults()
        bounds.everyQueue = Self.bounds(of: "", plugin: nothing, configuration)
        for name in configuration.queues.keys {
            bounds.queues[name] = Self.bounds(of: name, plugin: nothing, configuration)
        }
    }

    private static func bounds(
        of queue: String, plugin: QueueDefaults, _ configuration: ServiceConfiguration
    ) -> QueueStateMachine.QueueBounds {
        var bounds = QueueStateMachine.QueueBounds()
        let storage = configuration.storageBounds(for: queue, plugin: plugin)
        bounds.storedBytesMax = storage.maxBytes
        bounds.deadRetentionMilliseconds = storage.deadLetterRetentionMilliseconds
        bounds.workersMax = configuration.workers(for: queue, plugin: plugin)
        return bounds
    }
}
