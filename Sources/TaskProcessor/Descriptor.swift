private import Glibc

/// A descriptor that was inherited and is never closed.
struct Descriptor: Sendable {
    private let rawValue: CInt

    init(_ rawValue: CInt) {
        self.rawValue = rawValue
    }

    /// Writes all of it; false where nobody reads any more.
    func write(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    rawValue, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return false }
            }
            return true
        }
    }

    /// Reads what there is, waiting for something; empty at the end.
    func read(upTo limit: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            repeat {
                count = Glibc.read(rawValue, buffer.baseAddress, limit)
            } while count < 0 && errno == EINTR
            count = max(count, 0)
        }
    }
}

/// Lines of a descriptor, of any length.
struct LineReader {
    private static let readBytes = 64 << 10

    private let descriptor: Descriptor
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
    }

    /// Without its LF; nil at the end.
    ///
    /// A last line that has none is half a line, and dropped.
    mutating func next() -> [UInt8]? {
        var scanned = start
        while true {
            if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return Array(buffer[start..<end])
            }
            buffer.removeFirst(start)
            start = 0
            scanned = buffer.count
            let more = descriptor.read(upTo: Self.readBytes)
            if more.isEmpty { return nil }
            buffer += more
        }
    }
}
