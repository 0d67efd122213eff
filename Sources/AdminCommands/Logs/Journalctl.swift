import Glibc
import LinuxSystem
import ProcessorSupervision

/// What to ask `journalctl` for.
struct JournaldQuery {
    /// `FIELD=value`, all of which have to hold.
    var matches: [String]
    /// As journalctl's `--since`.
    var since: String?
    /// Only so many, the newest.
    var lines: UInt32?
    /// Only what came after this entry.
    var afterCursor: String?
    /// Goes on with what comes, for ever.
    var follows = false

    fileprivate var arguments: [String] {
        // Every namespace: a worker may have one of its own (examples/systemd/log-namespace.conf).
        var arguments = [
            "journalctl", "--output=json", "--all", "--no-pager", "--namespace=*",
            "--output-fields=" + JournaldEntry.fields.joined(separator: ","),
        ]
        if let since { arguments.append("--since=\(since)") }
        if let lines { arguments.append("--lines=\(lines)") }
        if let afterCursor { arguments.append("--after-cursor=\(afterCursor)") }
        if follows { arguments += lines == nil ? ["--follow", "--no-tail"] : ["--follow"] }
        return arguments + matches
    }
}

/// Runs `journalctl`, the one program that reads every version of journald's files, and hears it to its end.
final class Journalctl {
    private static let lineBytesMax = 8 << 20
    private static let errorBytesMax = 16 << 10

    private let process: ChildProcess
    private let output: OwnedDescriptor
    private let errors: OwnedDescriptor
    private var splitter = LineSplitter(limitBytes: Journalctl.lineBytesMax, longLines: .areReported)
    private var complaint: [UInt8] = []

    /// Gives each entry to `body` in journald's order; ends early, with its failure, when Ctrl-C comes.
    static func read(
        _ query: JournaldQuery, _ interruption: inout Interruption, _ body: (JournaldEntry) throws -> Void
    ) throws {
        guard let path = SystemProgram.path(of: "journalctl") else { throw CommandFailure.failed(missing) }
        do {
            let run = try Journalctl(path, query.arguments)
            try run.hear(&interruption, body)
        } catch let error as SystemError {
            throw CommandFailure.failed("journalctl cannot be heard: \(error)")
        } catch let error as ProcessorSupervisionError {
            throw CommandFailure.failed("journalctl cannot be run: \(error)")
        }
    }

    private static let missing =
        "there is no journalctl in PATH, so nothing of journald's can be read: install systemd's tools"

    private init(_ path: String, _ arguments: [String]) throws {
        let null = try OwnedDescriptor(opening: "/dev/null", flags: O_RDWR)
        let words = try PipeEnds()
        let mistakes = try PipeEnds()
        var request = SpawnRequest(
            path: path, arguments: arguments, environment: SystemProgram.plainEnvironment(),
            descriptors: [null.rawValue, words.writing.rawValue, mistakes.writing.rawValue])
        // Ctrl-C is for this program, which then ends the other.
        request.leadsProcessGroup = true
        try OwnedDescriptor.setNonBlocking(words.reading.rawValue)
        try OwnedDescriptor.setNonBlocking(mistakes.reading.rawValue)
        process = try ChildProcess(spawning: request)
        output = words.keepReading()
        errors = mistakes.keepReading()
    }

    private func hear(
        _ interruption: inout Interruption, _ body: (JournaldEntry) throws -> Void
    ) throws {
        do {
            try takeEverything(&interruption, body)
        } catch {
            process.send(signal: SIGKILL)
            _ = try process.waitForExit(timeoutMilliseconds: -1)
            _ = try process.reap()
            throw error
        }
        _ = try process.waitForExit(timeoutMilliseconds: -1)
        if let failure = Self.failure(try process.reap(), String(decoding: complaint, as: UTF8.self)) {
            throw failure
        }
    }

    private func takeEverything(
        _ interruption: inout Interruption, _ body: (JournaldEntry) throws -> Void
    ) throws {
        var open = (output: true, errors: true)
        while open.output || open.errors {
            var items = [
                pollfd(fd: open.output ? output.rawValue : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: open.errors ? errors.rawValue : -1, events: Int16(POLLIN), revents: 0),
                pollfd(fd: interruption.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            while poll(&items, nfds_t(items.count), -1) < 0, errno == EINTR {}
            if try interruption.check() { throw ExitStatusRequest(code: CommandFailure.interruptedStatus) }
            if items[1].revents != 0 { open.errors = try takeComplaint() }
            if items[0].revents != 0 { open.output = try takeEntries(body) }
        }
    }

    /// False at the end.
    private func takeEntries(_ body: (JournaldEntry) throws -> Void) throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        switch try FileText.readPiece(output.rawValue, into: &chunk) {
        case .read(let count): chunk[..<count].withUnsafeBytes { splitter.append($0) }
        case .endOfFile: return false
        case .wouldBlock: return true
        }
        while let line = splitter.next() {
            guard case .whole(let bytes) = line, let entry = JournaldEntry(bytes) else { continue }
            try body(entry)
        }
        return true
    }

    private func takeComplaint() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 4 << 10)
        switch try FileText.readPiece(errors.rawValue, into: &chunk) {
        case .read(let count): complaint += chunk[..<min(count, Self.errorBytesMax - complaint.count)]
        case .endOfFile: return false
        case .wouldBlock: break
        }
        return true
    }

    /// What its end and its words mean; nil where it has shown everything.
    static func failure(_ status: ExitStatus?, _ complaint: String) -> CommandFailure? {
        let words = complaint.split(separator: "\n").joined(separator: " ")
        // Also with status 0: whoever may read his own entries alone is told so in a hint.
        if ["insufficient permissions", "not seeing messages from other users"].contains(
            where: words.contains)
        {
            return .failed(
                "no permission to read what the daemons wrote to journald: join the group systemd-journal "
                    + "('usermod -aG systemd-journal NAME', then log in again), or use sudo")
        }
        if words.contains("No journal files were found") {
            return .failed("journald has no files on this machine: is systemd-journald running?")
        }
        if words.contains("Failed to parse timestamp") {
            return .usage(
                "--since takes what journalctl takes, '2026-01-31 12:00', 'yesterday' or '-15min' say")
        }
        guard status != .exited(0) else { return nil }
        return .failed(words.isEmpty ? "journalctl failed" : "journalctl failed: \(words)")
    }
}
