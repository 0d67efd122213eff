import Configuration
private import Glibc
import LinuxSystem
import Logging
import ProcessorSupervision
import ServiceLog
import ServiceProgram
import Systemd
import TaskModel

/// The program `taskq-plugins`.
package final class KeeperProgram {
    private let logger: Logger
    private let keeper: PluginKeeper
    private let workers: SystemdWorkers
    private let epoll: Epoll

    /// Runs to the end and says what the process is to end with.
    package static func run(_ arguments: [String]) -> Int32 {
        let program = ServiceProgram(
            "taskq-plugins", summary: "Keeps queues and workers as the plugin folders say.",
            options: [.plugins])
        return program.run(arguments) { setting in
            let logger = Logger(label: "taskq-plugins")
            do throws(SystemError) {
                let folders = try folders(setting.arguments)
                logger.notice("watching", metadata: ["folders": "\(folders.joined(separator: ", "))"])
                let keeper = try KeeperProgram(
                    folders, adminSocket: setting.configuration.paths.adminSocket,
                    environment: setting.environment, logger: logger)
                try keeper.serve(until: setting.signals)
                logger.notice("stopped")
                return ServiceProgram.ExitStatus.clean
            } catch {
                logger.critical(
                    "plugin keeper failed", metadata: CatalogMessage.daemonFailed.with(["reason": "\(error)"])
                )
                return ServiceProgram.ExitStatus.failed
            }
        }
    }

    private static func folders(_ arguments: DaemonArguments) throws(SystemError) -> [String] {
        let named = arguments[.plugins]?.split(separator: ":").map(String.init)
        let given = named ?? PluginFolder.installedFolders
        return try given.map { folder throws(SystemError) in
            let path = try FileContents.absolute(folder)
            return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        }
    }

    private init(
        _ folders: [String], adminSocket: String, environment: [String: String], logger: Logger
    ) throws(SystemError) {
        self.logger = logger
        keeper = try PluginKeeper(folders: folders, adminSocket: adminSocket, now: Self.now())
        workers = try SystemdWorkers(environment: environment)
        epoll = try Epoll()
        try epoll.add(keeper.pollDescriptor, token: 0, interest: .readable)
        try epoll.add(workers.descriptor, token: 1, interest: .readable)
    }

    private static func now() -> MonotonicTime { MonotonicTime(rawValue: Clocks.monotonicNanoseconds()) }

    private func serve(until signals: borrowing SignalDescriptor) throws(SystemError) {
        try epoll.add(signals.rawValue, token: 2, interest: .readable)
        var events: [Epoll.Event] = []
        try SystemdService.notify(.ready, .status("watching the plugin folders"))
        while try signals.next() == nil {
            for order in try keeper.turn(now: Self.now()) { carryOut(order) }
            for notice in workers.proceed(at: Self.now().rawValue) { tell(notice) }
            try epoll.wait(into: &events, timeoutMilliseconds: timeout())
        }
        try SystemdService.notify(.stopping)
    }

    private func carryOut(_ order: PluginKeeper.Order) {
        switch order {
        case .start(let plugin): workers.orders.start(plugin)
        case .replace(let plugin): workers.orders.replace(plugin)
        case .stop(let queue): workers.orders.stop(queue: queue)
        case .tell(let notice): tell(notice)
        }
    }

    private func tell(_ notice: KeeperNotice) {
        let facts = notice.fields.mapValues { Logger.MetadataValue.string($0) }
        logger.log(
            level: Logger.Level(rawValue: notice.level.rawValue) ?? .notice, "\(notice.message)",
            metadata: notice.catalog?.with(facts) ?? facts)
    }

    /// Milliseconds, rounded up: a turn before its deadline would find nothing to do.
    private func timeout() -> CInt {
        guard let due = [keeper.nextDeadline?.rawValue, workers.nextDeadline].compactMap({ $0 }).min() else {
            return -1
        }
        let now = Clocks.monotonicNanoseconds()
        return due <= now ? 0 : CInt(clamping: (due - now + 999_999) / 1_000_000)
    }
}
