import Glibc
import Simulation

/// Runs many histories in processes of their own, so that a trap or a hang is a finding with a seed and not
/// the end of the run.
struct Supervisor {
    /// A history takes milliseconds; one of a minute hangs.
    private static let hangSeconds = 60
    private static let progressSeconds = 30

    private let options: RunnerOptions
    private let count: UInt64
    private var children: [ChildProcess] = []
    private var tally = Tally()
    private var failures: [UInt64: [String]] = [:]
    private let started = Self.now()
    private var lastProgress = Self.now()

    init(options: RunnerOptions, first: UInt64, count: UInt64) {
        self.options = options
        self.count = count
        let jobs = UInt64(options.jobs)
        for job in 0..<min(jobs, count) {
            let share = count / jobs + (job < count % jobs ? 1 : 0)
            start(ChildProcess(next: first + job, stride: jobs, left: share))
        }
    }

    mutating func run() -> Int32 {
        while !children.isEmpty, failures.count < options.failuresMax {
            for index in children.indices.reversed() where wait(children[index]) { turn(index) }
            showProgress()
        }
        for child in children { child.kill() }
        report()
        return failures.isEmpty ? 0 : 1
    }

    private mutating func start(_ child: ChildProcess) {
        var child = child
        guard child.left > 0 else { return }
        if child.spawn(options) {
            children.append(child)
        } else {
            fail(child.next, "the simulation's process could not be started, errno \(errno)")
        }
    }

    /// True if the child has something to say, has ended or hangs.
    private func wait(_ child: ChildProcess) -> Bool {
        var descriptor = pollfd(fd: child.output, events: Int16(POLLIN), revents: 0)
        let ready = poll(&descriptor, 1, CInt(500 / children.count))
        return ready > 0 || Self.now() - child.lastHeard > Self.hangSeconds
    }

    private mutating func turn(_ index: Int) {
        if Self.now() - children[index].lastHeard > Self.hangSeconds { children[index].kill() }
        if let lines = children[index].readLines() {
            for line in lines { take(line) }
            return
        }
        var child = children.remove(at: index)
        let status = child.reap()
        guard let seed = child.current else { return start(child) }
        fail(seed, "the process ended with \(status), after \(child.complaint)")
        child.current = nil
        start(child)
    }

    private mutating func take(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 2)
        guard words.count > 1, let seed = UInt64(words[1]) else { return }
        let rest: Substring = words.count > 2 ? words[2] : ""
        switch words[0] {
        case "bad": fail(seed, String(rest))
        case "end": tally.add(Tally(text: rest))
        case _: break
        }
    }

    private mutating func fail(_ seed: UInt64, _ text: String) {
        if failures[seed] == nil { Output.write("seed \(seed) failed: \(text)\n") }
        failures[seed, default: []].append(text)
    }

    private mutating func showProgress() {
        guard Self.now() - lastProgress >= Self.progressSeconds else { return }
        lastProgress = Self.now()
        Output.write(
            "\(tally[.histories]) of \(count) histories, \(failures.count) failed, "
                + "\(lastProgress - started) s\n", to: STDERR_FILENO)
    }

    private func report() {
        for kind in Tally.Kind.allCases {
            let name = kind.rawValue.padded(to: 24)
            Output.write("\(name) \(tally[kind])\n")
        }
        Output.write("\("failed".padded(to: 24)) \(failures.count)\n")
        Output.write("\("seconds".padded(to: 24)) \(Self.now() - started)\n")
        for (seed, violations) in failures.sorted(by: { $0.key < $1.key }) {
            Output.write("\nseed \(seed): make sim SEED=\(seed)\(options.extraArguments)\n")
            for violation in violations.prefix(5) { Output.write("  \(violation)\n") }
        }
    }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
