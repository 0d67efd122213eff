import BrokerDaemon
import TaskModel
import TestSupport
import WireProtocol

/// Sends what no peer should: noise, cut frames, wrong versions, another role's words, no hello.
enum Stranger {
    static func disturb(_ world: World) {
        world.tally.count(.framesMalformed)
        let role = world.random.pick(PeerRole.allCases)
        let connection = world.network.connect(role)
        if world.random.below(2) == 0 {
            let hello = Hello(
                oldestVersion: UInt8(world.random.number(0...2)),
                newestVersion: UInt8(world.random.number(0...3)), role: world.random.pick(PeerRole.allCases),
                name: "stranger", session: SessionID(rawValue: 7), queue: "nowhere")
            var writer = FrameWriter()
            writer.append(.hello(hello))
            world.network.sendToBroker(writer.bytes, [], on: connection)
        }
        world.network.sendToBroker(frame(world), [], on: connection)
        if world.random.below(2) == 0 { world.network.cut(connection, keepingInbound: 2, processDied: false) }
    }

    private static func frame(_ world: World) -> [UInt8] {
        if world.random.below(3) == 0 { return world.random.bytes(count: world.random.below(80)) }
        var writer = FrameWriter()
        let receipt = Receipt(
            instance: JournalInstance(rawValue: world.random.next()),
            lsn: LogSequenceNumber(rawValue: UInt64(world.random.below(50))))
        let id = world.newTaskID()
        for _ in 0..<world.random.number(1...3) {
            switch world.random.below(5) {
            case 0: writer.append(.ack(receipt: receipt, id: id, result: [], resultError: ""))
            case 1: writer.append(.release(receipt: receipt, id: id))
            case 2: writer.append(.renew(receipts: [receipt]))
            case 3: writer.append(.lookup(correlation: 1, id: id, waitMilliseconds: 1))
            case _: writer.append(.credit(tasks: 60_000))
            }
        }
        var bytes = writer.bytes
        switch world.random.below(4) {
        case 0: bytes.removeLast(world.random.below(bytes.count))
        case 1: bytes[world.random.below(bytes.count)] ^= UInt8(1 << world.random.below(8))
        case 2: bytes += world.random.bytes(count: 3)
        case _: break
        }
        return bytes
    }
}
