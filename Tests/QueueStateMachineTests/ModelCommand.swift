/// How a model's worker answers a delivery.
enum ModelAnswer: Hashable {
    case ack
    /// Milliseconds until the retry; nil leaves them to the queue.
    case nack(after: Int?)
    case reject
    case release
}

enum ModelPause: Hashable {
    case deliveries
    case ingest
}

/// One step of a model run.
///
/// Printed by Swift itself in a form that compiles, so that a failure can be pasted into a test.
///
/// Tasks are named by numbers and stand for their newest receipt, or for the one before it (`earlier`):
/// so a command keeps its meaning when others are taken out of the list.
enum ModelCommand: Hashable {
    case declare(String, ModelRules)
    case post(Int, String, group: String, key: String?, body: Int)
    case connect(String, String, session: Int, credit: Int, holding: [Int])
    case credit(String, Int)
    case disconnect(String)
    case workerDied(String)
    /// At most so many deliveries; fewer only if nothing more may be delivered.
    case deliver(Int)
    case settle(Int, ModelAnswer, earlier: Bool)
    case renew(String, Int, earlier: Bool)
    /// Milliseconds, in steps of 250.
    case advance(Int)
    case upkeep
    case cancel(Int)
    case redrive(Int, body: Int?)
    case purge(Int)
    case retryParked(Int)
    case giveUpParked(Int)
    case pause(String, ModelPause)
    case resume(String)
    /// One request for it: what somebody works on is left for the next.
    case deleteQueue(String, purges: Bool)
    case checkpoint
    /// From the newest checkpoint and the records after it.
    case restart(sameBoot: Bool)
    /// Compaction moves a task's records.
    case move(Int)

    /// The task it is about.
    var task: Int? {
        switch self {
        case .post(let number, _, _, _, _), .settle(let number, _, _), .renew(_, let number, _),
            .cancel(let number), .redrive(let number, _), .purge(let number), .retryParked(let number),
            .giveUpParked(let number), .move(let number):
            number
        case .declare, .connect, .credit, .disconnect, .workerDied, .deliver, .advance, .upkeep, .pause,
            .resume, .deleteQueue,
            .checkpoint, .restart:
            nil
        }
    }
}
