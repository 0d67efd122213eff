package import Configuration
private import Glibc
private import LinuxSystem
private import ServiceLog

/// The machine: its clock, and what a process may have of it.
package struct HostChecks {
    /// 2024-01-01, milliseconds since 1970: no taskq is older.
    private static let oldestWall: UInt64 = 1_704_067_200_000
    /// Beside connections: segments, sockets, logs.
    private static let otherDescriptors: UInt64 = 512
    private static let adminGroup = "taskq-admin"

    private let configuration: ServiceConfiguration
    private let isForeground: Bool

    package init(_ configuration: ServiceConfiguration, isForeground: Bool) {
        self.configuration = configuration
        self.isForeground = isForeground
    }

    package func run() -> [Finding] {
        [clock(), descriptors()] + (isForeground ? [] : [group()])
    }

    private func clock() -> Finding {
        let wall = Clocks.wallMilliseconds()
        let text = LineFormats.timestamp(wall)
        guard wall > Self.oldestWall else {
            return .problem("clock", "\(text) cannot be true", cure: "timedatectl set-ntp true")
        }
        guard Clocks.isSynchronised else {
            return .note(
                "clock", "\(text), not synchronised: times in histories and due dates may be off",
                cure: "timedatectl set-ntp true")
        }
        return .good("clock", "\(text), synchronised")
    }

    private func descriptors() -> Finding {
        let check = "limits"
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return .problem(check, SystemError("getrlimit").description, cure: "ulimit -n")
        }
        let needed = UInt64(configuration.api.maxConnections) + Self.otherDescriptors
        let text = "\(limit.rlim_cur) open files, at most \(limit.rlim_max)"
        guard UInt64(limit.rlim_cur) >= needed else {
            return .note(
                check, "\(text); max_connections = \(configuration.api.maxConnections) wants \(needed)",
                cure: "ulimit -n \(needed) before taskq up; the units set LimitNOFILE= themselves")
        }
        return .good(check, text)
    }

    /// Who may talk to the broker without being root.
    private func group() -> Finding {
        guard let entry = getgrnam(Self.adminGroup)?.pointee else {
            return .problem(
                "group", "there is no group \(Self.adminGroup)", cure: "run systemd-sysusers")
        }
        var groups = [gid_t](repeating: 0, count: 1_024)
        let count = getgroups(CInt(groups.count), &groups)
        guard geteuid() == 0 || groups.prefix(max(0, Int(count))).contains(entry.gr_gid) else {
            return .note(
                "group", "this user is not in \(Self.adminGroup)",
                cure: "usermod -aG \(Self.adminGroup) USER, and log in again; or use sudo")
        }
        return .good("group", "this user may talk to the broker (\(Self.adminGroup))")
    }
}
