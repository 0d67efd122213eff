import Glibc

/// A real program at a real terminal: what it shows, what is typed, and Ctrl-C.
///
/// It blocks: use it from ``DedicatedThreads``, as ``run(_:_:)`` does. Waits are for text, each with a
/// deadline that fails the test with what was shown.
package final class TerminalFixture {
    /// TIOCSPTLCK and TIOCGPTN: what unlockpt and ptsname do, which Swift's Glibc does not show.
    private static let unlock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    private let pid: pid_t
    private let master: CInt
    private var shown: [UInt8] = []
    /// Text is looked for behind the text that was found last.
    private var position = 0
    private var status: ExitStatus?

    /// Starts a program at a terminal of its own, has `body` sit there, and waits for the program's end.
    @discardableResult
    package static func run(
        _ description: ProcessDescription, within limit: Duration = .seconds(60),
        _ body: @escaping @Sendable (TerminalFixture) throws -> Void = { _ in }
    ) async throws -> (status: ExitStatus, text: String) {
        try await DedicatedThreads.run {
            let terminal = try TerminalFixture(description)
            defer { terminal.close() }
            try body(terminal)
            let status = try terminal.end(within: limit)
            return (status, terminal.text)
        }
    }

    private init(_ description: ProcessDescription) throws(TestSupportError) {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard master >= 0 else { throw .systemCall(name: "open /dev/ptmx", errno: errno) }
        var number: CInt = 0
        var lock: CInt = 0
        guard ioctl(master, Self.unlock, &lock) == 0, ioctl(master, Self.getNumber, &number) == 0 else {
            let failure = errno
            Glibc.close(master)
            throw .systemCall(name: "ioctl /dev/ptmx", errno: failure)
        }
        let path = "/dev/pts/\(number)"
        do throws(TestSupportError) {
            pid = try description.spawn(.terminal(path))
        } catch {
            Glibc.close(master)
            throw error
        }
    }

    /// All that was shown, what was typed included; lines end in CR LF as on any terminal.
    package var text: String { String(decoding: shown, as: UTF8.self) }

    /// Waits until `text` is shown behind what was found last.
    package func shows(_ text: String, within limit: Duration = .seconds(30)) throws(TestSupportError) {
        let pattern = Array(text.utf8)
        let deadline = MonotonicDeadline.after(limit)
        while true {
            if let found = shown[position...].firstRange(of: pattern) {
                position = found.upperBound
                return
            }
            guard try readMore(before: deadline, waitingFor: "'\(text)'") else {
                let status = reap(waiting: true)
                throw .processEnded(status ?? .exited(0), waitingFor: "'\(text)'", output: [self.text])
            }
        }
    }

    package func type(_ text: String) throws(TestSupportError) {
        let bytes = Array(text.utf8)
        guard write(master, bytes, bytes.count) == bytes.count else {
            throw .systemCall(name: "write", errno: errno)
        }
    }

    /// Ctrl-C.
    package func interrupt() throws(TestSupportError) { try type("\u{03}") }

    private func end(within limit: Duration) throws(TestSupportError) -> ExitStatus {
        let deadline = MonotonicDeadline.after(limit)
        while try readMore(before: deadline, waitingFor: "its end") {}
        guard let status = reap(waiting: true) else { throw .systemCall(name: "waitpid", errno: errno) }
        return status
    }

    /// False when nobody has the terminal open any more.
    private func readMore(
        before deadline: UInt64, waitingFor goal: String
    ) throws(TestSupportError) -> Bool {
        let now = MonotonicDeadline.now()
        guard now < deadline else { throw .deadlinePassed(waitingFor: goal, output: [text]) }
        var item = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
        poll(&item, 1, CInt(clamping: (deadline - now) / 1_000_000 + 1))
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &chunk, chunk.count)
        if count > 0 { shown += chunk[..<count] }
        // EIO says that the last one who had the other end open has closed it.
        return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
    }

    private func reap(waiting: Bool) -> ExitStatus? {
        if let status { return status }
        var code: CInt = 0
        while waitpid(pid, &code, waiting ? 0 : WNOHANG) == -1 {
            guard errno == EINTR else { return nil }
        }
        status = ExitStatus(waitStatus: code)
        return status
    }

    private func close() {
        if status == nil {
            kill(-pid, SIGKILL)
            _ = reap(waiting: true)
        }
        Glibc.close(master)
    }
}
