import Glibc
import Synchronization

/// The pipes of one process and the thread loop that reads them.
final class ProcessPipes: Sendable {
    private struct Pipe {
        let reading: CInt
        let writing: CInt

        /// Call under ``spawning``: the flag is set in a second step.
        init() throws(TestSupportError) {
            var pair: [CInt] = [-1, -1]
            guard pipe(&pair) == 0 else { throw .systemCall(name: "pipe", errno: errno) }
            for descriptor in pair { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
            (reading, writing) = (pair[0], pair[1])
        }
    }

    private struct OpenEnds {
        var input: CInt?
        var wake: CInt?
    }

    /// No fixture starts a process while another makes its pipes, or the new process would hold them open.
    private static let spawning = Mutex<Void>(())

    private let input: Pipe
    private let output: Pipe
    private let error: Pipe
    private let wakeUp: Pipe
    private let ends: Mutex<OpenEnds>

    init() throws(TestSupportError) {
        // For the whole test runner: a program that ends early is EPIPE here, not our death.
        signal(SIGPIPE, SIG_IGN)
        (input, output, error, wakeUp) = try Self.spawning.withLock { _ throws(TestSupportError) in
            (try Pipe(), try Pipe(), try Pipe(), try Pipe())
        }
        for descriptor in [output.reading, error.reading, wakeUp.reading, wakeUp.writing] {
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        }
        ends = Mutex(OpenEnds(input: input.writing, wake: wakeUp.writing))
    }

    /// Starts the process on the far ends and closes them here.
    ///
    /// After a failure nothing is left open.
    func spawn(_ description: ProcessDescription) throws(TestSupportError) -> pid_t {
        defer {
            for descriptor in [input.reading, output.writing, error.writing] { close(descriptor) }
        }
        do throws(TestSupportError) {
            return try Self.spawning.withLock { _ throws(TestSupportError) in
                try description.spawn(
                    .descriptors(input: input.reading, output: output.writing, error: error.writing))
            }
        } catch {
            closeOwnEnds()
            throw error
        }
    }

    /// Makes the reading thread look at deadlines and at the process again.
    func wake() {
        ends.withLock { ends in
            guard let descriptor = ends.wake else { return }
            // A full pipe is fine: the thread is awake then.
            _ = Glibc.write(descriptor, "w", 1)
        }
    }

    func writeInput(_ bytes: [UInt8]) throws(TestSupportError) {
        let failure: CInt? = ends.withLock { ends in
            guard let descriptor = ends.input else { return EBADF }
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 else { return errno }
                rest = rest.dropFirst(count)
            }
            return nil
        }
        if let failure { throw .systemCall(name: "write", errno: failure) }
    }

    func closeInput() {
        ends.withLock { ends in
            if let descriptor = ends.input { close(descriptor) }
            ends.input = nil
        }
    }

    /// Reads both streams until the process has ended and its pipes are empty.
    ///
    /// A child that it left behind may hold them open; nobody waits for that.
    func read(into result: ProcessOutput) {
        var splitters = [LineSplitter(.standardOutput), LineSplitter(.standardError)]
        var isOpen = [true, true]
        let descriptors = [output.reading, error.reading]
        while true {
            let hasEnded = result.status != nil
            for index in 0..<2 where isOpen[index] {
                isOpen[index] = splitters[index].drain(descriptors[index], into: result)
            }
            if hasEnded { break }
            wait(on: zip(descriptors, isOpen).filter(\.1).map(\.0), result)
        }
        for index in 0..<2 { splitters[index].flush(into: result) }
        result.complete()
        closeOwnEnds()
    }

    private func wait(on descriptors: [CInt], _ result: ProcessOutput) {
        let timeout = result.expireWaiters(now: MonotonicDeadline.now())
        var polled = (descriptors + [wakeUp.reading]).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        poll(&polled, nfds_t(polled.count), timeout)
        var discarded = [UInt8](repeating: 0, count: 64)
        while Glibc.read(wakeUp.reading, &discarded, discarded.count) > 0 {}
    }

    private func closeOwnEnds() {
        closeInput()
        ends.withLock { ends in
            ends.wake = nil
            close(wakeUp.writing)
        }
        for descriptor in [output.reading, error.reading, wakeUp.reading] { close(descriptor) }
    }
}

/// Cuts what comes out of a pipe into lines.
private struct LineSplitter {
    private let stream: OutputLine.Stream
    private var partial: [UInt8] = []

    init(_ stream: OutputLine.Stream) { self.stream = stream }

    /// Takes what is there now.
    ///
    /// False at the end of the stream.
    mutating func drain(_ descriptor: CInt, into result: ProcessOutput) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return false }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN
            }
            partial += chunk[..<count]
            var pieces = partial.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let rest = pieces.popLast() ?? []
            for line in pieces { result.append(String(decoding: line, as: UTF8.self), from: stream) }
            partial = Array(rest)
        }
    }

    mutating func flush(into result: ProcessOutput) {
        if !partial.isEmpty { result.append(String(decoding: partial, as: UTF8.self), from: stream) }
        partial = []
    }
}
