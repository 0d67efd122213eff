private import TaskModel
private import TaskValidation
package import WireProtocol

/// What became of a command's objects, in JSON.
package enum OutcomeText {
    /// One object of texts, in their order.
    package static func json(_ members: [(name: String, value: String)]) -> String {
        var writer = JSONWriter()
        write(members, to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// An array of such objects.
    package static func json(list: [[(name: String, value: String)]]) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for members in list { write(members, to: &writer) }
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func write(_ members: [(name: String, value: String)], to writer: inout JSONWriter) {
        writer.beginObject()
        for (name, value) in members { writer.member(name, value) }
        writer.endObject()
    }
}

extension ActOutcome {
    /// A word for scripts.
    package var label: String {
        switch self {
        case .done: "done"
        case .notInState: "not-in-state"
        case .unknown: "unknown"
        case .queueFull: "queue-full"
        case .diskFull: "disk-full"
        }
    }
}
