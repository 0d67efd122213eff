import TaskModel
import TestSupport
import WireProtocol

/// An ingest that posts and believes only what it is told.
struct SimulatedClient {
    private(set) var connection: ConnectionRef?
    private var nextCorrelation: UInt64 = 1
    private var outstanding: [UInt64: Post] = [:]
    private let number: UInt64

    struct Post {
        let id: TaskID
        let queue: String
        let group: String
        let key: String?
        let content: String
    }

    init(number: UInt64) { self.number = number }

    mutating func connect(to world: inout World) {
        let connection = world.network.connect(.ingest)
        self.connection = connection
        var frame = FrameWriter()
        frame.append(
            Request.hello(
                Hello(role: .ingest, name: "ingest", session: SessionID(rawValue: world.random.next()))))
        world.network.sendToBroker(frame.bytes, on: connection)
    }

    /// The answers under way will never come.
    mutating func lost(_ world: inout World) {
        for post in outstanding.values { world.oracle.unanswered.insert(post.id) }
        outstanding = [:]
        connection = nil
    }

    mutating func post(_ world: inout World) {
        guard let connection, world.network.isOpen(connection) else { return }
        var frame = FrameWriter()
        for _ in 0..<Int.random(in: 1...4, using: &world.random) {
            let serial = world.nextTask()
            let queue = world.random.oneIn(4) ? "other" : "tasks"
            let group = world.random.oneIn(3) ? "" : "g\(Int.random(in: 0..<4, using: &world.random))"
            let key = world.random.oneIn(4) ? "k\(Int.random(in: 0..<30, using: &world.random))" : nil
            let content = "c\(Int.random(in: 0..<2, using: &world.random))"
            let id = TaskID(unixMilliseconds: world.wallMilliseconds, random: (serial, serial))
            let size = world.random.oneIn(20) ? 60_000 : Int.random(in: 0..<300, using: &world.random)
            outstanding[nextCorrelation] = Post(
                id: id, queue: queue, group: group, key: key, content: content)
            frame.append(
                Request.enqueue(
                    Enqueue(
                        correlation: nextCorrelation, queue: queue, group: group, id: id,
                        key: key.map {
                            Enqueue.KeyDigests(
                                key: .of("\(queue)/\($0)"), content: .of("\(group)/\(content)"))
                        },
                        traceparent: [], payload: World.payload(of: id, size: size)[...])))
            nextCorrelation += 1
        }
        world.network.sendToBroker(frame.bytes, on: connection)
    }

    mutating func read(_ world: inout World) {
        guard let connection else { return }
        while let frame = world.network.receiveAtPeer(connection) {
            for reply in World.replies(in: frame) {
                guard case .enqueued(let correlation, let outcome) = reply,
                    let post = outstanding.removeValue(forKey: correlation)
                else { continue }
                take(outcome, of: post, &world)
            }
        }
        if !world.network.isOpen(connection) { lost(&world) }
    }

    private func take(_ outcome: EnqueueOutcome, of post: Post, _ world: inout World) {
        switch outcome {
        case .accepted(let sequence):
            let group = post.group.isEmpty ? post.queue : post.group
            world.oracle.posted(post.id, queue: post.queue, group: group, sequence: sequence)
            if let key = post.key {
                world.oracle.keyed(
                    "\(post.queue)/\(key)", content: post.group + post.content, answeredWith: post.id)
            }
        case .replayed(let id, _):
            if let key = post.key {
                world.oracle.keyed(
                    "\(post.queue)/\(key)", content: post.group + post.content, answeredWith: id)
            }
        case .keyConflict, .unknownQueue, .queueFull, .deduplicationFull, .paused, .diskFull, .idInUse: break
        }
    }
}

extension Digest {
    static func of(_ text: String) -> Digest {
        let sum = text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return Digest(high: sum, low: sum &* 31)
    }
}
