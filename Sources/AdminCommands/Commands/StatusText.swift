private import TaskModel
private import TaskValidation
package import WireProtocol

/// A broker's status in words and in JSON.
package enum StatusText {
    package static func table(_ status: BrokerStatus) -> String {
        let uptime = HumanText.duration(milliseconds: status.uptimeMilliseconds)
        let disk =
            "\(HumanText.bytes(status.journalBytes)) on disk, \(HumanText.bytes(status.liveBytes)) live"
        var table = TextTable([
            ("QUEUE", .left), ("PENDING", .right), ("LEASED", .right), ("PARKED", .right), ("DEAD", .right),
            ("OLDEST", .right), ("GROUPS", .right), ("BLOCKED", .right), ("WORKERS", .right), ("", .left),
        ])
        for queue in status.queues {
            let oldest =
                queue.pending == 0 ? "-" : HumanText.duration(milliseconds: queue.oldestAgeMilliseconds)
            table.add(
                [
                    queue.name, HumanText.count(queue.pending), HumanText.count(queue.leased),
                    HumanText.count(queue.parked), HumanText.count(queue.dead), oldest,
                    HumanText.count(queue.groups), HumanText.count(queue.blockedGroups),
                    HumanText.count(UInt64(queue.workers)), remark(queue),
                ])
        }
        let syncs = HumanText.count(status.syncs)
        return "broker up \(uptime), \(syncs) syncs, journal \(disk)\n\n" + table.render()
    }

    /// Guarantee K's counters, a line a queue.
    package static func queuesTable(_ status: BrokerStatus) -> String {
        var table = TextTable([
            ("QUEUE", .left), ("ACCEPTED", .right), ("PENDING", .right), ("LEASED", .right),
            ("PARKED", .right),
            ("COMPLETED", .right), ("DEAD", .right), ("CANCELLED", .right), ("PURGED", .right), ("", .left),
        ])
        for queue in status.queues {
            let numbers = [
                queue.counters.accepted, queue.pending, queue.leased, queue.parked, queue.counters.completed,
                queue.dead, queue.counters.cancelled, queue.counters.purged,
            ]
            table.add([queue.name] + numbers.map { HumanText.count($0) } + [remark(queue)])
        }
        return table.render()
    }

    private static func remark(_ queue: QueueStatus) -> String {
        // The words that say why begin with the pause that they explain.
        let pauses = pauseWords(queue.pauses).filter { !queue.waitingBecause.hasPrefix($0) }
            .joined(separator: ", ")
        return [pauses, queue.waitingBecause].filter { !$0.isEmpty }.joined(separator: "; ")
    }

    private static func pauseWords(_ pauses: QueuePauses) -> [String] {
        let words: [(flag: QueuePauses, word: String)] = [
            (.deliveries, "paused"), (.ingest, "posts refused"), (.halted, "halted"),
        ]
        return words.filter { pauses.contains($0.flag) }.map(\.word)
    }

    package static func json(_ status: BrokerStatus) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("instance", String(status.instance.rawValue, radix: 16))
        writer.member("uptime_ms", status.uptimeMilliseconds)
        writer.member("durable_lsn", status.durableLSN.rawValue)
        writer.member("journal_bytes", status.journalBytes)
        writer.member("live_bytes", status.liveBytes)
        writer.member("syncs", status.syncs)
        writer.key("queues")
        writeQueues(status, to: &writer)
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    package static func queuesJSON(_ status: BrokerStatus) -> String {
        var writer = JSONWriter()
        writeQueues(status, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    private static func writeQueues(_ status: BrokerStatus, to writer: inout JSONWriter) {
        writer.beginArray()
        for queue in status.queues {
            writer.beginObject()
            writer.member("name", queue.name)
            writer.member("accepted", queue.counters.accepted)
            writer.member("pending", queue.pending)
            writer.member("leased", queue.leased)
            writer.member("parked", queue.parked)
            writer.member("completed", queue.counters.completed)
            writer.member("dead", queue.dead)
            writer.member("cancelled", queue.counters.cancelled)
            writer.member("purged", queue.counters.purged)
            writer.member("groups", queue.groups)
            writer.member("blocked_groups", queue.blockedGroups)
            writer.member("oldest_age_ms", queue.oldestAgeMilliseconds)
            writer.member("workers", queue.workers)
            writer.key("pauses")
            writer.beginArray()
            for word in pauseWords(queue.pauses) { writer.string(word) }
            writer.endArray()
            writer.member("waiting_because", queue.waitingBecause)
            writer.endObject()
        }
        writer.endArray()
    }
}
