import Configuration
import Glibc
import LinuxSystem
import Logging
import ServiceLog
import ServiceProgram
import Systemd

/// The program `taskq-ingest`: the front door for HTTP.
package enum IngestDaemon {
    /// Not in `--help`: `make bench` measures the HTTP server alone with it.
    private static let answerWithoutQueue = "answer-without-queue"

    /// Runs until SIGTERM, SIGINT or a failure, and gives the exit status.
    package static func run(_ arguments: [String]) -> Int32 {
        let program = ServiceProgram(
            "taskq-ingest", summary: "Takes tasks over HTTP and puts them on their queues.",
            options: [.listen], switches: [answerWithoutQueue])
        return program.run(arguments) { setting in
            let logger = setting.log.makeLogger(label: "taskq-ingest")
            do {
                var reload = setting.reload
                try serve(options(setting), setting, &reload, logger: logger)
                return ServiceProgram.ExitStatus.clean
            } catch {
                logger.critical(
                    "ingest failed", metadata: CatalogMessage.daemonFailed.with(["error": "\(error)"]))
                return ServiceProgram.ExitStatus.failed
            }
        }
    }

    private static func options(_ setting: borrowing ServiceProgram.Setting) throws -> IngestOptions {
        let inherited = try SystemdService.inheritedSockets()
        guard inherited.count <= 1 else {
            throw IngestError.tooManyInheritedSockets(count: inherited.count)
        }
        return try IngestOptions(
            setting.configuration, inheritedSocket: inherited.first,
            answersWithoutQueue: setting.arguments.switches.contains(answerWithoutQueue))
    }

    private static func serve(
        _ options: IngestOptions, _ setting: borrowing ServiceProgram.Setting,
        _ reload: inout ConfigurationReload, logger: Logger
    ) throws {
        let server = try IngestServer(options, logger: logger)
        if options.answersWithoutQueue {
            logger.warning("answering without a queue: tasks are checked and dropped, nothing is stored")
        }
        logger.notice("listening", metadata: ["address": "\(server.address)"])
        if let limit = try SystemdService.watchdogMicroseconds() {
            server.beatWatchdog(everyMicroseconds: limit / 2)
        }
        try SystemdService.notify(.ready, .status("Listening on \(server.address)"))
        try waitForEnd(of: server, setting, &reload, logger: logger)
        try server.checkEnding()
        logger.notice("stopped")
    }

    /// Returns when the server has drained after a signal, has failed, or at a second signal.
    private static func waitForEnd(
        of server: IngestServer, _ setting: borrowing ServiceProgram.Setting,
        _ reload: inout ConfigurationReload, logger: Logger
    ) throws {
        var isDraining = false
        var items = [
            setting.signals.rawValue, server.endDescriptor, setting.reloadRequests.rawValue,
        ].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while true {
            guard poll(&items, nfds_t(items.count), -1) > 0 else { continue }
            if items[1].revents != 0 { return }
            if try setting.reloadRequests.next() != nil {
                reload.run(logger) { _, new in
                    server.reconfigure(
                        maxBodyBytes: new.api.maxBodyBytes, maxConnections: new.api.maxConnections)
                }
            }
            while let delivery = try setting.signals.next() {
                if isDraining { return }
                isDraining = true
                logger.notice("draining", metadata: ["signal": "\(delivery.signal)"])
                try SystemdService.notify(.stopping)
                server.beginDrain()
            }
        }
    }
}
