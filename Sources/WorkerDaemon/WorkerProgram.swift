import Configuration
import LinuxSystem
import Logging
import ServiceLog
import ServiceProgram

/// The program `taskq-worker`.
package enum WorkerProgram {
    /// Runs to the end and says what the process is to end with.
    package static func run(_ arguments: [String]) -> Int32 {
        let program = ServiceProgram(
            "taskq-worker", summary: "Serves one queue: runs its processor for each task.",
            options: [.queue, .plugin, .instance])
        return program.run(arguments) { setting in
            let logger = Logger(label: "taskq-worker")
            do throws(WorkerDaemonError) {
                let options = try WorkerOptions(
                    setting.arguments, setting.configuration, environment: setting.environment)
                let service = setting.log
                let log = WorkerLog(logger: logger, queue: options.queue) { level, text, metadata in
                    service.offer(level, text, metadata: metadata)
                }
                let daemon = try WorkerDaemon(options, log: log)
                var reload = setting.reload
                let manifest = options.manifestOverrides
                try daemon.run(
                    stopRequests: setting.signals.rawValue, reloadRequests: setting.reloadRequests.rawValue
                ) {
                    reload.run(logger) { _, new in
                        daemon.reconfigure(new.processorLimits(for: options.queue, manifest: manifest))
                    }
                }
                return ServiceProgram.ExitStatus.clean
            } catch {
                logger.critical(
                    "worker failed", metadata: CatalogMessage.daemonFailed.with(["reason": "\(error)"]))
                return error.exitStatus
            }
        }
    }
}
