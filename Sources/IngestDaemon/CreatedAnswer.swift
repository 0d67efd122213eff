import NIOCore
import TaskModel

/// The 201 of an accepted post, written straight into the buffer that goes to the socket.
struct CreatedAnswer {
    let id: TaskID
    let sequence: TaskSequence
    var isReplay = false
    /// False only where the server answers without a queue, for measurement.
    var isStored = true
    var closes = false

    /// More than the longest answer takes.
    static let bytesMax = 384

    func write(to buffer: inout ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.bytesMax) { space in
            var writer = TextWriter(space: space)
            writer.append(
                """
                HTTP/1.1 201 Created\r
                Content-Type: application/json\r
                Content-Length: 50\r
                X-Content-Type-Options: nosniff\r
                Location: /tasks/
                """)
            let start = writer.count
            writer.append(id)
            writer.append("\r\nTaskq-Sequence: ")
            writer.append(sequence.rawValue)
            if isReplay { writer.append("\r\nIdempotency-Replayed: true") }
            if !isStored { writer.append("\r\nTaskq-Outcome: not-stored") }
            if closes { writer.append("\r\nConnection: close") }
            writer.append("\r\n\r\n{\"task_id\":\"")
            writer.appendAgain(from: start, count: TaskID.textBytes)
            writer.append("\"}")
            return writer.count
        }
    }
}

/// Writes text into memory that is known to have room for it: one buffer operation an answer, not one a word.
private struct TextWriter {
    let space: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(space: UnsafeMutableRawBufferPointer) { self.space = space }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: space[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ id: TaskID) {
        count += id.write(to: UnsafeMutableRawBufferPointer(rebasing: space[count...]))
    }

    /// Repeats what was written before.
    mutating func appendAgain(from start: Int, count: Int) {
        append(UnsafeRawBufferPointer(rebasing: space[start..<start + count]))
    }

    mutating func append(_ number: UInt64) {
        var digits = 1
        var limit = number / 10
        while limit > 0 {
            digits += 1
            limit /= 10
        }
        var rest = number
        for place in (count..<count + digits).reversed() {
            space[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }
}
