import Glibc

/// Runs histories of the broker from their seeds; `make sim` is the way in.
///
/// Exit status: 0 nothing was broken, 1 a guarantee was, 2 the arguments are wrong.
@main
enum TaskqSim {
    static func main() {
        switch RunnerOptions.parse(Array(CommandLine.arguments.dropFirst())) {
        case .failure(let problem):
            Output.write("taskq-sim: \(problem.text)\n\(RunnerOptions.usage)\n", to: STDERR_FILENO)
            exit(2)
        case .success(let options):
            switch options.mode {
            case .one(let seed): exit(SingleRun.run(options.setting(seed: seed)))
            case .child(let stride, let count):
                ChildRun.run(options, stride: stride, count: count)
                exit(0)
            case .many(let first, let count):
                var supervisor = Supervisor(options: options, first: first, count: count)
                exit(supervisor.run())
            }
        }
    }
}

/// Unbuffered, so that a line is out even when the next history traps.
enum Output {
    static func write(_ text: String, to descriptor: CInt = STDOUT_FILENO) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }
}
