package import TaskModel
private import TaskValidation

/// One delivery, as a processor gets to see it.
package struct ProcessorTask: Hashable, Sendable {
    /// What log lines say about the task in hand.
    package struct Label: Hashable, Sendable {
        package var id: TaskID
        package var group: String
        package var attempt: UInt32

        package init(id: TaskID, group: String, attempt: UInt32) {
            self.id = id
            self.group = group
            self.attempt = attempt
        }
    }

    package var label: Label
    package var queue: String
    /// The task's place in the order of acceptance; a redrive gives a new one.
    package var sequence: TaskSequence
    package var maxAttempts: UInt32
    /// W3C trace context, or empty.
    package var traceparent: ArraySlice<UInt8>
    /// JSON.
    package var payload: ArraySlice<UInt8>
    /// A JSON value that stands in the line as the member `later`; nil leaves it out.
    ///
    /// Only trials have one: later versions may add members, and a processor ignores what it does not know.
    package var laterMember: String?

    package init(
        label: Label, queue: String, sequence: TaskSequence, maxAttempts: UInt32,
        traceparent: ArraySlice<UInt8>, payload: ArraySlice<UInt8>
    ) {
        self.label = label
        self.queue = queue
        self.sequence = sequence
        self.maxAttempts = maxAttempts
        self.traceparent = traceparent
        self.payload = payload
    }

    package var id: TaskID { label.id }
}

extension ProcessorTask {
    /// What a oneshot processor reads: the payload and a newline.
    package var standardInput: [UInt8] { Array(payload) + [UInt8(ascii: "\n")] }

    /// What a stream processor reads: one line of JSON.
    package func line(deadline: WallTime) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256 + payload.count)
        line.append(#"{"id":""#)
        line.append(contentsOf: id.asciiBytes)
        line.append(#"","queue":"#)
        JSONWriter.appendQuoted(queue, to: &line)
        line.append(#","group":"#)
        JSONWriter.appendQuoted(label.group, to: &line)
        line.append(#","sequence":"#)
        line.append(contentsOf: String(sequence.rawValue).utf8)
        line.append(#","attempt":"#)
        line.append(contentsOf: String(label.attempt).utf8)
        line.append(#","max_attempts":"#)
        line.append(contentsOf: String(maxAttempts).utf8)
        line.append(#","deadline":"#)
        line.append(contentsOf: String(deadline.rawValue).utf8)
        if let traceContext {
            line.append(#","traceparent":"#)
            JSONWriter.appendQuoted(traceContext, to: &line)
        }
        if let laterMember {
            line.append(#","later":"#)
            line.append(contentsOf: laterMember.utf8)
        }
        line.append(#","payload":"#)
        let payloadStart = line.count
        line.append(contentsOf: payload)
        // In JSON a newline can only stand between tokens, where a space means the same; here it would end
        // the line.
        if payload.contains(UInt8(ascii: "\n")) {
            for index in payloadStart..<line.count where line[index] == UInt8(ascii: "\n") {
                line[index] = UInt8(ascii: " ")
            }
        }
        line.append("}\n")
        return line
    }

    /// The trace context as text; nil where there is none, or where it is not printable ASCII.
    package var traceContext: String? {
        guard !traceparent.isEmpty, traceparent.allSatisfy({ (0x20..<0x7F).contains($0) }) else { return nil }
        return String(decoding: traceparent, as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
