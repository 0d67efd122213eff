private import CLinux

/// A pipe: what is written to one end comes out of the other.
package struct PipeEnds: ~Copyable, Sendable {
    package let reading: OwnedDescriptor
    package let writing: OwnedDescriptor

    /// The corresponding C function is `pipe2` with `O_CLOEXEC`.
    package init() throws(SystemError) {
        var ends: [CInt] = [-1, -1]
        _ = try retryingInterrupted("pipe2") { clinux_pipe(&ends) }
        reading = OwnedDescriptor(adopting: ends[0])
        writing = OwnedDescriptor(adopting: ends[1])
    }

    /// Closes the end to write to and hands out the other.
    package consuming func keepReading() -> OwnedDescriptor { reading }
}
