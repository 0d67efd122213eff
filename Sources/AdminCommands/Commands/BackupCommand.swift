import ArgumentParser
import Configuration
import Journal
private import LinuxSystem
import TaskModel

/// The command `taskq journal backup DIR`.
struct JournalBackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the journal, with the broker running or not.",
        discussion: """
            The copy holds everything that was acknowledged before the command began. It is read back and \
            checked before it counts as a backup; 'taskq journal restore' makes a journal of it. The \
            journal's files are read directly: as root, or as the user that owns them. Exit codes: 0 done, \
            1 failed, 65 the copy is not whole.
            """)

    @OptionGroup var common: CommonOptions

    @Option(
        name: .customLong("journal"),
        help: "The journal's folder; no broker is asked, and none may run there.")
    var journal: String?

    @Argument(help: "The folder to be made; it must be empty if it exists.")
    var directory: String

    func run() throws {
        let began = Clocks.monotonicNanoseconds()
        let target = FileStorage(directory: directory)
        var source = try BackupSource.find(StateLocation.paths(option: common.state), journal: journal)
        let inspection: JournalInspection
        do {
            var copy = try JournalCopy(of: source.contents, in: source.storage, to: target)
            var progress = CopyProgress("copied")
            while try copy.step() {
                try source.keep()
                progress.show(copy.bytesDone, of: copy.bytesTotal)
            }
            progress.end()
            try copy.settle()
            try source.end()
            inspection = try CopyCheck.look(at: directory, expecting: source.contents.lastLSN)
            try copy.sign()
        } catch let error as JournalError {
            throw CopyCheck.failure(of: error, at: directory)
        }
        let report = CopyReport(
            directory: directory, inspection: inspection, bytes: source.contents.segmentBytes,
            milliseconds: (Clocks.monotonicNanoseconds() - began) / 1_000_000)
        print(common.json ? report.json : report.backupText, terminator: "")
    }
}

/// The journal that is backed up, and who keeps it as it is meanwhile.
struct BackupSource {
    private enum Keeper {
        case broker(AdminClient)
        /// No broker runs, and none starts while this is held.
        case ownLock(any JournalLock)
    }

    let storage: FileStorage
    let contents: JournalContents
    private let keeper: Keeper
    /// When the broker has to hear of this client again, CLOCK_MONOTONIC nanoseconds.
    private var nextWord: UInt64

    private init(_ directory: String, _ contents: JournalContents, _ keeper: Keeper) {
        storage = FileStorage(directory: directory)
        self.contents = contents
        self.keeper = keeper
        nextWord = Self.wordTime
    }

    private static var wordTime: UInt64 {
        Clocks.monotonicNanoseconds() + AdminClient.backupWordMilliseconds * 1_000_000
    }

    /// A running broker's, else the one in `journal` or in the folder of these paths.
    static func find(_ paths: StatePaths, journal: String?) throws(CommandFailure) -> Self {
        if let journal { return try stopped(journal, because: "") }
        do {
            let client = try AdminClient(paths)
            let offer = try client.beginBackup()
            return Self(offer.directory, offer.contents, .broker(client))
        } catch {
            guard case .notReachable(let reason) = error else { throw error }
            return try stopped(paths.journalDirectory, because: reason)
        }
    }

    private static func stopped(_ directory: String, because reason: String) throws(CommandFailure) -> Self {
        let remark = reason.isEmpty ? "" : "; \(reason)"
        guard FileContents.isDirectory(directory) else {
            throw .failed("there is no journal in \(directory)\(remark)")
        }
        let storage = FileStorage(directory: directory)
        do {
            let lock = try storage.lock()
            var census = JournalCensus()
            let verification = try JournalVerification(storage, sink: &census)
            guard !verification.isAbsent else {
                throw CommandFailure.failed("there is no journal in \(directory)\(remark)")
            }
            _ = try verification.recovery.get()
            guard let contents = verification.contents else {
                throw CommandFailure.failed("there is no journal in \(directory)")
            }
            return Self(directory, contents, .ownLock(lock))
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .failed("\(directory): \(error)\(remark)")
        }
    }

    /// To be called now and then while the files are read.
    mutating func keep() throws(CommandFailure) {
        guard case .broker(let client) = keeper, Clocks.monotonicNanoseconds() >= nextWord else { return }
        nextWord = Self.wordTime
        try client.keepBackup()
    }

    /// Without an error nothing that was read was deleted meanwhile.
    func end() throws(CommandFailure) {
        if case .broker(let client) = keeper { try client.endBackup() }
    }
}
