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
        buffer.writeStaticString(
            """
            HTTP/1.1 201 Created\r
            Content-Type: application/json\r
            Content-Length: 50\r
            X-Content-Type-Options: nosniff\r
            Location: /tasks/
            """)
        let text = id.asciiBytes
        buffer.writeBytes(text)
        buffer.writeStaticString("\r\nTaskq-Sequence: ")
        Self.write(sequence.rawValue, to: &buffer)
        if isReplay { buffer.writeStaticString("\r\nIdempotency-Replayed: true") }
        if !isStored { buffer.writeStaticString("\r\nTaskq-Outcome: not-stored") }
        if closes { buffer.writeStaticString("\r\nConnection: close") }
        buffer.writeStaticString("\r\n\r\n{\"task_id\":\"")
        buffer.writeBytes(text)
        buffer.writeStaticString("\"}")
    }

    private static func write(_ number: UInt64, to buffer: inout ByteBuffer) {
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var start = 20
            var rest = number
            repeat {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: digits[start...]))
        }
    }
}
