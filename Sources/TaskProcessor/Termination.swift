private import Glibc
private import Synchronization

/// Whether the process is to end: a pipe that becomes readable, and stays so.
package struct Termination: Sendable {
    /// Becomes readable.
    let reading: Descriptor
    private let writing: CInt

    /// Both ends stay open as long as the process; nil where no pipe can be made.
    package init?() {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        reading = Descriptor(ends[0])
        writing = ends[1]
    }

    /// Says that it is time; nothing happens the second time.
    package func tell() { _ = Descriptor(writing).write([0]) }

    /// Returns once it was told.
    func wait() { _ = reading.waitForInput(unless: reading) }

    /// From now on SIGTERM says it, and does nothing else.
    func followSignal() {
        signalledPipe.store(writing, ordering: .releasing)
        signal(SIGTERM) { _ in
            let before = errno
            var byte: UInt8 = 0
            _ = write(signalledPipe.load(ordering: .acquiring), &byte, 1)
            errno = before
        }
    }
}

/// The pipe that the signal handler writes to: a handler can be given nothing else.
private let signalledPipe = Atomic<CInt>(-1)
