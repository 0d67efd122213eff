import TaskModel
import WireProtocol

/// Replies and deliveries of one turn, held back until its batch is on disk: one frame a connection, or few.
struct Outbox {
    /// One frame ready to leave, and the deliveries in it.
    struct Parcel {
        let connection: ConnectionID
        let frame: [UInt8]
        let deliveries: [SentDelivery]
    }

    struct SentDelivery: Hashable {
        let id: TaskID
        let receipt: LogSequenceNumber
    }

    private struct Pending {
        var writer = FrameWriter()
        var deliveries: [SentDelivery] = []
    }

    private var pending: [ConnectionID: Pending] = [:]
    /// Connections in the order of their first message, so that a turn is the same at every replay.
    private var order: [ConnectionID] = []
    private var full: [Parcel] = []

    var isEmpty: Bool { order.isEmpty && full.isEmpty }

    mutating func append(_ reply: Reply, to connection: ConnectionID) {
        append(reply, to: connection, delivery: nil)
    }

    mutating func append(_ task: DeliveredTask, to connection: ConnectionID) {
        append(
            .delivery(task), to: connection, delivery: SentDelivery(id: task.id, receipt: task.receipt.lsn))
    }

    private mutating func append(_ reply: Reply, to connection: ConnectionID, delivery: SentDelivery?) {
        if pending[connection] == nil {
            pending[connection] = Pending()
            order.append(connection)
        }
        pending[connection]?.writer.append(reply)
        if let delivery { pending[connection]?.deliveries.append(delivery) }
        if let open = pending[connection], open.writer.count >= Limits.frameBytesMax {
            full.append(Parcel(connection: connection, frame: open.writer.bytes, deliveries: open.deliveries))
            pending[connection] = Pending()
        }
    }

    /// Hands out everything, in the order in which it was written, and starts anew.
    mutating func take() -> [Parcel] {
        var parcels = full
        for connection in order {
            guard let open = pending[connection], !open.writer.isEmpty else { continue }
            parcels.append(
                Parcel(connection: connection, frame: open.writer.bytes, deliveries: open.deliveries))
        }
        full = []
        order.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        return parcels
    }
}
