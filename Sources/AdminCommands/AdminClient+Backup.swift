import TaskModel
import WireProtocol

/// What a broker keeps for a backup.
struct BackupOffer {
    /// The folder of the journal.
    let directory: String
    let contents: JournalContents
}

/// The broker keeps the files as long as this client's connection lasts and says so now and then.
extension AdminClient {
    /// How often ``keepBackup()`` is said, milliseconds; the broker waits six times as long.
    static let backupWordMilliseconds = Limits.backupSilenceMilliseconds / 6

    func beginBackup() throws(CommandFailure) -> BackupOffer {
        let number = takeCorrelation()
        let answer: Result<BackupOffer, CommandFailure> = try exchange(.beginBackup(correlation: number)) {
            switch $0 {
            case .backup(number, let directory, let contents):
                .success(BackupOffer(directory: directory, contents: contents))
            case .done(number, let problem): .failure(.failed(problem ?? "the broker gives no backup"))
            case _: nil
            }
        }
        return try answer.get()
    }

    func keepBackup() throws(CommandFailure) {
        let number = takeCorrelation()
        try confirm(.keepBackup(correlation: number), number)
    }

    /// Without an error everything was kept from the beginning to now.
    func endBackup() throws(CommandFailure) {
        let number = takeCorrelation()
        try confirm(.endBackup(correlation: number), number)
    }

    private func confirm(_ request: Request, _ number: Correlation) throws(CommandFailure) {
        let problem: String = try exchange(request) { reply in
            if case .done(number, let problem) = reply { problem ?? "" } else { nil }
        }
        guard problem.isEmpty else { throw .failed("the backup is not whole: \(problem)") }
    }
}
