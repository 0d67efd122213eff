import Configuration
import Glibc
import LinuxSystem
import PluginKeeper
import ProcessorSupervision

/// Has systemd run `taskq plugin test` in the surroundings of the plugin's own worker unit.
///
/// The plugin is shown a copy of itself where it would be installed, owned by root; the unit's drop-ins, the
/// manifest's limits and the queue's credentials hold. Nothing is left of it: neither unit nor copy.
struct ServiceRehearsal {
    static let installedFolder = "/usr/local/lib/taskq/plugins"
    private static let payloadFile = "payload"
    private static let answerBytesMax = 1 << 20

    let plugin: PluginFolder.Plugin
    let payload: [UInt8]
    /// Passed on to the command in the service.
    let flags: [String]

    /// What the command in the service ended with: 0 acked, 1 not.
    func run() throws -> Int32 {
        let programs = try Self.checkMachine()
        var interruption = try Interruption()
        let properties = UnitProperties.read(
            try Self.output(of: programs.systemctl, ["cat", UnitOrders.unit(of: plugin.queue)], Self.noUnit),
            instance: plugin.queue)
        return try ScratchFolder.with { scratch in
            let copy = try place(in: scratch)
            let input = try OwnedDescriptor(opening: "\(scratch)/\(Self.payloadFile)", flags: O_RDONLY)
            let unit = "run-taskq-plugin-test-\(getpid()).service"
            let surroundings =
                properties + limits() + (try credentials())
                + ["BindReadOnlyPaths=\(copy):\(Self.installedFolder)"]
            let arguments =
                ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", "--service-type=exec"]
                + ["--unit=\(unit)", "--description=taskq plugin test of \(plugin.queue)"]
                + surroundings.flatMap { ["-p", $0] }
                + ["--", try FileContents.linkTarget("/proc/self/exe"), "plugin", "test"]
                + ["\(Self.installedFolder)/\(name)", "--task", "-"] + flags
            let request = Self.request(
                programs.run, arguments, [input.rawValue, STDOUT_FILENO, STDERR_FILENO])
            let status = try Self.wait(for: try ChildProcess(spawning: request), &interruption) {
                // ignoring: it may have ended by itself
                _ = try? Self.output(of: programs.systemctl, ["stop", unit], "")
            }
            return try Self.judge(status, unit)
        }
    }

    /// The last part of the plugin's path.
    private var name: Substring { plugin.path.split(separator: "/").last ?? "" }

    private static let noUnit =
        "taskq-worker@.service is not installed: 'make install', or the package, puts it in place"

    private static func checkMachine() throws(CommandFailure) -> (run: String, systemctl: String) {
        guard FileContents.isDirectory("/run/systemd/system"),
            let run = SystemProgram.path(of: "systemd-run"),
            let systemctl = SystemProgram.path(of: "systemctl")
        else {
            throw .failed(
                "systemd does not run this machine, so there is no service to be: leave --as-service out")
        }
        guard geteuid() == 0 else {
            throw .failed("only root may have systemd run a service: put sudo before the same command")
        }
        guard FileContents.isDirectory(installedFolder) else {
            throw .failed("there is no \(installedFolder): 'make install', or the package, makes it")
        }
        return (run, systemctl)
    }

    /// A copy as an admin's `cp -R` would make it, under `scratch`; and the payload.
    private func place(in scratch: String) throws -> String {
        let folder = "\(scratch)/plugins"
        try FileContents.makeDirectories(folder, mode: 0o755)
        guard let copier = SystemProgram.path(of: "cp") else {
            throw CommandFailure.failed("there is no cp in PATH")
        }
        _ = try Self.output(
            of: copier, ["-RH", "--", plugin.path, folder + "/"], "the plugin cannot be copied")
        let file = try OwnedDescriptor(
            opening: "\(scratch)/\(Self.payloadFile)", flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        let written = payload.withUnsafeBytes { content in
            Result { () throws(SystemError) in try OwnedDescriptor.writeAll(file.rawValue, content) }
        }
        try written.get()
        return folder
    }

    /// What the keeper would set on the instance; a manifest with mistakes is the inner command's to tell.
    private func limits() -> [String] {
        guard let path = plugin.manifest else { return [] }
        let manifest = try? PluginManifest.load(path)  // ignoring: the test itself names the mistake
        guard let manifest else { return [] }
        return [
            manifest.memoryMaxBytes.map { "MemoryMax=\($0)" }, manifest.tasksMax.map { "TasksMax=\($0)" },
            manifest.cpuQuotaPercent.map { "CPUQuota=\($0)%" },
        ].compactMap { $0 }
    }

    private func credentials() throws(SystemError) -> [String] {
        let folder = "/etc/taskq/credentials/\(plugin.queue)"
        guard FileContents.isDirectory(folder) else { return [] }
        return try FileContents.names(in: folder).map { "LoadCredential=\($0):\(folder)/\($0)" }
    }

    private static func request(
        _ path: String, _ arguments: [String], _ descriptors: [CInt]
    ) -> SpawnRequest {
        var request = SpawnRequest(
            path: path, arguments: arguments, environment: SystemProgram.plainEnvironment(),
            descriptors: descriptors)
        // Ctrl-C is for this program, which then stops the unit.
        request.leadsProcessGroup = true
        return request
    }

    /// What a program printed; its failure is told with `problem` before its own words.
    private static func output(
        of path: String, _ arguments: [String], _ problem: String
    ) throws -> String {
        let pipe = try PipeEnds()
        let null = try OwnedDescriptor(opening: "/dev/null", flags: O_RDWR)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let writing = pipe.writing.rawValue
        let process = try ChildProcess(
            spawning: request(path, [name] + arguments, [null.rawValue, writing, writing]))
        let rest = pipe.keepReading()
        let bytes = try FileText.readAll(rest.rawValue, maximumBytes: answerBytesMax)
        let text = String(decoding: bytes ?? [], as: UTF8.self)
        guard try process.waitForExit(timeoutMilliseconds: -1) == .exited(0) else {
            throw CommandFailure.failed("\(problem) (\(text.split(separator: "\n").joined(separator: " ")))")
        }
        return text
    }

    /// Waits for the end; at Ctrl-C stops the service first.
    private static func wait(
        for process: ChildProcess, _ interruption: inout Interruption, stopping stop: () -> Void
    ) throws -> ExitStatus? {
        var items = [process.pidDescriptor, interruption.descriptor].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while poll(&items, nfds_t(items.count), -1) < 0, errno == EINTR {}
        let isInterrupted = try interruption.check()
        if isInterrupted { stop() }
        let status = try process.waitForExit(timeoutMilliseconds: -1)
        if isInterrupted { throw ExitStatusRequest(code: CommandFailure.interruptedStatus) }
        return status
    }

    /// systemd's own statuses, 200 and above, say what it could not set up (systemd.exec(5)).
    private static func judge(_ status: ExitStatus?, _ unit: String) throws(CommandFailure) -> Int32 {
        guard case .exited(let code)? = status, code < 200 else {
            let words = if case .exited(let code)? = status { "status \(code)" } else { "a signal" }
            throw .failed(
                "the service did not come to the plugin's end (\(words)): 'journalctl -u \(unit)' tells why")
        }
        return Int32(code)
    }
}
