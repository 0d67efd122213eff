/// Every bound that is part of the contract rather than of a configuration, with its unit last in the name.
package enum Limits {
    package static let queueNameBytesMax = 64
    /// Queues at a time.
    package static let queuesMax = 1_000
    /// Names of queues over the life of a journal: a deleted queue keeps its number and its counters.
    package static let queueNumbersMax = 65_000
    package static let groupNameBytesMax = 128
    package static let idempotencyKeyBytesMax = 255
    package static let traceparentBytesMax = 128
    package static let workerNameBytesMax = 128
    package static let resultBytesMax = 16 * 1_024
    package static let actorNameBytesMax = 128
    /// PATH_MAX and NAME_MAX of Linux.
    package static let pathBytesMax = 4_096
    package static let fileNameBytesMax = 255
    /// How long the journal's files are kept for a backup from which nothing is heard, milliseconds.
    package static let backupSilenceMilliseconds: UInt64 = 60_000
    /// One ZeroMQ frame as a sender makes it; a single task's message may exceed it up to
    /// ``messageBytesMax``.
    package static let frameBytesMax = 4 << 20
    /// A longer message ends the connection that it came on.
    package static let messageBytesMax = 8 << 20
    /// Tasks that one ingest may have unanswered.
    package static let ingestCreditTasksMax = 4_096
    /// Bytes of payload that one ingest may have unanswered.
    package static let ingestCreditBytesMax = 8 << 20
    /// `GET /tasks/{id}?wait=` requests that may wait at once.
    package static let waitersMax = 10_000
    package static let waitSecondsMax = 30
    package static let retryAfterMillisecondsMax: UInt64 = 3_600_000
    package static let batchTasksMax = 1_000
    /// How long a restarted broker waits for the holder of an open lease, milliseconds.
    package static let reattachMilliseconds: UInt64 = 10_000
    /// Times in a row that a delivery may be taken back uncounted before it counts after all.
    package static let uncountedReleasesMax: UInt8 = 3
}
