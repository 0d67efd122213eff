import Glibc
import LinuxSystem

/// Ctrl-C and SIGTERM as something to look at between two steps, so that no step ends in its middle.
///
/// Make it before the first thread. Both signals stay blocked until the program's end.
struct Interruption: ~Copyable {
    private let signals: SignalDescriptor
    private let timer: TimerDescriptor
    /// Whether somebody wants an end.
    private(set) var hasCome = false

    init() throws(CommandFailure) {
        let signals = try Self.blockSignals()
        let timer = try Self.makeTimer()
        self.signals = signals
        self.timer = timer
    }

    private static func blockSignals() throws(CommandFailure) -> SignalDescriptor {
        do throws(SystemError) {
            return try SignalDescriptor(blocking: [SIGINT, SIGTERM])
        } catch {
            throw .failed("signals cannot be waited for: \(error)")
        }
    }

    private static func makeTimer() throws(CommandFailure) -> TimerDescriptor {
        do throws(SystemError) {
            return try TimerDescriptor()
        } catch {
            throw .failed("the clock cannot be waited for: \(error)")
        }
    }

    /// Readable when a signal has come.
    var descriptor: CInt { signals.rawValue }

    /// Looks without waiting; true when it is time to end.
    mutating func check() throws(CommandFailure) -> Bool {
        do throws(SystemError) {
            while try signals.next() != nil { hasCome = true }
        } catch {
            throw .failed("signals cannot be read: \(error)")
        }
        return hasCome
    }

    /// Waits until a time of CLOCK_MONOTONIC, nanoseconds; true, and at once, when it is time to end.
    mutating func wait(untilNanoseconds time: UInt64) throws(CommandFailure) -> Bool {
        if try check() { return true }
        guard time > Clocks.monotonicNanoseconds() else { return false }
        do throws(SystemError) {
            try timer.arm(atNanoseconds: time)
        } catch {
            throw .failed("the clock cannot be waited for: \(error)")
        }
        var items = [signals.rawValue, timer.rawValue].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        while poll(&items, nfds_t(items.count), -1) < 0, errno == EINTR {}
        return try check()
    }

    /// As ``wait(untilNanoseconds:)``, from now on.
    mutating func wait(milliseconds: UInt64) throws(CommandFailure) -> Bool {
        try wait(untilNanoseconds: Clocks.monotonicNanoseconds() + milliseconds * 1_000_000)
    }
}
