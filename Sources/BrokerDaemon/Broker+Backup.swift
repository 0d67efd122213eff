import Journal
import TaskModel
import WireProtocol

/// A connection for which the journal's files are kept while it copies them.
struct Backup: Hashable {
    let connection: ConnectionID
    /// When it is over unless something is heard of it before.
    let deadline: MonotonicTime
}

/// The copying is the client's: the turn only says what is to be copied, and deletes nothing of it.
extension Broker {
    mutating func beginBackup(correlation: Correlation, for connection: ConnectionID) throws(JournalError) {
        giveUpLostBackup()
        if let backup, backup.connection != connection {
            let problem = "another backup is under way"
            return outbox.append(.done(correlation: correlation, problem: problem), to: connection)
        }
        // The same client asks anew: its first request, or the answer, was lost.
        journal.endBackup()
        backup = Backup(connection: connection, deadline: backupDeadline)
        let contents = try journal.beginBackup()
        events.append(.backupBegan(contents.lastLSN))
        outbox.append(
            .backup(correlation: correlation, directory: options.directory, contents), to: connection)
    }

    private var backupDeadline: MonotonicTime {
        clock.monotonic.advanced(byMilliseconds: Limits.backupSilenceMilliseconds)
    }

    mutating func keepBackup(correlation: Correlation, ends: Bool, for connection: ConnectionID) {
        giveUpLostBackup()
        guard backup?.connection == connection else {
            let problem =
                "the broker keeps no backup for this client: it was restarted, the disk got full, or nothing "
                + "was heard for \(Limits.backupSilenceMilliseconds / 1_000) s"
            return outbox.append(.done(correlation: correlation, problem: problem), to: connection)
        }
        backup = Backup(connection: connection, deadline: backupDeadline)
        if ends { endBackup(because: "everything was copied") }
        outbox.append(.done(correlation: correlation, problem: nil), to: connection)
    }

    /// Also where the journal let the files go of itself, since the disk is full.
    mutating func giveUpLostBackup() {
        guard let backup else { return }
        if !journal.keepsBackup {
            endBackup(because: "the disk is full, and its files are needed")
        } else if clock.monotonic >= backup.deadline {
            endBackup(because: "nothing was heard of its client")
        }
    }

    mutating func endBackup(of connection: ConnectionID) {
        if backup?.connection == connection { endBackup(because: "its client went") }
    }

    private mutating func endBackup(because reason: String) {
        backup = nil
        journal.endBackup()
        events.append(.backupEnded(reason))
    }
}
