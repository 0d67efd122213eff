import Glibc

/// A process that runs its share of the histories and says on a pipe how they go.
struct ChildProcess {
    /// The first seed that has not begun.
    private(set) var next: UInt64
    let stride: UInt64
    /// Histories that have not begun.
    private(set) var left: UInt64
    /// The history that runs now.
    var current: UInt64?
    private(set) var output: CInt = -1
    private(set) var lastHeard = 0
    /// The last lines that were none of the protocol's: what a trap says.
    private(set) var complaint = "no word"

    private var pid: pid_t = 0
    private var unread: [UInt8] = []

    init(next: UInt64, stride: UInt64, left: UInt64) {
        self.next = next
        self.stride = stride
        self.left = left
    }

    mutating func spawn(_ options: RunnerOptions) -> Bool {
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else { return false }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let arguments = ["taskq-sim"] + options.childArguments(from: next, stride: stride, count: left)
        var pointers = arguments.map { strdup($0) } + [nil]
        // A trap shall say one line: printing its back trace takes seconds.
        // Large buffers come and go with every segment: kept, they need no fresh pages each time.
        let memory =
            "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=268435456:glibc.malloc.trim_threshold=536870912"
        var environment = [strdup("SWIFT_BACKTRACE=enable=no"), strdup(memory), nil]
        let failure = posix_spawn(&pid, "/proc/self/exe", &actions, nil, &pointers, &environment)
        for pointer in pointers + environment { free(pointer) }
        close(ends[1])
        output = ends[0]
        lastHeard = Self.now()
        if failure != 0 { close(output) }
        return failure == 0
    }

    /// The lines that are there; nil at the end.
    mutating func readLines() -> [String]? {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = chunk.withUnsafeMutableBytes { Glibc.read(output, $0.baseAddress, $0.count) }
        guard count > 0 else { return nil }
        lastHeard = Self.now()
        unread += chunk[..<count]
        var lines: [String] = []
        while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: unread[..<end], as: UTF8.self)
            unread.removeSubrange(...end)
            note(line)
            lines.append(line)
        }
        return lines
    }

    private mutating func note(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count > 1, let seed = UInt64(words[1]) else {
            complaint = line
            return
        }
        switch words[0] {
        case "begin":
            current = seed
            next = seed + stride
            left -= 1
        case "end": current = nil
        case "bad": break
        case _: complaint = line
        }
    }

    func kill() { _ = Glibc.kill(pid, SIGKILL) }

    /// Says how it ended.
    mutating func reap() -> String {
        close(output)
        var status: CInt = 0
        waitpid(pid, &status, 0)
        let signal = status & 0x7F
        return signal == 0 ? "status \((status >> 8) & 0xFF)" : "signal \(signal)"
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }
}
