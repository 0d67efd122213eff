package import Configuration
private import Glibc
private import LinuxSystem
private import TaskModel
private import WireProtocol

/// Whether the daemons are there: their sockets, who listens, and what they answer.
package struct DaemonChecks {
    /// sun_path of unix(7), without its NUL.
    private static let socketPathBytesMax = 107

    private let configuration: ServiceConfiguration

    package init(_ configuration: ServiceConfiguration) {
        self.configuration = configuration
    }

    package func run() -> [Finding] {
        let paths = configuration.paths
        let sockets = [
            ("ingest socket", paths.ingestSocket), ("worker socket", paths.workerSocket),
            ("admin socket", paths.adminSocket),
        ].map { socket($0, at: $1) }
        return sockets + broker() + [ingest()]
    }

    private func socket(_ check: String, at path: String) -> Finding {
        guard path.utf8.count <= Self.socketPathBytesMax else {
            return .problem(
                check, "\(path) has \(path.utf8.count) bytes, at most \(Self.socketPathBytesMax) go",
                cure: "give --state a shorter path, or a relative one")
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            return .problem(
                check, "\(path): \(SystemError.text(of: errno))",
                cure: "start the broker: taskq up, or systemctl start taskq.target")
        }
        let mode = String(status.st_mode & 0o777, radix: 8)
        guard status.st_mode & 0o007 == 0 else {
            return .problem(
                check, "\(path) has mode \(mode): everybody on this machine may use it",
                cure: "restart the broker, which sets 660")
        }
        guard access(path, R_OK | W_OK) == 0 else {
            // Another role's socket is not this user's to open.
            return .good(check, "\(path), mode \(mode), group \(status.st_gid), not this user's")
        }
        do throws(SystemError) {
            let peer = try StreamSocket(connectingTo: path).peer()
            return program(of: peer?.pid, check, "\(path), mode \(mode), group \(status.st_gid)")
        } catch {
            return .problem(
                check, "\(path): \(SystemError.text(of: error.errno)): nobody listens",
                cure: "start the broker: taskq up, or systemctl start taskq.target")
        }
    }

    /// A process whose file was replaced still runs the old version.
    private func program(of pid: Int32?, _ check: String, _ text: String) -> Finding {
        guard let pid else { return .good(check, text) }
        let file = try? FileContents.linkTarget("/proc/\(pid)/exe")  // ignoring: another user's process
        if file?.hasSuffix(" (deleted)") == true {
            return .note(
                check, "\(text), pid \(pid) runs a version that is not installed any more",
                cure: "restart it: systemctl restart taskq.target")
        }
        return .good(check, "\(text), pid \(pid)")
    }

    private func broker() -> [Finding] {
        do throws(CommandFailure) {
            let status = try AdminClient(configuration.paths).status()
            let uptime = HumanText.duration(milliseconds: status.uptimeMilliseconds)
            let text = "answers, up \(uptime), journal at LSN \(status.durableLSN.rawValue)"
            return [.good("broker", text)] + status.queues.map { queue($0) }
        } catch {
            return [
                .problem(
                    "broker", "\(error)",
                    cure: "taskq up, or systemctl start taskq.target; the broker's log says why it ended")
            ]
        }
    }

    private func queue(_ queue: QueueStatus) -> Finding {
        let check = "queue \(queue.name)"
        let text = "\(queue.workers) workers, \(queue.pending) waiting, \(queue.dead) dead"
        if !queue.waitingBecause.isEmpty {
            return .note(check, "\(text); \(queue.waitingBecause)", cure: "taskq status \(queue.name)")
        }
        return .good(check, text)
    }

    private func ingest() -> Finding {
        let check = "http"
        let listen = configuration.api.listen
        guard let address = HTTPAddress("http://\(listen)") else {
            return .problem(check, "\(listen) is no address", cure: "correct [api] listen")
        }
        do throws(CommandFailure) {
            let answer = try HTTPClient(address: address, waitMilliseconds: 3_000).get("/readyz")
            let text = "http://\(listen)/readyz answers \(answer.status)"
            if answer.status == 200 { return .good(check, text) }
            return .problem(check, text, cure: "the broker is away, or something else has the port: ss -ltnp")
        } catch {
            return .problem(
                check, "http://\(listen): \(error)",
                cure: "taskq up, or systemctl start taskq-ingest.socket; --listen where it listens elsewhere")
        }
    }
}
