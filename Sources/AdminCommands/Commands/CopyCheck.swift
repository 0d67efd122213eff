private import Glibc
import Journal
private import ServiceLog
import TaskModel
private import TaskValidation

/// Reads back what was copied before anybody relies on it.
enum CopyCheck {
    /// The contents of a backup that is whole.
    static func backup(in directory: String) throws -> JournalContents {
        let inspection = try read(directory)
        let verification = inspection.verification
        guard !verification.isAbsent else {
            throw CommandFailure.failed("there is no backup in \(directory)")
        }
        guard inspection.isWhole, let contents = verification.contents else {
            throw damaged(inspection, "this backup is damaged, and nothing was restored")
        }
        guard let lsn = verification.backupLSN else {
            throw CommandFailure.failed(
                "\(directory) is no backup, or one that was cut short: the file 'taskq-backup' is missing")
        }
        guard contents.lastLSN == lsn else {
            throw damaged(
                inspection,
                "this backup ends at LSN \(contents.lastLSN.rawValue), and had \(lsn.rawValue) when it was "
                    + "taken; nothing was restored")
        }
        return contents
    }

    /// What lies in the folder now; an error where it is not whole up to `lsn`.
    static func look(at directory: String, expecting lsn: LogSequenceNumber) throws -> JournalInspection {
        let inspection = try read(directory)
        guard inspection.isWhole else { throw damaged(inspection, "what was written is not whole") }
        guard inspection.verification.contents?.lastLSN == lsn else {
            throw damaged(inspection, "what was written does not reach to LSN \(lsn.rawValue)")
        }
        return inspection
    }

    private static func read(_ directory: String) throws -> JournalInspection {
        var census = JournalCensus()
        do {
            let verification = try JournalVerification(FileStorage(directory: directory), sink: &census)
            return JournalInspection(
                directory: directory, verification: verification, census: census, ownerPID: nil)
        } catch {
            throw CommandFailure.failed("\(directory): \(error)")
        }
    }

    private static func damaged(_ inspection: JournalInspection, _ what: String) -> any Error {
        let text = "taskq: \(inspection.directory): \(what)\n" + JournalText.verdict(inspection)
        FileText.write(TerminalText.escapedLines(text), to: STDERR_FILENO)
        return ExitStatusRequest(code: JournalCommand.damagedStatus)
    }

    /// With the cure where there is one.
    static func failure(of error: JournalError, at directory: String) -> CommandFailure {
        switch error {
        case .locked(let pid):
            let process = pid.map { ", pid \($0)" } ?? ""
            return .failed("\(directory): a broker has it\(process): stop it first, or name another folder")
        case .notEmpty(let file):
            return .failed("\(directory) is not empty (\(file)): move it away, or name another folder")
        case .storage(_, _, EACCES), .storage(_, _, EPERM):
            return .failed("\(error): run it as root, or as the user that the files belong to")
        case .full, .storage, .tooLarge, .damaged, .damagedRecord, .gone, .unsupportedVersion,
            .foreignFile, .isBackup, .noGoodCheckpoint:
            return .failed("\(directory): \(error)")
        }
    }
}

/// What was copied, in words and in JSON.
struct CopyReport {
    let directory: String
    let inspection: JournalInspection
    /// Of the segments' batches.
    let bytes: Int
    let milliseconds: UInt64

    private var lastLSN: UInt64 { inspection.verification.contents?.lastLSN.rawValue ?? 0 }
    private var tasks: UInt64 { inspection.census.queues.values.reduce(0) { $0 + $1.live } }
    private var size: String {
        "\(HumanText.count(tasks)) tasks, \(HumanText.bytes(UInt64(bytes))), up to LSN \(lastLSN), in "
            + "\(HumanText.duration(milliseconds: milliseconds))"
    }

    var backupText: String {
        TerminalText.escaped("\(directory): backed up and checked: \(size)") + "\n" + warnings
            + "restore it with: taskq journal restore \(TerminalText.escaped(directory))\n"
    }

    var restoreText: String {
        TerminalText.escaped("\(directory): restored and checked: \(size)") + "\n" + warnings
            + "Tasks that were finished after the backup was taken will run again.\n"
    }

    private var warnings: String {
        guard case .success(let report) = inspection.verification.recovery else { return "" }
        return report.warnings.map { TerminalText.escaped("note: \($0)") + "\n" }.joined()
    }

    var json: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("directory", directory)
        if let instance = inspection.verification.instance {
            writer.member("instance", String(instance.rawValue, radix: 16))
        }
        writer.member("last_lsn", lastLSN)
        writer.member("live_tasks", tasks)
        writer.member("bytes", UInt64(bytes))
        writer.member("duration_ms", milliseconds)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}

/// One line on a terminal, written over ten times a second.
struct CopyProgress {
    private let verb: String
    private let isShown: Bool
    private var nextShow: UInt64 = 0

    init(_ verb: String) {
        self.verb = verb
        isShown = isatty(STDERR_FILENO) == 1
    }

    mutating func show(_ done: Int, of total: Int) {
        guard isShown else { return }
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let tenths = UInt64(now.tv_sec) * 10 + UInt64(now.tv_nsec) / 100_000_000
        guard tenths >= nextShow else { return }
        nextShow = tenths + 1
        let (part, whole) = (HumanText.bytes(UInt64(done)), HumanText.bytes(UInt64(total)))
        FileText.write("\r\u{1B}[K\(verb) \(part) of \(whole)", to: STDERR_FILENO)
    }

    func end() {
        if isShown { FileText.write("\r\u{1B}[K", to: STDERR_FILENO) }
    }
}
