private import Glibc
import LinuxSystem
import ProcessorSupervision
import ServiceLog

/// Has systemd run the workers: one `systemctl` at a time, without waiting for it.
final class SystemdWorkers {
    /// Longer ones are killed: a service manager that hangs must not hold back the next order for ever.
    private static let commandMilliseconds: UInt64 = 30_000

    private let systemctl: String
    private let environment: [String]
    private let epoll: Epoll
    private var running: (process: ChildProcess, words: String, killAtNanoseconds: UInt64)?
    var orders = UnitOrders()

    /// - Parameter environment: the process's variables; `systemctl` is looked for in their PATH.
    init(environment: [String: String]) throws(SystemError) {
        let searchPath = environment["PATH"] ?? ProcessorSurroundings.usualSearchPath
        let candidates = searchPath.split(separator: ":").map { "\($0)/systemctl" }
        systemctl = candidates.first(where: FileContents.isExecutableFile) ?? "/usr/bin/systemctl"
        self.environment = environment.filter { $0.key != "NOTIFY_SOCKET" }.map { "\($0.key)=\($0.value)" }
        epoll = try Epoll()
    }

    /// Readable when a command has ended.
    var descriptor: CInt { epoll.rawValue }

    /// Nanoseconds of CLOCK_MONOTONIC at which ``proceed(at:)`` has something to do even if nothing happens.
    var nextDeadline: UInt64? { running?.killAtNanoseconds }

    /// Takes the end of a command and gives the next one; says what went wrong.
    func proceed(at now: UInt64) -> [KeeperNotice] {
        var notices: [KeeperNotice] = []
        if let (process, words, killAt) = running {
            if killAt <= now { process.send(signal: SIGKILL) }
            let status = try? process.reap()  // ignoring: our own child can always be looked at
            guard let status else { return [] }
            running = nil
            if status != .exited(0) { notices.append(Self.failed(words, "\(status)")) }
        }
        while running == nil, let arguments = orders.next() {
            do {
                try run(arguments, at: now)
            } catch {
                notices.append(Self.failed(arguments.joined(separator: " "), "\(error)"))
            }
        }
        return notices
    }

    private static func failed(_ words: String, _ reason: String) -> KeeperNotice {
        KeeperNotice(
            .warning, "systemctl failed", ["command": words, "reason": reason],
            catalog: CatalogMessage.systemctlFailed)
    }

    /// Its own words, on standard error, go where the keeper's go.
    private func run(_ arguments: [String], at now: UInt64) throws {
        let null = try OwnedDescriptor(opening: "/dev/null", flags: O_RDWR)
        let request = SpawnRequest(
            path: systemctl, arguments: ["systemctl"] + arguments, environment: environment,
            descriptors: [null.rawValue, null.rawValue, STDERR_FILENO])
        let process = try ChildProcess(spawning: request)
        try epoll.add(process.pidDescriptor, token: 0, interest: .readable)
        running = (
            process, arguments.joined(separator: " "), now + Self.commandMilliseconds * 1_000_000
        )
    }
}
