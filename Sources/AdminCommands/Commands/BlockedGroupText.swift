private import LinuxSystem
package import TaskModel
private import TaskValidation
package import WireProtocol

/// Blocked groups in words and in JSON.
package enum BlockedGroupText {
    package struct Line: Sendable {
        package var queue: String
        package var group: BlockedGroupView
        /// Of the task that blocks the group.
        package var lastAttempt: AttemptRecord?

        package init(queue: String, group: BlockedGroupView, lastAttempt: AttemptRecord? = nil) {
            self.queue = queue
            self.group = group
            self.lastAttempt = lastAttempt
        }

        var groupName: String { group.name.isEmpty ? queue : group.name }

        /// Milliseconds since 1970 at the end of the last attempt.
        var blockedSince: UInt64? {
            lastAttempt.map { $0.startedAt.rawValue + $0.durationMilliseconds }
        }
    }

    package static func table(
        _ lines: [Line], isCut: Bool, now: UInt64 = Clocks.wallMilliseconds()
    ) -> String {
        if lines.isEmpty { return "no group is blocked\n" }
        var table = TextTable([
            ("QUEUE", .left), ("GROUP", .left), ("BLOCKED BY", .left), ("FOR", .right), ("STATE", .left),
            ("WAITING", .right), ("LAST ATTEMPT", .left), ("", .left),
        ])
        for line in lines {
            let age = line.blockedSince.map { HumanText.duration(milliseconds: now > $0 ? now - $0 : 0) }
            table.add([
                line.queue, line.groupName, line.group.head.description, age ?? "-",
                line.group.isParked ? "parked" : "retrying", HumanText.count(UInt64(line.group.waiting)),
                line.lastAttempt?.outcome.label ?? "-", line.group.waitingBecause,
            ])
        }
        return table.render() + (isCut ? "and more: see --limit\n" : "")
    }

    package static func json(_ lines: [Line]) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for line in lines {
            writer.beginObject()
            writer.member("queue", line.queue)
            writer.member("group", line.groupName)
            writer.member("task_id", line.group.head.description)
            writer.member("state", line.group.isParked ? "parked" : "retrying")
            if let since = line.blockedSince { writer.member("blocked_since", TaskText.timestamp(since)) }
            writer.member("waiting", line.group.waiting)
            writer.member("receives", line.group.receives)
            writer.member("max_attempts", line.group.maxAttempts)
            if let delay = line.group.retryMilliseconds { writer.member("retry_in_ms", delay) }
            if let attempt = line.lastAttempt {
                writer.member("last_outcome", attempt.outcome.label)
                writer.member("last_reason", attempt.reason)
            }
            writer.member("waiting_because", line.group.waitingBecause)
            writer.endObject()
        }
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
