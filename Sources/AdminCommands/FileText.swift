import Glibc
import LinuxSystem
import TaskModel

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

    /// The bytes of a payload, from a file or with '-' from standard input.
    static func payload(at path: String) throws -> [UInt8] {
        let bytes: [UInt8]?
        if path == "-" {
            bytes = try readAll(STDIN_FILENO, maximumBytes: Limits.frameBytesMax)
        } else {
            let file = try OwnedDescriptor(opening: path, flags: O_RDONLY)
            bytes = try readAll(file.rawValue, maximumBytes: Limits.frameBytesMax)
        }
        guard let bytes else {
            throw CommandFailure.failed("\(path) is over \(Limits.frameBytesMax) bytes")
        }
        return bytes
    }
}
