private import CLinux

/// Wakes a thread that polls, from any other thread.
package final class EventDescriptor: Sendable {
    private let descriptor: OwnedDescriptor

    /// The corresponding C function is `eventfd`.
    package init() throws(SystemError) {
        descriptor = OwnedDescriptor(
            adopting: try retryingInterrupted("eventfd") { eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)) })
    }

    package var rawValue: CInt { descriptor.rawValue }

    /// Makes the descriptor readable until the next ``acknowledge()``, and never blocks.
    package func signal() {
        let one: UInt64 = 1
        withUnsafeBytes(of: one) { bytes in
            // A full counter is readable already, which is all that a signal means.
            _ = try? descriptor.write(bytes)  // ignoring: only a closed descriptor can fail
        }
    }

    /// Makes the descriptor quiet again; true if it had been signalled.
    @discardableResult
    package func acknowledge() -> Bool {
        var count: UInt64 = 0
        let outcome = withUnsafeMutableBytes(of: &count) { bytes in
            try? descriptor.read(into: bytes)  // ignoring: only a closed descriptor can fail
        }
        return outcome == .read(bytes: 8)
    }

    /// Whether it is signalled, now or within the time, which is in milliseconds, -1 for none.
    ///
    /// Acknowledges nothing.
    package func wait(timeoutMilliseconds: CInt) -> Bool {
        let own = descriptor.rawValue
        let ready = try? OwnedDescriptor.waitUntilReady(  // ignoring: polling an open descriptor cannot fail
            own, events: 1, timeoutMilliseconds: timeoutMilliseconds)
        return ready ?? false
    }
}
