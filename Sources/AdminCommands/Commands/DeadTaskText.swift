private import ServiceLog
private import TaskModel
private import TaskValidation
package import WireProtocol

/// Dead tasks in words and in JSON.
package enum DeadTaskText {
    package static func table(_ tasks: [DeadTask], queue: String, isCut: Bool) -> String {
        if tasks.isEmpty { return "no dead task matches in \(queue)\n" }
        var table = TextTable([
            ("TASK", .left), ("GROUP", .left), ("DIED", .left), ("ATTEMPTS", .right), ("ACCEPTED", .left),
        ])
        for task in tasks {
            table.add([
                task.id.description, task.group.isEmpty ? queue : task.group, task.reason.label,
                String(task.receives), TaskText.timestamp(task.id.unixMilliseconds),
            ])
        }
        return table.render() + (isCut ? "and more: see --limit\n" : "")
    }

    package static func json(_ tasks: [DeadTask], queue: String) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for task in tasks {
            writer.beginObject()
            writer.member("task_id", task.id.description)
            writer.member("queue", queue)
            writer.member("group", task.group.isEmpty ? queue : task.group)
            writer.member("sequence", task.sequence.rawValue)
            writer.member("dead_reason", task.reason.label)
            writer.member("receives", task.receives)
            writer.member("created_at", TaskText.timestamp(task.id.unixMilliseconds))
            writer.endObject()
        }
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    package static func text(_ view: TaskView, payload: [UInt8]?) throws -> String {
        let shown = try TaskText.text(view)
        guard let payload else { return shown }
        return shown + "\npayload\n" + TerminalText.escaped(String(decoding: payload, as: UTF8.self)) + "\n"
    }

    package static func json(_ view: TaskView, payload: [UInt8]?) throws -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("task")
        writer.raw(Array(try TaskText.json(view).utf8.dropLast())[...])
        if let payload {
            writer.key("payload")
            writer.raw(payload[...])
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
