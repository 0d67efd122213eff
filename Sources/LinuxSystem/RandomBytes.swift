private import CLinux

/// Randomness from the kernel.
package enum RandomBytes {
    /// Fills the buffer.
    ///
    /// The corresponding C function is `getrandom`.
    package static func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(SystemError) {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            filled += try retryingInterrupted("getrandom") { getrandom(rest.baseAddress, rest.count, 0) }
        }
    }

    package static func word() throws(SystemError) -> UInt64 {
        var value: UInt64 = 0
        try withUnsafeMutableBytes(of: &value) { buffer throws(SystemError) in try fill(buffer) }
        return value
    }
}
