private import CSystemd
private import Glibc
package import LinuxSystem

/// What a daemon tells its service manager.
package enum ServiceNotification: Hashable, Sendable {
    /// Start-up is done: clients may come.
    case ready
    case reloading(monotonicMicroseconds: UInt64)
    case stopping
    /// One line for people, shown by `systemctl status`.
    case status(String)
    /// The turn is alive.
    case watchdog
    /// Start or stop takes longer: this much more from now on.
    case extendTimeout(microseconds: UInt64)

    /// The line of the protocol.
    ///
    /// Control characters would begin another one.
    package var line: String {
        switch self {
        case .ready: "READY=1"
        case .reloading(let time): "RELOADING=1\nMONOTONIC_USEC=\(time)"
        case .stopping: "STOPPING=1"
        case .status(let text):
            "STATUS=\(String(text.unicodeScalars.map { $0.value < 32 ? " " : Character($0) }))"
        case .watchdog: "WATCHDOG=1"
        case .extendTimeout(let microseconds): "EXTEND_TIMEOUT_USEC=\(microseconds)"
        }
    }
}

/// systemd, or whoever set NOTIFY_SOCKET, LISTEN_FDS and WATCHDOG_USEC.
package enum SystemdService {
    /// Tells the service manager; false where there is none.
    ///
    /// The corresponding C function is `sd_notify`.
    @discardableResult
    package static func notify(_ notifications: ServiceNotification...) throws(SystemError) -> Bool {
        let status = sd_notify(0, notifications.map(\.line).joined(separator: "\n"))
        guard status >= 0 else { throw SystemError(call: "sd_notify", errno: -status) }
        return status > 0
    }

    /// The sockets that the service manager opened for this process, from 3 on; empty if it opened none.
    ///
    /// Each is given out once: LISTEN_FDS is removed, and the descriptors become close-on-exec.
    package static func inheritedSockets() throws(SystemError) -> [CInt] {
        let count = sd_listen_fds(1)
        guard count >= 0 else { throw SystemError(call: "sd_listen_fds", errno: -count) }
        return (0..<count).map { SD_LISTEN_FDS_START + $0 }
    }

    /// How often, in microseconds, the manager wants to hear ``ServiceNotification/watchdog`` at the latest;
    /// nil if never.
    package static func watchdogMicroseconds() throws(SystemError) -> UInt64? {
        var interval: UInt64 = 0
        let status = sd_watchdog_enabled(0, &interval)
        guard status >= 0 else { throw SystemError(call: "sd_watchdog_enabled", errno: -status) }
        return status > 0 ? interval : nil
    }
}
