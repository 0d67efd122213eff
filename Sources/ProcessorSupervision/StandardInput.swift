private import Glibc
internal import LinuxSystem

/// Our end of a processor's stdin, with what is still to be written to it.
struct StandardInput {
    enum Progress {
        /// Everything was written.
        case done
        /// The pipe is full: come again when it is writable.
        case blocked
        /// The processor has closed its stdin, which is its right.
        case closed
    }

    private var descriptor: OpenDescriptor?
    private var pending: [UInt8] = []
    private var written = 0
    /// End of file follows the last byte.
    private var closesWhenDone = false

    init(_ descriptor: OpenDescriptor) {
        self.descriptor = descriptor
    }

    var rawValue: CInt? { descriptor?.rawValue }

    mutating func write(_ bytes: [UInt8], thenClose: Bool) -> Progress {
        if written == pending.count {
            pending = bytes
            written = 0
        } else {
            pending.append(contentsOf: bytes)
        }
        closesWhenDone = closesWhenDone || thenClose
        return proceed()
    }

    /// Writes as much as the pipe takes.
    ///
    /// Any failure, EPIPE first of all, closes it: what became of the task is for the processor's answer or
    /// its death to say.
    mutating func proceed() -> Progress {
        while written < pending.count {
            guard let fd = rawValue else { return .closed }
            let outcome = pending.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                return try? OwnedDescriptor.write(fd, rest)  // ignoring: it is closed below
            }
            switch outcome {
            case .wrote(let count): written += count
            case .wouldBlock: return .blocked
            case nil:
                close()
                return .closed
            }
        }
        pending.removeAll(keepingCapacity: pending.capacity <= 64 << 10)
        written = 0
        if closesWhenDone { close() }
        return .done
    }

    mutating func close() {
        descriptor = nil
        pending = []
        written = 0
    }
}
