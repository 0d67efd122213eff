private import CLinux
private import Glibc

/// What one process may ask of the kernel about itself and others.
package enum ProcessControl {
    /// A descriptor that becomes readable when the process ends.
    ///
    /// ESRCH if it has been reaped. The corresponding C function is `pidfd_open`.
    package static func openProcess(_ pid: CInt) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(adopting: try retryingInterrupted("pidfd_open") { clinux_pidfd_open(pid) })
    }

    /// Signals the very process behind the descriptor, never a later one of the same pid.
    package static func send(signal: CInt, to process: borrowing OwnedDescriptor) throws(SystemError) {
        let descriptor = process.rawValue
        _ = try retryingInterrupted("pidfd_send_signal") { clinux_pidfd_send_signal(descriptor, signal) }
    }

    /// Orphaned descendants become children of this process.
    ///
    /// The corresponding C function is `prctl`.
    package static func becomeSubreaper() throws(SystemError) {
        _ = try retryingInterrupted("prctl") { clinux_prctl(PR_SET_CHILD_SUBREAPER, 1) }
    }

    /// The kernel sends this process a signal when the *thread* that started it ends.
    package static func dieWithParent(signal: CInt) throws(SystemError) {
        _ = try retryingInterrupted("prctl") { clinux_prctl(PR_SET_PDEATHSIG, UInt(signal)) }
    }

    /// Whether the process has a controlling terminal that is still there.
    package static var hasTerminal: Bool {
        let descriptor = Glibc.open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        // Its owner closes it here.
        _ = OwnedDescriptor(adopting: descriptor)
        return true
    }

    /// Names the calling thread for ps and top; cut to 15 bytes by the kernel.
    package static func nameThread(_ name: String) {
        _ = clinux_set_thread_name(name)
    }

    /// Closes every descriptor from `first` on.
    ///
    /// The corresponding C function is `close_range`.
    package static func closeDescriptors(from first: CInt) throws(SystemError) {
        _ = try retryingInterrupted("close_range") { clinux_close_range(UInt32(first), .max, 0) }
    }

    /// A child that has ended, with the status as `waitpid` gives it; nil while none has.
    package static func reapAnyChild() throws(SystemError) -> (pid: CInt, status: CInt)? {
        var status: CInt = 0
        do throws(SystemError) {
            let pid = try retryingInterrupted("waitpid") { waitpid(-1, &status, WNOHANG) }
            return pid > 0 ? (pid, status) : nil
        } catch  where error.errno == ECHILD {
            return nil
        }
    }
}
