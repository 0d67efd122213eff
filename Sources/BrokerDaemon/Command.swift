import QueueStateMachine
import TaskModel
import WireProtocol

/// One thing to do in a turn, wherever it came from.
///
/// A command that needs a record which is not in the page cache is postponed as it is, and performed anew
/// when the record has been read.
enum Command: Sendable {
    case request(ConnectionID, Request)
    case takeBack(TakeBack)
    /// The payload of a delivery that is journaled already.
    case sendDelivery(PlannedDelivery, LogSequenceNumber)
    case answerLookup(ConnectionID, Correlation, TaskID)
    case expire(TaskID)
    case declare(name: String, settings: QueueSettings)
}
