import Glibc
import TestSupport
import Testing

/// Every system call on the journal's files, made to fail in every way.
@Suite(.serialized) struct FailCallTests {
    /// Lives at once: a life waits for its broker half of the time.
    private static let jobs = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// A call that is made only where the threads meet so is tried so often.
    private static let tries = 4
    /// The reader in Python takes longer than a life.
    private static let readEvery = 32

    /// Guarantees A to K around each single call, in three lives: on an empty directory, after a clean stop,
    /// after a torn write.
    ///
    /// A sample by default, which `TASKQ_CRASH_SEED` draws again; all of it with `TASKQ_CRASH=whole`.
    ///
    /// One point again, or all that begin so, with `TASKQ_CRASH_POINT`, as a failure names it.
    @Test(.timeLimit(.minutes(20))) func noFailingCallBreaksAPromise() async throws {
        try await FailCallMatrix.with { matrix in
            let trials = Self.chosen(from: matrix)
            let began = MonotonicDeadline.now()
            var table = CoverageTable()
            try await withThrowingTaskGroup(of: FailCallMatrix.Finding.self) { group in
                var next = 0
                for _ in 0..<min(Self.jobs, trials.count) {
                    let (trial, isRead) = (trials[next], next % Self.readEvery == 0)
                    group.addTask { try await Self.find(matrix, trial, isRead: isRead) }
                    next += 1
                }
                while let finding = try await group.next() {
                    if next < trials.count {
                        let (trial, isRead) = (trials[next], next % Self.readEvery == 0)
                        group.addTask { try await Self.find(matrix, trial, isRead: isRead) }
                        next += 1
                    }
                    table.add(finding)
                    Self.report(finding)
                }
            }
            let seconds = (MonotonicDeadline.now() - began) / 1_000_000_000
            StandardError.write(table.text(matrix) + "\(seconds) s with \(Self.jobs) lives at once\n")
            #expect(table.points > 0)
            let missed = table.missed.filter(matrix.isCertain)
            #expect(missed.count * 100 <= max(table.points, 100), "\(missed)")
        }
    }

    /// One in so many of the points beyond the first of their kind; a run of the sample takes about a minute.
    private static let sampleOdds = 16

    private static func chosen(from matrix: FailCallMatrix) -> [FailCallMatrix.Trial] {
        let whole = matrix.trials
        if let point = variable("TASKQ_CRASH_POINT") { return whole.filter { "\($0)".hasPrefix(point) } }
        if variable("TASKQ_CRASH") == "whole" { return whole }
        let seed = variable("TASKQ_CRASH_SEED").flatMap { UInt64($0) } ?? .random(in: 0..<1_000_000)
        let sample = matrix.sample(oneIn: sampleOdds, seed: seed)
        StandardError.write("TASKQ_CRASH_SEED=\(seed): \(sample.count) of \(whole.count) points\n")
        return sample
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// The test of the test: on a disk that only says it has synced, a power cut loses what was promised.
    @Test(arguments: ["fdatasync", "fsync"]) func aDiskThatLiesIsFoundOut(_ lie: String) async throws {
        try await FailCallMatrix.with { matrix in
            let point = FaultPoint(
                series: CallSeries("main", "fdatasync", "segment"), number: 16, fault: .cut)
            let finding = try await matrix.run(FailCallMatrix.Trial(life: .first, point: point), lie: lie)
            #expect(finding.hasFired)
            // Lost tasks, or files that the journal refuses.
            #expect(!finding.violations.isEmpty)
        }
    }

    private static func find(
        _ matrix: FailCallMatrix, _ trial: FailCallMatrix.Trial, isRead: Bool
    ) async throws -> FailCallMatrix.Finding {
        for _ in 1..<tries {
            let finding = try await matrix.run(trial, isRead: isRead)
            if finding.hasFired || !finding.violations.isEmpty { return finding }
        }
        return try await matrix.run(trial, isRead: isRead)
    }

    private static func report(_ finding: FailCallMatrix.Finding) {
        guard !finding.violations.isEmpty else { return }
        let lines = finding.violations + ["TASKQ_CRASH_POINT='\(finding.trial)'"] + finding.output.suffix(12)
        Issue.record("\(lines.joined(separator: "\n"))")
    }

    /// The matrix is as complete as the shim's sight.
    @Test(.enabled(if: access("/usr/bin/strace", X_OK) == 0, "strace is not installed"))
    func theShimSeesEveryCallThatStraceLists() async throws {
        try await TemporaryDirectory.with { tools in
            let shim = try await FaultShim.compiled(in: tools)
            try await LifeFolder.with { folder in
                var ledger = Ledger()
                for life in [Life.first, .second] {
                    let output = tools.path("strace-\(life)")
                    let trace = folder.path("trace")
                    unlink(trace)
                    let command = StraceListing.command(
                        output: output, variables: shim.environment(of: folder, fault: nil, trace: trace))
                    let seen = try await FailCallMatrix.listed(life, shim, in: folder, ledger, under: command)
                    ledger = seen.ledger
                    var counts: [String: Int] = [:]
                    for (series, count) in seen.calls {
                        counts["\(series.call) \(series.file)", default: 0] += count
                    }
                    let listed = try StraceListing.counts(in: output, of: folder)
                    let unseen = listed.filter { $0.value > counts[$0.key, default: 0] }
                    #expect(unseen.isEmpty)
                    // The end of the process may overtake what its other thread was about to call.
                    #expect(counts.values.reduce(0, +) - listed.values.reduce(0, +) <= 1)
                    #expect(listed.values.reduce(0, +) > 100)
                }
            }
        }
    }
}
