import BrokerDaemon
import TaskModel
import WireProtocol

/// What a message means to the oracle, told to it when the broker takes the message.
enum Note {
    case hello(Hello)
    case enqueue(Correlation, Post)
    case lookup(Correlation, TaskID, waitMilliseconds: UInt64)
    case cancel(Correlation, TaskID)
    case credit(Int)
    case answer(Receipt, TaskID, AnswerKind)
    case renew([Receipt])
    case pause(Correlation, queue: String, set: QueuePauses, clear: QueuePauses)
    case declare(Correlation, queue: String, QueueSettings)
    case delete(Correlation, queue: String, purges: Bool)
    case act(Correlation, TaskAct, [TaskID])
    case redriveEdited(Correlation, TaskID, PayloadBytes)
    case payload(Correlation, TaskID)
    case listDead(Correlation, DeadTaskQuery)
}

enum AnswerKind: Equatable {
    case ack
    /// Words that the history has to hold, and the retry that the processor asked for.
    case nack(reason: String, retryAfterMilliseconds: UInt64?)
    case reject
    case release
}

/// One task as its client posted it.
struct Post {
    let id: TaskID
    let queue: String
    let group: String
    let key: String?
    let content: String
    let size: Int

    var enqueue: (Correlation) -> Request {
        { correlation in
            .enqueue(
                Enqueue(
                    correlation: correlation, queue: queue, group: group, id: id,
                    key: key.map {
                        Enqueue.KeyDigests(
                            key: .of("\(queue)/\($0)"), content: .of("\(group)/\(content)"))
                    },
                    traceparent: [], payload: World.payload(of: id, size: size)))
        }
    }
}

extension Digest {
    static func of(_ text: String) -> Digest {
        let sum = text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return Digest(high: sum, low: sum &* 31)
    }
}

/// One frame being put together, with what it means.
struct NotedFrame {
    private var writer = FrameWriter()
    private var notes: [Note] = []

    var isEmpty: Bool { writer.isEmpty }

    mutating func append(_ request: Request, _ note: Note?) {
        writer.append(request)
        if let note { notes.append(note) }
    }

    func send(on connection: ConnectionID, of world: World) {
        world.tally.count(.requests, notes.count)
        world.network.sendToBroker(writer.bytes, notes, on: connection)
        guard world.strikes(.repeatedFrame, oneIn: 12) else { return }
        world.tally.count(.framesRepeated)
        world.network.sendToBroker(writer.bytes, notes, on: connection)
    }
}
