import TaskProcessor

/// The shape of a task as it is stored.
///
/// Whoever takes a queue's word for its contents breaks when the queue is fed by another door.
enum TaskShape {
    private static let titleCodePointsMax = 200

    /// What is wrong, or nil.
    ///
    /// That a due date has passed by now is nothing wrong: the task waited.
    static func problem(in payload: TaskPayload) -> String? {
        guard payload.isObject else { return "the payload is no object" }
        guard let title = payload["title"]?.string,
            (1...titleCodePointsMax).contains(title.unicodeScalars.count)
        else { return "title must have 1 to 200 characters" }
        guard let description = payload["description"]?.string, !description.isEmpty else {
            return "description must not be empty"
        }
        guard let priority = payload["priority"]?.string, ["low", "medium", "high"].contains(priority) else {
            return "priority must be low, medium or high"
        }
        guard let dueDate = payload["due_date"], !dueDate.isNull else { return nil }
        guard let text = dueDate.string, isDateTime(text) else {
            return "due_date must be an ISO 8601 date and time"
        }
        return nil
    }

    /// `2030-01-02T03:04:05+00:00`, with or without microseconds.
    static func isDateTime(_ text: String) -> Bool {
        let pattern = Array("dddd-dd-ddTdd:dd:dd".utf8)
        let bytes = Array(text.utf8)
        guard bytes.count > pattern.count else { return false }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let fits = zip(bytes, pattern).allSatisfy { byte, wanted in
            wanted == UInt8(ascii: "d") ? digits.contains(byte) : byte == wanted
        }
        let offset = bytes.suffix(6)
        return fits && (offset.first == UInt8(ascii: "+") || offset.first == UInt8(ascii: "-"))
    }
}
