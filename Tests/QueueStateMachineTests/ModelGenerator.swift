import TestSupport

/// Draws commands that mostly make sense in the state that the reference queue is in, and sometimes do not.
struct ModelGenerator {
    private var random: SeededGenerator
    private var posted = 0
    private var sessions: [String: Int] = [:]
    /// Every run has habits of its own, so that rare things happen often in some: which answers its workers
    /// give, and how many commands lie between restarts or checkpoints.
    private var habits: [Int]
    private var restartOdds: Int
    /// So many tasks alive are enough for anything to happen.
    private static let aliveMax = 16
    private static let workers = [("A", "tasks"), ("B", "tasks"), ("C", "other")]

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        habits = (0..<5).map { _ in Int.random(in: 0..<8, using: &random) }
        restartOdds = [10, 30, 60].randomElement(using: &random) ?? 30
        self.random = random
    }

    mutating func next(for model: ReferenceQueue) -> ModelCommand {
        if random.oneIn(restartOdds) {
            return random.oneIn(2) ? .checkpoint : .restart(sameBoot: !random.oneIn(4))
        }
        if model.workers.isEmpty, random.oneIn(3) { return connect(model) }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<18 where model.tasks.count < Self.aliveMax: return post(model)
        case 0..<30: return .deliver(Int.random(in: 1...3, using: &random))
        case 30..<56: return settle(model)
        case 56..<64: return .advance(pick([250, 1_000, 2_000, 4_000, 10_000, 30_000, 60_000, 90_000], 250))
        case 64..<67: return renew(model)
        case 67..<72: return connect(model)
        case 72..<75: return .credit(worker.0, Int.random(in: 0...3, using: &random))
        case 75..<77: return .disconnect(worker.0)
        case 77..<78: return .workerDied(worker.0)
        case 78..<81: return .upkeep
        case 81..<84: return .cancel(task(model) { $0.state == .pending || $0.state == .parked })
        case 84..<87: return .redrive(task(model, where: \.isDead), body: random.oneIn(3) ? 7 : nil)
        case 87..<88: return .purge(task(model, where: \.isDead))
        case 88..<90: return .retryParked(task(model) { $0.state == .parked })
        case 90..<91: return .giveUpParked(task(model) { $0.state == .parked })
        case 91..<92: return .pause(queue, random.oneIn(3) ? .ingest : .deliveries)
        case 92..<94: return .resume(queue)
        case 94..<98: return .move(task(model) { _ in true })
        case 98..<99 where random.oneIn(2): return .deleteQueue(queue, purges: !random.oneIn(4))
        case _: return .declare(queue, rules())
        }
    }

    private mutating func pick<Element>(_ choices: [Element], _ otherwise: Element) -> Element {
        choices.randomElement(using: &random) ?? otherwise
    }

    private var worker: (String, String) { mutating get { pick(Self.workers, ("A", "tasks")) } }
    private var queue: String { mutating get { random.oneIn(4) ? "other" : "tasks" } }

    /// Mostly a task of the wanted kind, else any.
    private mutating func task(_ model: ReferenceQueue, where wanted: (ModelTask) -> Bool) -> Int {
        let fitting = random.oneIn(10) ? [] : model.tasks.filter(wanted).map(\.number)
        return pick(fitting.isEmpty ? Array(0...posted) : fitting, 1)
    }

    private mutating func post(_ model: ReferenceQueue) -> ModelCommand {
        if !random.oneIn(20) { posted += 1 }
        let group = random.oneIn(12) ? "tasks" : pick(["", "", "a", "b", "c"], "")
        let key: String? = random.oneIn(3) ? pick(["k1", "k2", "k3", "k4"], "k1") : nil
        let queue = random.oneIn(50) ? "nowhere" : queue
        return .post(posted, queue, group: group, key: key, body: random.oneIn(4) ? 1 : 0)
    }

    private mutating func settle(_ model: ReferenceQueue) -> ModelCommand {
        let answer: ModelAnswer
        switch random.oneIn(5) ? Int.random(in: 0..<8, using: &random) : pick(habits, 0) {
        case 0..<3: answer = .ack
        case 3..<5: answer = .nack(after: random.oneIn(3) ? pick([0, 5_000, 4_000_000], 0) : nil)
        case 5: answer = .reject
        case _: answer = .release
        }
        return .settle(task(model) { $0.state == .leased }, answer, earlier: random.oneIn(8))
    }

    private mutating func renew(_ model: ReferenceQueue) -> ModelCommand {
        let number = task(model) { $0.state == .leased }
        let holder = model.index(number).map { model.tasks[$0].worker } ?? "A"
        return .renew(random.oneIn(6) ? worker.0 : holder, number, earlier: random.oneIn(6))
    }

    private mutating func connect(_ model: ReferenceQueue) -> ModelCommand {
        let (name, queue) = worker
        let known = sessions[name, default: 1]
        let session = random.oneIn(3) ? known + 1 : known
        sessions[name] = session
        var holding = model.tasks.filter { $0.state == .leased && $0.worker == name }.map(\.number)
        if random.oneIn(3) { holding = holding.filter { _ in random.oneIn(2) } }
        if random.oneIn(4) { holding.append(task(model) { _ in true }) }
        return .connect(
            name, queue, session: session, credit: Int.random(in: 0...3, using: &random), holding: holding)
    }

    private mutating func rules() -> ModelRules {
        var rules = ModelRules()
        rules.attempts = pick([1, 2, 3, 5], 5)
        rules.exhausted = pick([.deadLetter, .deadLetter, .park, .halt], .deadLetter)
        rules.lease = pick([5_000, 30_000], 30_000)
        rules.retry = pick([0, 1_000, 3_000], 1_000)
        rules.retention = pick([120_000, 600_000, 86_400_000], 86_400_000)
        rules.window = pick([10_000, 60_000, 300_000], 300_000)
        rules.history = pick([30_000, 3_600_000], 3_600_000)
        rules.depth = pick([4, 1_000, 1_000], 1_000)
        rules.ownGroups = random.oneIn(4)
        return rules
    }
}
