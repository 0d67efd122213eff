import TestSupport

/// Which calls were listed and at how many of them each fault happened.
struct CoverageTable: Sendable {
    private struct Row: Hashable, Comparable {
        let life: Life
        let series: CallSeries

        static func < (left: Row, right: Row) -> Bool {
            (left.life.rawValue, left.series) < (right.life.rawValue, right.series)
        }
    }

    private var fired: [Row: [Fault: Int]] = [:]
    private(set) var points = 0
    private(set) var missed: [FailCallMatrix.Trial] = []

    mutating func add(_ finding: FailCallMatrix.Finding) {
        let row = Row(life: finding.trial.life, series: finding.trial.point.series)
        guard finding.hasFired else { return missed.append(finding.trial) }
        points += 1
        fired[row, default: [:]][finding.trial.point.fault, default: 0] += 1
    }

    /// One line for each series: its calls, and the calls at which each fault happened.
    func text(_ matrix: FailCallMatrix) -> String {
        var lines = ["life   calls  thread system-call file: faults that happened"]
        var calls = 0
        for row in fired.keys.sorted() {
            let count = matrix.beginnings[row.life]?.calls[row.series] ?? 0
            calls += count
            let faults = row.series.faults.map { "\($0.rawValue) \(fired[row]?[$0] ?? 0)" }
            lines.append("\(row.life.rawValue)  \(count)  \(row.series): " + faults.joined(separator: ", "))
        }
        lines.append("\(calls) calls listed, \(points) points run, \(missed.count) calls not made again")
        return lines.joined(separator: "\n") + "\n"
    }
}
