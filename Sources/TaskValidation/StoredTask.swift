import TaskModel

/// Writes the stored form of a task.
enum StoredTask {
    static func append(
        id: TaskID, title: UnsafeRawBufferPointer, description: UnsafeRawBufferPointer,
        priority: UnsafeRawBufferPointer, dueDate: DueDate?, to output: inout [UInt8]
    ) {
        // Keys, quotes, the id and the longest date take at most 150 bytes.
        let capacity = title.count + description.count + priority.count + 150
        withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 1) { buffer in
            var cursor = ByteCursor(buffer)
            cursor.write("{\"task_id\":\"")
            write(id, to: &cursor)
            cursor.write("\",\"title\":")
            cursor.write(title)
            cursor.write(",\"description\":")
            cursor.write(description)
            cursor.write(",\"priority\":")
            cursor.write(priority)
            if let dueDate {
                cursor.write(",\"due_date\":\"")
                dueDate.write(to: &cursor)
                cursor.write("\"}")
            } else {
                cursor.write(",\"due_date\":null}")
            }
            output.append(contentsOf: cursor.written)
        }
    }

    /// The 36 characters of the id.
    private static func write(_ id: TaskID, to cursor: inout ByteCursor) {
        cursor.writeHexadecimal(id.high >> 32, digits: 8)
        cursor.write(UInt8(ascii: "-"))
        cursor.writeHexadecimal(id.high >> 16, digits: 4)
        cursor.write(UInt8(ascii: "-"))
        cursor.writeHexadecimal(id.high, digits: 4)
        cursor.write(UInt8(ascii: "-"))
        cursor.writeHexadecimal(id.low >> 48, digits: 4)
        cursor.write(UInt8(ascii: "-"))
        cursor.writeHexadecimal(id.low, digits: 12)
    }
}

/// Writes forward into a buffer that is large enough; writing past its end traps.
struct ByteCursor {
    private let buffer: UnsafeMutableRawBufferPointer
    private var count = 0

    init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    @inline(__always)
    mutating func write(_ byte: UInt8) {
        precondition(count < buffer.count, "a write past the buffer")
        buffer[count] = byte
        count &+= 1
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= buffer.count - count, "a write past the buffer")
        guard let target = buffer.baseAddress, let source = bytes.baseAddress else { return }
        (target + count).copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
    }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The lowest digits of `value`, lower case.
    @inline(__always)
    mutating func writeHexadecimal(_ value: UInt64, digits: Int) {
        for place in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: value &>> UInt64(4 &* (digits &- 1 &- place))) & 15
            write(digit < 10 ? UInt8(ascii: "0") &+ digit : UInt8(ascii: "a") &+ digit &- 10)
        }
    }

    @inline(__always)
    mutating func writeTwoDigits(_ value: Int) {
        write(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10))
        write(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }
}
