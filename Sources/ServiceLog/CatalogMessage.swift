package import Logging

/// Lines that ask something of an admin: each has a MESSAGE_ID, by which `journalctl -x` finds what to do.
///
/// The raw value is the id, which never changes; systemd/taskq.catalog has the words.
package enum CatalogMessage: String, Hashable, Sendable, CaseIterable {
    /// The journal has lost something that was durable; the broker does not start.
    case journalDamaged = "28c5acdc388b4803b057fb8f4dbd17b9"
    /// A backup lies where the journal should be; the broker does not start.
    case journalIsBackup = "56aa580f45d04ab1a49bf7ad58976c43"
    /// Another broker holds the journal's lock.
    case journalLocked = "0b7ce9c6706043399196f8bce1e323cb"
    /// The disk refused a write or a sync; the broker ends.
    case diskFailed = "4b46cb53e7e64f10aeb89ede9521617d"
    /// Posts are refused for want of room.
    case diskFull = "0ca55708ada140d2bb60ab4e780f06e0"
    /// A checkpoint could not be written; the older ones stand.
    case checkpointFailed = "0d0223cfcbde44569c6c3b24e29ad58d"
    /// Recovery cut a torn end or passed over a bad checkpoint.
    case journalMended = "aa4956eff5574733abd7b0ea76b1b6b4"
    /// A task will not be tried again by itself.
    case taskDeadLettered = "3041151cd2264d9184610e7383da61ed"
    /// A task holds up its group until somebody decides.
    case taskParked = "25477a3085684ca9a934fd4f6cfdda10"
    /// A worker ended with tasks in hand.
    case workerDied = "b7fe171676ad4b298250c1ab3aa5b716"
    /// A queue's processor cannot start; nothing is counted, posts are taken.
    case queueStalled = "02784998cee144f0b1b31ee241cffe73"
    /// Ingest or a worker has lost the broker.
    case brokerAway = "c857d88c8e2a42c7a43b40cae01e2a46"
    /// Two programs do not understand each other.
    case frameRefused = "cbe617eff41e4395832fb4864410032e"
    /// A daemon ends for a reason that it did not foresee.
    case daemonFailed = "8533adf3eadb486ca486a7c6bfb00f77"
    /// A reload found a mistake; the old configuration stays.
    case configurationWrong = "67c56c161f764eae8b0c7e6264467f15"
    /// A reload found changes that only a restart takes over.
    case restartNeeded = "35af6bd488a848ecbdef1f42774e7bcc"
    /// A plugin is there and cannot be served.
    case pluginRefused = "ab7c33f1351a424f8c1e26119284b3b3"
    /// The broker did not take a plugin's queue.
    case queueRefused = "a260fac750ad474185b5a0c673192e76"
    /// The service manager did not start or stop a worker.
    case systemctlFailed = "8e09b9e42ae34bb59dbb98346152bcf0"
    /// A plugin folder cannot be read or watched whole.
    case foldersUnread = "2d95e1ff90304eb69ab1b097420b0ae3"
    /// A program logged faster than journald took.
    case linesDropped = "c7bef79b3c1140679e41d2f96d852e7b"

    /// A line's facts with its MESSAGE_ID beside them.
    package func with(_ facts: Logger.Metadata = [:]) -> Logger.Metadata {
        facts.merging(["message.id": "\(rawValue)"]) { _, id in id }
    }
}
