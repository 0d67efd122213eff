private import CSystemd
private import Glibc
package import LinuxSystem

/// systemd's log. (The journal of this project is another thing.)
package enum Journald {
    /// One structured entry's fields, kept as the bytes `NAME=value` that journald takes.
    package struct Entry: Sendable {
        fileprivate var bytes: [UInt8] = []
        fileprivate var ends: [Int] = []

        package init() {}

        /// `name` is of A-Z, 0-9 and _, and does not begin with _: journald keeps those to itself.
        package mutating func add(_ name: String, _ value: some Sequence<UInt8>) {
            bytes.append(contentsOf: name.utf8)
            bytes.append(UInt8(ascii: "="))
            bytes.append(contentsOf: value)
            ends.append(bytes.count)
        }

        /// The fields as text, for people and tests.
        package var fields: [String] {
            var start = 0
            return ends.map { end in
                defer { start = end }
                return String(decoding: bytes[start..<end], as: UTF8.self)
            }
        }

        package mutating func removeAll() {
            bytes.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
        }
    }

    /// Hands an entry over; silently nothing where no journald runs.
    ///
    /// The corresponding C function is `sd_journal_sendv`.
    package static func send(_ entry: Entry) throws(SystemError) {
        let status = entry.bytes.withUnsafeBytes { content -> CInt in
            guard let base = content.baseAddress else { return 0 }
            return withUnsafeTemporaryAllocation(of: iovec.self, capacity: entry.ends.count) { pieces in
                var start = 0
                for (index, end) in entry.ends.enumerated() {
                    let piece = UnsafeMutableRawPointer(mutating: base + start)
                    pieces.initializeElement(at: index, to: iovec(iov_base: piece, iov_len: end - start))
                    start = end
                }
                return sd_journal_sendv(pieces.baseAddress, CInt(entry.ends.count))
            }
        }
        guard status >= 0 else { throw SystemError(call: "sd_journal_sendv", errno: -status) }
    }

    /// Whether what is written to standard error lands in journald: JOURNAL_STREAM names that very stream.
    package static func isStandardError() -> Bool {
        guard let value = getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        return isStream(String(cString: value), device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// Reads JOURNAL_STREAM's `device:inode`.
    package static func isStream(_ text: String, device: UInt64, inode: UInt64) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && UInt64(parts[0]) == device && UInt64(parts[1]) == inode
    }
}
