import Glibc
import TestSupport

/// Every call of every life with everything that can become of it, and what happened then.
struct FailCallMatrix: Sendable {
    struct Trial: Hashable, Sendable, CustomStringConvertible {
        let life: Life
        let point: FaultPoint
        var description: String { "\(life.rawValue) \(point)" }
    }

    struct Finding: Sendable {
        let trial: Trial
        /// The call was made, so that its fault could happen.
        let hasFired: Bool
        let violations: [String]
        let output: [String]
    }

    /// What a life begins with, and the calls that it makes.
    struct Beginning: Sendable {
        let folder: LifeFolder
        let ledger: Ledger
        /// The most of each series that one run of a few made.
        let calls: [CallSeries: Int]
        /// Those that each of these runs made: the two threads do not meet at the same places each time.
        let certain: [CallSeries: Int]

        init(_ folder: LifeFolder, _ ledger: Ledger, _ runs: [[CallSeries: Int]]) {
            self.folder = folder
            self.ledger = ledger
            calls = runs.reduce([:]) { $0.merging($1) { max($0, $1) } }
            certain = calls.reduce(into: [:]) { least, call in
                least[call.key] = runs.map { $0[call.key] ?? 0 }.min()
            }
        }
    }

    let shim: FaultShim
    let beginnings: [Life: Beginning]

    /// For the time of the closure.
    static func with<Value>(_ body: (FailCallMatrix) async throws -> Value) async throws -> Value {
        try await TemporaryDirectory.with { tools in
            let shim = try await FaultShim.compiled(in: tools)
            return try await LifeFolder.with { empty in
                try await LifeFolder.with { stopped in
                    try await LifeFolder.with { torn in
                        let matrix = try await prepare(shim, empty: empty, stopped: stopped, torn: torn)
                        return try await body(matrix)
                    }
                }
            }
        }
    }

    /// Plays the lives without a fault, to learn their calls and to have where they begin.
    private static func prepare(
        _ shim: FaultShim, empty: LifeFolder, stopped: LifeFolder, torn: LifeFolder
    ) async throws -> FailCallMatrix {
        let first = try await list(Life.first, shim, from: empty, Ledger())
        let whole = try await listed(Life.first, shim, in: stopped, Ledger())
        let second = try await list(Life.second, shim, from: stopped, whole.ledger)

        let write = CallSeries("main", "pwrite64", "segment")
        let middle = FaultPoint(series: write, number: (whole.calls[write] ?? 2) / 2, fault: .torn)
        let tear = try await BrokerRun.run(
            torn, environment: shim.environment(of: torn, fault: middle), ledger: Ledger(), Life.first.play)
        // Whatever of these a crash could leave is removed without being looked at.
        try torn.leave([UInt8](repeating: 7, count: 4_096), as: "00000000000000ff.segment.new")
        try torn.leave([1, 2, 3], as: "checkpoint-0000000000000fff-00000000.new")
        let third = try await list(Life.torn, shim, from: torn, tear.ledger)
        return FailCallMatrix(
            shim: shim,
            beginnings: [
                .first: Beginning(empty, Ledger(), first),
                .second: Beginning(stopped, whole.ledger, second),
                .torn: Beginning(torn, tear.ledger, third),
            ])
    }

    /// The calls of a few runs without a fault.
    private static func list(
        _ life: Life, _ shim: FaultShim, from beginning: LifeFolder, _ ledger: Ledger
    ) async throws -> [[CallSeries: Int]] {
        var runs: [[CallSeries: Int]] = []
        for _ in 0..<3 {
            let calls = try await LifeFolder.with { folder in
                try folder.takeOver(beginning)
                return try await listed(life, shim, in: folder, ledger).calls
            }
            runs.append(calls)
        }
        return runs
    }

    /// One life without a fault.
    static func listed(
        _ life: Life, _ shim: FaultShim, in folder: LifeFolder, _ ledger: Ledger, under strace: [String] = []
    ) async throws -> (ledger: Ledger, calls: [CallSeries: Int]) {
        var ledger = ledger
        ledger.beginLife(isNewSession: false)
        let trace = folder.path("trace")
        let run = try await BrokerRun.run(
            folder, environment: shim.environment(of: folder, fault: nil, trace: trace), ledger: ledger,
            under: strace, life.play)
        guard run.status == .exited(0), run.ledger.violations.isEmpty else {
            throw TestSupportError.processEnded(
                run.status, waitingFor: "a life without a fault", output: run.ledger.violations + run.output)
        }
        var calls: [CallSeries: Int] = [:]
        for line in try TextFile.lines(of: trace) {
            if let series = CallSeries(traceLine: line) { calls[series, default: 0] += 1 }
        }
        return (run.ledger, calls)
    }

    /// Every call that was listed, with every fault that can befall it.
    var trials: [Trial] {
        beginnings.flatMap { life, beginning in
            beginning.calls.flatMap { series, count in
                series.faults.flatMap { fault in
                    (1...count).map {
                        Trial(life: life, point: FaultPoint(series: series, number: $0, fault: fault))
                    }
                }
            }
        }.sorted { "\($0)" < "\($1)" }
    }

    /// Some of them, the same for the same seed on every machine: every fault of every series at least once,
    /// and about one in `odds` of the others.
    func sample(oneIn odds: Int, seed: UInt64) -> [Trial] {
        struct Kind: Hashable {
            let series: CallSeries
            let fault: Fault
        }
        var random = SeededGenerator(seed: seed)
        var known: Set<Kind> = []
        // In the order of the draw the first of a kind is any of it.
        let drawn = trials.shuffled(using: &random).filter { trial in
            let isNew = known.insert(Kind(series: trial.point.series, fault: trial.point.fault)).inserted
            return random.oneIn(odds) || isNew
        }
        return drawn.sorted { "\($0)" < "\($1)" }
    }

    /// Whether every run makes this call.
    func isCertain(_ trial: Trial) -> Bool {
        trial.point.number <= beginnings[trial.life]?.certain[trial.point.series] ?? 0
    }

    /// One life with its fault, and one after it without; at the end the independent reader may look at the
    /// files.
    ///
    /// - Parameter lie: as the shim knows it.
    func run(_ trial: Trial, isRead: Bool = false, lie: String? = nil) async throws -> Finding {
        guard let beginning = beginnings[trial.life] else {
            preconditionFailure("a life without a beginning")
        }
        return try await LifeFolder.with { folder in
            try folder.takeOver(beginning.folder)
            var ledger = beginning.ledger
            ledger.beginLife(isNewSession: false)
            let run = try await BrokerRun.run(
                folder, environment: shim.environment(of: folder, fault: trial.point, lie: lie),
                ledger: ledger, trial.life.play)
            ledger = run.ledger
            for mistake in Self.mistakes(of: run, trial.point) { ledger.note(mistake) }
            // The workers come back with what they hold, or have died as well.
            ledger.beginLife(isNewSession: trial.point.number.isMultiple(of: 2))
            let after = try await BrokerRun.run(folder, environment: [:], ledger: ledger, Aftermath.play)
            ledger = after.ledger
            if after.status != .exited(0) {
                ledger.note("started again, the broker ended with \(after.status)")
            }
            if isRead {
                for violation in try await JournalReader.violations(inState: folder.state) {
                    ledger.note("the reader: \(violation)")
                }
            }
            return Finding(
                trial: trial, hasFired: run.firedAt != nil, violations: ledger.violations,
                output: run.output + ["started again:"] + after.output)
        }
    }

    /// EX_IOERR; see docs/OPERATIONS.md.
    private static let diskFailed = ExitStatus.exited(74)
    /// What is made in `run/` is no matter of the journal's.
    private static let failed = ExitStatus.exited(1)
    /// A fault that ends the broker does so within this time, nanoseconds.
    private static let endingNanoseconds: UInt64 = 1_000_000_000

    /// What the broker did with a fault that it must not do.
    private static func mistakes(of run: BrokerRun, _ point: FaultPoint) -> [String] {
        guard let firedAt = run.firedAt else { return [] }
        if point.fault.endsTheProcess {
            // What the other thread calls last, the end of the process may overtake.
            let isOvertaken = run.wentThrough && run.status == .exited(0) && point.series.thread != "main"
            return run.status == .signalled(SIGKILL) || isOvertaken ? [] : ["ended with \(run.status)"]
        }
        let wentOn = run.wentThrough && run.status == .exited(0)
        if wentOn {
            return point.mustEnd ? ["went on after a failed sync"] : []
        }
        if point.fault.isHarmless || (point.fault == .interrupted && point.isRetried) {
            return ["ended with \(run.status) for nothing"]
        }
        let expected = point.series.file == "run" ? failed : diskFailed
        var mistakes = run.status == expected ? [] : ["ended with \(run.status)"]
        if run.endedAt - firedAt > endingNanoseconds {
            mistakes.append("took \((run.endedAt - firedAt) / 1_000_000) ms to end")
        }
        return mistakes
    }
}

extension FaultPoint {
    /// Guarantee H.
    ///
    /// What the other thread had not handed over at the end is nobody's. A disk that turns out to be full
    /// while a segment is made (its file, then the directory) is a reason to refuse posts, no more.
    fileprivate var mustEnd: Bool {
        let isFullDisk = fault == .noSpace && (series.file == "segment.new" || series.file == "journal")
        return series.isSync && series.thread == "main" && !isFullDisk
    }

    /// Everything but a sync is called again after EINTR; a directory is only listed while the broker starts.
    fileprivate var isRetried: Bool { !series.isSync && !(series.file == "journal" || series.file == "run") }
}
