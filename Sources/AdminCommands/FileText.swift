import LinuxSystem

/// Text out of and into plain descriptors.
enum FileText {
    static func write(_ text: String, to descriptor: CInt) {
        write(Array(text.utf8), to: descriptor)
    }

    /// Whoever closed the other end does not want to know.
    static func write(_ bytes: [UInt8], to descriptor: CInt) {
        bytes.withUnsafeBytes { content in
            try? OwnedDescriptor.writeAll(descriptor, content)  // ignoring: a closed terminal has no reader
        }
    }

    /// Everything up to the end; nil where it is more than `maximumBytes`.
    static func readAll(_ descriptor: CInt, maximumBytes: Int) throws(SystemError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= maximumBytes {
            switch try readPiece(descriptor, into: &chunk) {
            case .read(let count): bytes += chunk[..<count]
            case .endOfFile: return bytes
            case .wouldBlock:
                try OwnedDescriptor.waitUntilReady(descriptor, events: 1, timeoutMilliseconds: -1)
            }
        }
        return nil
    }

    static func readPiece(_ descriptor: CInt, into chunk: inout [UInt8]) throws(SystemError) -> ReadOutcome {
        let outcome = chunk.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try OwnedDescriptor.read(descriptor, into: buffer) }
        }
        return try outcome.get()
    }
}
