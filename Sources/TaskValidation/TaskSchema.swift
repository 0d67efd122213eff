package import TaskModel

/// The schema of the queue `tasks`: title, description, priority, due_date.
///
/// What it accepts it also puts into the one form in which it is stored and handed to the processor: the keys
/// task_id, title, description, priority, due_date in this order, strings as they were written.
package enum TaskSchema {
    package static let titleCodePointsMax = 200
    /// Bytes of the stored form before the title's key: `{"task_id":"<36 characters>",`.
    ///
    /// They change with each post; what follows them is the task's content.
    package static let idPrefixBytes = 50

    static let priorities: [StaticString] = ["low", "medium", "high"]

    /// Appends the stored form of a task to `output`, or leaves `output` as it is and says all that is wrong.
    ///
    /// - Parameter now: what a due date has to lie after.
    package static func normalise(
        _ body: UnsafeRawBufferPointer, id: TaskID, now: WallTime, appendingTo output: inout [UInt8]
    ) throws(ValidationFailure) {
        if let plain = PlainTaskScan.scan(body, now: now) {
            plain.append(id: id, text: body, to: &output)
        } else {
            let fields = try TaskFieldCheck.check([UInt8](body), now: now)
            fields.append(id: id, to: &output)
        }
    }

    package static func normalise(
        _ body: [UInt8], id: TaskID, now: WallTime
    ) throws(ValidationFailure) -> [UInt8] {
        var output: [UInt8] = []
        try body.withText { (text) throws(ValidationFailure) in
            try normalise(text, id: id, now: now, appendingTo: &output)
        }
        return output
    }

    /// The error of a request without any body.
    package static var missingBody: HTTPValidationError {
        HTTPValidationError(ValidationError(.missing, at: [.key("body")], input: Array("null".utf8)))
    }

    /// The error of a body whose Content-Type does not say JSON: to FastAPI it is a string, not an object.
    package static func notJSON(_ body: ArraySlice<UInt8>) -> HTTPValidationError {
        HTTPValidationError(
            ValidationError(.modelAttributesType, at: [.key("body")], input: EchoedInput.render(text: body)))
    }
}
