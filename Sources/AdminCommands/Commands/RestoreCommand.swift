import ArgumentParser
private import Configuration
private import Glibc
private import Journal
private import LinuxSystem
private import TaskModel

/// The command `taskq journal restore BACKUP [DIR]`.
struct JournalRestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a journal of a backup, for a broker that is stopped.",
        discussion: """
            The journal is another life of the old one: what workers still hold of it is stale. Tasks that \
            were finished after the backup was taken run again. The folder must be empty; to replace a \
            journal, stop the broker and move the old folder away. Exit codes: 0 done, 1 failed, 65 the \
            backup or what was made of it is not whole.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The folder of the backup.")
    var backup: String

    @Argument(help: "The journal's folder. Default: the broker's.")
    var directory: String?

    func run() throws {
        let began = Clocks.monotonicNanoseconds()
        let place = directory ?? StateLocation.paths(option: common.state).journalDirectory
        let (source, target) = (FileStorage(directory: backup), FileStorage(directory: place))
        let contents = try CopyCheck.backup(in: backup)
        let owner = FileOwner.of(folder: place)
        let inspection: JournalInspection
        do {
            var restore = try JournalRestore(of: contents, in: source, to: target)
            var progress = CopyProgress("restored")
            while try restore.step() { progress.show(restore.bytesDone, of: restore.bytesTotal) }
            progress.end()
            try restore.finish()
            if let owner { try owner.take(place) }
            inspection = try CopyCheck.look(at: place, expecting: contents.lastLSN)
        } catch let error as JournalError {
            throw CopyCheck.failure(of: error, at: place)
        }
        let report = CopyReport(
            directory: place, inspection: inspection, bytes: contents.segmentBytes,
            milliseconds: (Clocks.monotonicNanoseconds() - began) / 1_000_000)
        print(common.json ? report.json : report.restoreText, terminator: "")
    }
}

/// Whose a restored journal has to be: root restores what the broker opens as another user.
private struct FileOwner {
    let user: uid_t
    let group: gid_t

    /// The owner of the folder, or of the nearest one above that exists; nil for whoever is not root, who can
    /// give nothing away.
    static func of(folder: String) -> FileOwner? {
        guard geteuid() == 0 else { return nil }
        var path: String? = folder
        while let place = path {
            var status = stat()
            if stat(place, &status) == 0 { return FileOwner(user: status.st_uid, group: status.st_gid) }
            path = FileContents.parentDirectory(of: place)
        }
        return nil
    }

    func take(_ folder: String) throws {
        let names = try FileContents.names(in: folder)
        for path in names.map({ "\(folder)/\($0)" }) + [folder] where lchown(path, user, group) != 0 {
            throw SystemError("chown \(path)")
        }
    }
}
