package import TaskModel
package import WireProtocol

/// What the broker did that people may want to read.
///
/// The turn hands these out; the shell turns them into log lines.
package enum BrokerEvent: Sendable {
    case accepted(TaskID, queue: QueueNumber, group: String, sequence: TaskSequence)
    case leased(TaskID, queue: QueueNumber, attempt: UInt32, worker: String)
    case completed(TaskID, queue: QueueNumber, attempt: UInt32)
    case attemptFailed(TaskID, AttemptRecord?, retryMilliseconds: UInt64)
    case deadLettered(TaskID, queue: QueueNumber, DeadLetterReason, attempts: UInt32)
    case parked(TaskID)
    case cancelled(TaskID, queue: QueueNumber, actor: String)
    case operated(TaskID, TaskAct, actor: String)
    case workerConnected(name: String, queue: String)
    case workerGone(name: String, queue: String, died: Bool, leases: Int)
    case queueDeclared(name: String)
    case queueDeleted(QueueNumber)
    case pauseChanged(QueuePauseChange)
    case stalled(queue: String, reason: String)
    case badFrame(role: String, reason: String)
    case diskFull
    case backupBegan(LogSequenceNumber)
    case backupEnded(String)
    case segmentsDeleted([UInt32])
    case checkpointFailed(String)
}
