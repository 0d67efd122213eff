import Simulation

/// One history, told in full if asked.
enum SingleRun {
    static func run(_ setting: HistorySetting) -> Int32 {
        let report = HistoryReport.of(setting)
        for line in report.story { Output.write(line + "\n") }
        Output.write("seed \(setting.seed): \(report.tally.text) digest=\(report.digest)\n")
        for violation in report.violations { Output.write("VIOLATION \(violation)\n") }
        return report.violations.isEmpty ? 0 : 1
    }
}

/// One process of a run of many: a line when a history begins, one for each violation, one when it ends.
enum ChildRun {
    static func run(_ options: RunnerOptions, stride: UInt64, count: UInt64) {
        for index in 0..<count {
            let seed = options.first + index * stride
            Output.write("begin \(seed)\n")
            let report = HistoryReport.of(options.setting(seed: seed))
            let violations = report.violations.map { "bad \(seed) \($0.filter { $0 != "\n" })\n" }.joined()
            Output.write(violations + "end \(seed) \(report.tally.text)\n")
        }
    }
}
