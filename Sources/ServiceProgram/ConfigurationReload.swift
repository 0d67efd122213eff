package import Configuration
private import LinuxSystem
package import Logging
import ServiceLog
private import Systemd

/// Reads a daemon's configuration again when SIGHUP asks for it.
///
/// A configuration with mistakes changes nothing, and is said. What takes a restart is said once: the next
/// reload tells only what has changed since.
package struct ConfigurationReload: Sendable {
    private let sources: ConfigurationSources
    private let log: ServiceLog
    /// As it was read last; keys that take a restart may differ from what the daemon does.
    package private(set) var configuration: ServiceConfiguration

    init(_ sources: ConfigurationSources, _ configuration: ServiceConfiguration, log: ServiceLog) {
        self.sources = sources
        self.configuration = configuration
        self.log = log
    }

    /// Reads everything again and lets `apply` take over what can change; `log.level` is taken over here.
    ///
    /// `apply` gets the configuration before and the one from now on.
    package mutating func run(
        _ logger: Logger, apply: (_ old: ServiceConfiguration, _ new: ServiceConfiguration) throws -> Void
    ) rethrows {
        Self.tell(.reloading(monotonicMicroseconds: Clocks.monotonicNanoseconds() / 1_000))
        defer { Self.tell(.ready) }
        let new: ServiceConfiguration
        do throws(ConfigurationError) {
            new = try sources.load()
        } catch {
            for problem in error.problems {
                logger.error(
                    "configuration is wrong; the old one stays",
                    metadata: CatalogMessage.configurationWrong.with(["mistake": "\(problem)"]))
            }
            return
        }
        let old = configuration
        let changes = ConfigurationChanges(from: old, to: new)
        configuration = new
        log.setLevel(new.log.level.loggerLevel)
        try apply(old, new)
        logger.notice(
            "configuration reloaded",
            metadata: [
                "changed": "\(changes.live.isEmpty ? "nothing" : changes.live.joined(separator: ", "))"
            ])
        guard !changes.needingRestart.isEmpty else { return }
        logger.warning(
            "changes that take a restart",
            metadata: CatalogMessage.restartNeeded.with([
                "keys": "\(changes.needingRestart.joined(separator: ", "))"
            ]))
    }

    private static func tell(_ notification: ServiceNotification) {
        _ = try? SystemdService.notify(notification)  // ignoring: nobody has to listen
    }
}
