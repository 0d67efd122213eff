/// What comes in on stdin: a task a line, or one payload.
struct TaskInput {
    private static let readBytes = 64 << 10

    private let descriptor: Descriptor
    private let interruption: Descriptor?
    private var buffer: [UInt8] = []
    private var start = 0
    /// True once the interruption was what ended it.
    private(set) var isInterrupted = false

    /// - Parameter interruption: becomes readable when nobody waits for more any longer.
    init(_ descriptor: Descriptor, interruption: Descriptor? = nil) {
        self.descriptor = descriptor
        self.interruption = interruption
    }

    /// The next line, of any length, without its LF; nil at the end.
    ///
    /// A last line that has none is half a line, and dropped.
    mutating func nextLine() -> [UInt8]? {
        var scanned = start
        while true {
            if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            buffer.removeFirst(start)
            start = 0
            scanned = buffer.count
            guard let more = read(), !more.isEmpty else { return nil }
            buffer += more
        }
    }

    /// All there is up to the end; nil where it was interrupted.
    mutating func whole() -> [UInt8]? {
        while true {
            guard let more = read() else { return nil }
            if more.isEmpty { return buffer }
            buffer += more
        }
    }

    private mutating func read() -> [UInt8]? {
        if let interruption, !descriptor.waitForInput(unless: interruption) {
            isInterrupted = true
            return nil
        }
        return descriptor.read(upTo: Self.readBytes)
    }
}
