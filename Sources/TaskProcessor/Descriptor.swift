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

    /// Waits until there is something to read here, or the end; false where `interruption` came first.
    func waitForInput(unless interruption: Descriptor) -> Bool {
        var entries = [
            pollfd(fd: interruption.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&entries, nfds_t(entries.count), -1) < 0 && errno == EINTR {}
        return entries[0].revents == 0
    }
}
