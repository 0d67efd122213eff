private import CLinux
private import Glibc

/// Signals as readable events.
///
/// They are blocked for the calling thread, and for every thread it starts afterwards: make it before the
/// first thread.
package struct SignalDescriptor: ~Copyable, Sendable {
    package struct Delivery: Hashable, Sendable {
        package let signal: CInt
        /// Who sent it; 0 for the kernel.
        package let sender: CInt
    }

    private let descriptor: OwnedDescriptor

    /// The corresponding C functions are `pthread_sigmask` and `signalfd`.
    package init(blocking signals: [CInt]) throws(SystemError) {
        var set = Self.set(of: signals)
        let failure = pthread_sigmask(SIG_BLOCK, &set, nil)
        guard failure == 0 else { throw SystemError(call: "pthread_sigmask", errno: failure) }
        descriptor = OwnedDescriptor(
            adopting: try retryingInterrupted("signalfd") {
                signalfd(-1, &set, CInt(SFD_CLOEXEC | SFD_NONBLOCK))
            })
    }

    package var rawValue: CInt { descriptor.rawValue }

    /// The next signal that has come, nil if none has.
    ///
    /// Several of one kind may arrive as one.
    package borrowing func next() throws(SystemError) -> Delivery? {
        var info = signalfd_siginfo()
        let outcome = try withUnsafeMutableBytes(of: &info) { buffer throws(SystemError) in
            try OwnedDescriptor.read(descriptor.rawValue, into: buffer)
        }
        guard case .read(let count) = outcome, count == MemoryLayout<signalfd_siginfo>.size else {
            return nil
        }
        return Delivery(signal: CInt(info.ssi_signo), sender: CInt(info.ssi_pid))
    }

    /// Ignores SIGPIPE for the process, so that a write to a closed pipe is an errno.
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    private static func set(of signals: [CInt]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in signals { sigaddset(&set, number) }
        return set
    }
}
