import Glibc
private import LinuxSystem
private import ServiceLog

/// One line of standard error that is written over, on a terminal alone, ten times a second.
struct ProgressLine {
    private static let intervalNanoseconds: UInt64 = 100_000_000

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var nextShow: UInt64 = 0
    private var isShowing = false

    mutating func show(_ text: @autoclosure () -> String) {
        guard isTerminal else { return }
        let now = Clocks.monotonicNanoseconds()
        guard now >= nextShow else { return }
        nextShow = now + Self.intervalNanoseconds
        isShowing = true
        FileText.write("\r\u{1B}[K" + TerminalText.escaped(text()), to: STDERR_FILENO)
    }

    /// Makes room for what is to be said next.
    mutating func end() {
        guard isShowing else { return }
        isShowing = false
        nextShow = 0
        FileText.write("\r\u{1B}[K", to: STDERR_FILENO)
    }
}
