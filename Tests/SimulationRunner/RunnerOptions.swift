import Simulation

/// What the command line asks for.
struct RunnerOptions {
    enum Mode: Equatable {
        case one(seed: UInt64)
        case many(first: UInt64, count: UInt64)
        /// A process of a run of many: the first seed is the option's, every `stride`-th is its own.
        case child(stride: UInt64, count: UInt64)
    }

    struct Problem: Error, Equatable {
        let text: String
    }

    static let usage = """
        usage: taskq-sim --seed N [--verbose]
               taskq-sim --count N [--first N] [--jobs N] [--stop-after N]
        with   --operations N   requests and faults of a history (\(HistorySetting.operationsDefault))
               --lying-disk     syncs make nothing durable: violations have to be found
               --era N          what histories know: 1 no operators, 2 all there is (the default)
        """

    var mode = Mode.many(first: 1, count: 100)
    var first: UInt64 = 1
    var jobs = 2
    /// Failing seeds after which a run of many ends.
    var failuresMax = 10
    var operations = HistorySetting.operationsDefault
    var isVerbose = false
    var diskLies = false
    var era = HistorySetting.Era.current

    func setting(seed: UInt64) -> HistorySetting {
        var setting = HistorySetting(seed: seed, operations: operations, era: era)
        setting.tellsStory = isVerbose
        setting.diskLies = diskLies
        return setting
    }

    /// The arguments of a child that begins with a seed.
    func childArguments(from seed: UInt64, stride: UInt64, count: UInt64) -> [String] {
        [
            "--child", "\(stride)", "--first", "\(seed)", "--count", "\(count)", "--operations",
            "\(operations)", "--era", "\(era.rawValue)",
        ]
            + (diskLies ? ["--lying-disk"] : [])
    }

    /// What a replay by `make sim` has to add to the seed.
    var extraArguments: String {
        var arguments: [String] = []
        if operations != HistorySetting.operationsDefault { arguments += ["--operations", "\(operations)"] }
        if diskLies { arguments.append("--lying-disk") }
        if era != .current { arguments += ["--era", "\(era.rawValue)"] }
        return arguments.isEmpty ? "" : " ARGS=\"\(arguments.joined(separator: " "))\""
    }

    static func parse(_ arguments: [String]) -> Result<RunnerOptions, Problem> {
        var options = RunnerOptions()
        var numbers: [String: UInt64] = [:]
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "--verbose": options.isVerbose = true
            case "--lying-disk": options.diskLies = true
            case "--seed", "--count", "--first", "--jobs", "--stop-after", "--operations", "--child", "--era":
                guard let number = rest.popFirst().flatMap({ UInt64($0) }), number < 1 << 62 else {
                    return .failure(Problem(text: "\(argument) takes a number"))
                }
                numbers[argument] = number
            case _: return .failure(Problem(text: "what is \(argument)?"))
            }
        }
        options.take(numbers)
        guard numbers["--era"].map({ HistorySetting.Era(rawValue: Int($0)) != nil }) ?? true else {
            return .failure(Problem(text: "--era is one of \(HistorySetting.Era.allCases.map(\.rawValue))"))
        }
        guard numbers["--seed"] == nil || numbers["--count"] == nil else {
            return .failure(Problem(text: "--seed runs one history, --count many"))
        }
        return .success(options)
    }

    private mutating func take(_ numbers: [String: UInt64]) {
        first = numbers["--first"] ?? first
        jobs = max(1, Int(numbers["--jobs"] ?? UInt64(jobs)))
        failuresMax = max(1, Int(numbers["--stop-after"] ?? UInt64(failuresMax)))
        operations = max(1, Int(numbers["--operations"] ?? UInt64(operations)))
        era = numbers["--era"].flatMap { HistorySetting.Era(rawValue: Int($0)) } ?? era
        let count = numbers["--count"] ?? 100
        if let seed = numbers["--seed"] {
            mode = .one(seed: seed)
        } else if let stride = numbers["--child"] {
            mode = .child(stride: max(1, stride), count: count)
        } else {
            mode = .many(first: first, count: count)
        }
    }
}
