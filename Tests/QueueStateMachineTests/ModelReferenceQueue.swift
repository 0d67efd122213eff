/// What a reference queue's tasks are handled by; times in milliseconds.
struct ModelRules: Hashable {
    enum Exhausted: Hashable {
        case deadLetter
        case park
        case halt
    }

    var attempts = 5
    var exhausted = Exhausted.deadLetter
    var lease = 30_000
    var retry = 1_000
    var retryMax = 4_000
    var retention = 86_400_000
    var window = 300_000
    var history = 3_600_000
    var depth = 1_000
    var ownGroups = false
}

extension ModelRules: CustomStringConvertible {
    /// Only what differs from the plain rules, as Swift reads it.
    var description: String {
        let plain = Mirror(reflecting: ModelRules()).children.map { "\($0.value)" }
        let fields = zip(Mirror(reflecting: self).children, plain).filter { "\($0.0.value)" != $0.1 }
        return "ModelRules(" + fields.map(field).joined(separator: ", ") + ")"
    }

    private func field(_ field: (child: Mirror.Child, plain: String)) -> String {
        let dot = field.child.value is Exhausted ? "." : ""
        return "\(field.child.label ?? ""): \(dot)\(field.child.value)"
    }
}

struct ModelTask: Equatable {
    enum State: Equatable {
        case pending
        case leased
        case parked
        case dead(String)
        case completed
        case cancelled
    }

    let number: Int
    let queue: String
    /// Empty: the queue's default group.
    let group: String
    /// Queue and group.
    let line: String
    var body: Int
    var state = State.pending
    /// Its rank in the order of acceptance; anew at a redrive.
    var place = 0
    /// When it got its place.
    var since = 0
    /// When it is counted to have got its place at the latest: ages past the longest retention are not told
    /// apart, also not when a longer one is set later on.
    var sinceAtLatest = 0
    var receives = 0
    var releasesInARow = 0
    var attempts: [String] = []
    /// The back-off owed for the last failure: a restart begins it anew, unless a checkpoint saw its end.
    var retry = 0
    var retryAt: Int?
    var receipt = 0
    var worker = ""
    var session = 0
    /// The connection over which the lease is held now.
    var holder: Int?
    var deadline = 0

    init(number: Int, queue: String, group: String, body: Int, place: Int, since: Int) {
        self.number = number
        self.queue = queue
        self.group = group
        self.line = "\(queue)/\(group)"
        self.body = body
        self.place = place
        self.since = since
        self.sinceAtLatest = since
    }

    var isDead: Bool { if case .dead = state { true } else { false } }
}

struct ModelWorker: Equatable {
    let connection: Int
    let name: String
    let session: Int
    let queue: String
    var credit = 0
}

/// What is promised about deliveries, as plainly as it can be said: arrays, linear searches, one clock.
///
/// Shares no code with the state machine, so that a mistake has to be made twice to go unseen. It chooses no
/// delivery, it says which ones are allowed. Every operation returns what it did, in words.
struct ReferenceQueue {
    static let keysMax = 6
    static let finishedMax = 12
    /// A waiting task's age is known to the minute.
    static let agePrecision = 60_000
    static let reattach = 10_000

    /// Also of queues that were deleted: what was finished there stays known by them.
    var rules: [String: ModelRules] = [:]
    var exists: Set<String> = []
    /// Waiting, leased, parked and dead tasks; of one group the earlier is delivered first.
    var tasks: [ModelTask] = []
    /// Completed and cancelled tasks that are still known, oldest first, with the time of their end.
    var finished: [(task: ModelTask, at: Int)] = []
    var keys: [(queue: String, key: String, content: String, task: Int, place: Int, until: Int)] = []
    var workers: [ModelWorker] = []
    var pauses: [String: Set<String>] = [:]
    /// Guarantee K's counters, by "accepted tasks" and the like.
    var counts: [String: Int] = [:]
    var now = 0
    var lastPlace = 0
    var newestForgotten = 0
    /// The step in which a ready group became ready; of a queue's groups the earliest is served first.
    var readySince: [String: Int] = [:]
    var step = 0
}

// What is so.
extension ReferenceQueue {
    func index(_ number: Int) -> Int? { tasks.firstIndex { $0.number == number } }

    /// Of every group the first task that is not dead.
    var heads: [ModelTask] {
        var seen: Set<String> = []
        return tasks.filter { !$0.isDead && seen.insert($0.line).inserted }
    }

    var readyHeads: [ModelTask] { heads.filter { $0.state == .pending && $0.retryAt == nil } }

    func hasCredit(_ worker: ModelWorker) -> Bool {
        tasks.count { $0.holder == worker.connection } < worker.credit
    }

    /// The tasks of which one must be delivered next, if any is.
    var deliverable: [ModelTask] {
        readyHeads.filter { head in
            pauses[head.queue, default: []].isDisjoint(with: ["deliveries", "halted"])
                && workers.contains { $0.queue == head.queue && hasCredit($0) }
        }
    }

    func objection(toDelivering number: Int, over connection: Int) -> String? {
        guard let head = deliverable.first(where: { $0.number == number }) else { return "not deliverable" }
        guard
            workers.contains(where: { $0.connection == connection && $0.queue == head.queue && hasCredit($0) }
            )
        else { return "the worker has no credit" }
        let first = readyHeads.filter { $0.queue == head.queue }.compactMap { readySince[$0.line] }.min()
        return readySince[head.line] == first ? nil : "another group became ready earlier"
    }

    /// When something happens by itself next.
    var nextDue: Int? {
        tasks.compactMap { $0.state == .leased ? $0.deadline : $0.state == .pending ? $0.retryAt : nil }.min()
    }

    func view(_ number: Int) -> String {
        if let task = index(number).map({ tasks[$0] }) {
            return "\(task.state) place \(task.place) in \(task.line) receives \(task.receives)"
        }
        if let end = finished.first(where: { $0.task.number == number }) { return "\(end.task.state)" }
        return number <= newestForgotten ? "forgotten" : "unknown"
    }

    func sums(of queue: String) -> String {
        guard exists.contains(queue) else { return "no queue" }
        let here = tasks.filter { $0.queue == queue }
        func sum(_ what: String) -> Int { counts["\(what) \(queue)"] ?? 0 }
        let blocked = heads.count { $0.queue == queue && ($0.state == .parked || $0.retryAt != nil) }
        return "accepted \(sum("accepted")) pending \(here.count { $0.state == .pending }) "
            + "leased \(here.count { $0.state == .leased }) parked \(here.count { $0.state == .parked }) "
            + "dead \(here.count { $0.isDead }) completed \(sum("completed")) cancelled \(sum("cancelled")) "
            + "purged \(sum("purged")) groups \(Set(here.map(\.group)).count) blocked \(blocked) "
            + "workers \(workers.count { $0.queue == queue }) pauses \(pauses[queue, default: []].sorted())"
    }

    private mutating func count(_ what: String, _ queue: String) {
        counts["\(what) \(queue)", default: 0] += 1
    }

    /// Notes which groups became ready, and which are so no longer; after every operation.
    mutating func noteReadiness() {
        let lines = readyHeads.map(\.line)
        readySince = readySince.filter { lines.contains($0.key) }
        for line in lines where readySince[line] == nil { readySince[line] = step }
    }
}

// What clients and operators do.
extension ReferenceQueue {
    mutating func post(_ number: Int, _ queue: String, group: String, key: String?, body: Int) -> String {
        guard let rules = rules[queue], exists.contains(queue) else { return "unknownQueue" }
        let content = "\(body) \(group)"
        if let key {
            if let known = keys.first(where: { $0.queue == queue && $0.key == key && $0.until > now }) {
                return known.content == content ? "replay of \(known.task) at \(known.place)" : "keyConflict"
            }
            if keys.count >= Self.keysMax { return "keysFull" }
        }
        if pauses[queue, default: []].contains("ingest") { return "ingestPaused" }
        if tasks.count(where: { $0.queue == queue && !$0.isDead }) >= rules.depth { return "queueFull" }
        if index(number) != nil || finished.contains(where: { $0.task.number == number }) { return "idInUse" }
        lastPlace += 1
        let line = group == queue ? "" : group.isEmpty && rules.ownGroups ? "own\(number)" : group
        tasks.append(
            ModelTask(number: number, queue: queue, group: line, body: body, place: lastPlace, since: now))
        count("accepted", queue)
        if let key {
            keys.removeAll { $0.queue == queue && $0.key == key }
            keys.append((queue, key, content, number, lastPlace, now + rules.window))
        }
        return "accepted at \(lastPlace)"
    }

    mutating func cancel(_ number: Int) -> String {
        if let end = finished.first(where: { $0.task.number == number }) {
            return end.task.state == .cancelled ? "alreadyCancelled" : "notCancellable"
        }
        guard let index = index(number) else { return view(number) }
        guard tasks[index].state == .pending || tasks[index].state == .parked else { return "notCancellable" }
        return finish(index, .cancelled)
    }

    mutating func redrive(_ number: Int, body: Int?) -> String {
        guard let index = index(number), tasks[index].isDead else { return "refused" }
        var task = tasks.remove(at: index)
        lastPlace += 1
        task.state = .pending
        task.place = lastPlace
        task.since = now
        task.sinceAtLatest = now
        task.receives = 0
        task.releasesInARow = 0
        task.body = body ?? task.body
        tasks.append(task)
        return "redriven \(number) to \(lastPlace)"
    }

    mutating func purge(_ number: Int) -> String {
        guard let index = index(number), tasks[index].isDead else { return "refused" }
        count("purged", tasks[index].queue)
        tasks.remove(at: index)
        return "purged \(number)"
    }

    mutating func retryParked(_ number: Int) -> String {
        guard let index = index(number), tasks[index].state == .parked else { return "refused" }
        tasks[index].state = .pending
        tasks[index].receives = 0
        tasks[index].releasesInARow = 0
        return "unparked \(number)"
    }

    mutating func giveUpParked(_ number: Int) -> String {
        guard let index = index(number), tasks[index].state == .parked else { return "refused" }
        return die(index, "operatorAct")
    }
}

// How deliveries begin and end.
extension ReferenceQueue {
    mutating func deliver(_ number: Int, over connection: Int, receipt: Int) {
        guard let index = index(number), let worker = workers.first(where: { $0.connection == connection })
        else { return }
        tasks[index].state = .leased
        tasks[index].receives += 1
        tasks[index].retry = 0
        tasks[index].receipt = receipt
        tasks[index].worker = worker.name
        tasks[index].session = worker.session
        hold(index, over: connection)
    }

    private mutating func hold(_ index: Int, over connection: Int) {
        tasks[index].holder = connection
        tasks[index].deadline = now + (rules[tasks[index].queue]?.lease ?? 0)
    }

    mutating func settle(_ answer: ModelAnswer, _ number: Int, receipt: Int) -> String {
        guard let index = index(number), tasks[index].state == .leased, tasks[index].receipt == receipt else {
            let end = finished.first { $0.task.number == number && $0.task.state == .completed }
            return end?.task.receipt == receipt ? "taken before" : "stale"
        }
        switch answer {
        case .ack: return finish(index, .completed)
        case .nack(let after): return fail(index, "exit 1", retry: after)
        case .reject:
            noteAttempt(index, "rejected")
            return die(index, "rejected")
        case .release: return release(index)
        }
    }

    private mutating func release(_ index: Int) -> String {
        guard tasks[index].releasesInARow < 3 else { return fail(index, "worker-lost", retry: 0) }
        tasks[index].releasesInARow += 1
        tasks[index].receives -= 1
        tasks[index].state = .pending
        tasks[index].holder = nil
        return "released \(tasks[index].number)"
    }

    private mutating func fail(_ index: Int, _ outcome: String, retry: Int?) -> String {
        guard let rules = rules[tasks[index].queue] else { return "no queue" }
        noteAttempt(index, outcome)
        tasks[index].releasesInARow = 0
        tasks[index].holder = nil
        guard tasks[index].receives >= rules.attempts else {
            let doubled = (1..<tasks[index].receives).reduce(rules.retry) { delay, _ in
                min(delay * 2, rules.retryMax)
            }
            tasks[index].retry = min(retry ?? min(doubled, rules.retryMax), 3_600_000)
            tasks[index].retryAt = tasks[index].retry > 0 ? now + tasks[index].retry : nil
            tasks[index].state = .pending
            return "failed \(tasks[index].number) retry in \(tasks[index].retry)"
        }
        if rules.exhausted == .deadLetter { return die(index, "exhausted") }
        tasks[index].state = .parked
        if rules.exhausted == .halt { pauses[tasks[index].queue, default: []].insert("halted") }
        return "parked \(tasks[index].number) halting \(rules.exhausted == .halt)"
    }

    private mutating func noteAttempt(_ index: Int, _ outcome: String) {
        let attempt = "\(tasks[index].receives) \(outcome) by \(tasks[index].worker)"
        tasks[index].attempts = (tasks[index].attempts + [attempt]).suffix(16)
    }

    private mutating func die(_ index: Int, _ reason: String) -> String {
        tasks[index].state = .dead(reason)
        tasks[index].holder = nil
        tasks[index].retry = 0
        tasks[index].retryAt = nil
        return "dead \(tasks[index].number) \(reason) after \(tasks[index].receives)"
    }

    private mutating func finish(_ index: Int, _ state: ModelTask.State) -> String {
        var task = tasks.remove(at: index)
        task.state = state
        finished.append((task, now))
        count("\(state)", task.queue)
        return "\(state) \(task.number)"
    }
}

// Workers, time and restarts.
extension ReferenceQueue {
    /// - Returns: what became of the receipts it did not list, and which of those it listed are stale.
    mutating func connect(_ worker: ModelWorker, holding receipts: [Int]) -> [String] {
        guard exists.contains(worker.queue) else { return ["refused"] }
        let rivals = workers.filter { $0.queue == worker.queue && $0.name == worker.name }
        guard rivals.allSatisfy({ $0.session == worker.session }) else { return ["refused"] }
        for rival in rivals { forget(rival.connection) }
        workers.append(worker)
        let listed = tasks.filter {
            $0.state == .leased && receipts.contains($0.receipt) && $0.session == worker.session
        }.map(\.receipt)
        for index in tasks.indices where listed.contains(tasks[index].receipt) {
            hold(index, over: worker.connection)
        }
        let ended = endLeases {
            $0.queue == worker.queue && $0.worker == worker.name && !listed.contains($0.receipt)
        } how: {
            $0.session == worker.session ? nil : "worker-lost"
        }
        return receipts.filter { !listed.contains($0) }.map { "stale receipt \($0)" } + ended
    }

    /// Ends leases by failure, or by release where there is no outcome to blame on the task.
    private mutating func endLeases(
        where over: (ModelTask) -> Bool, how: (ModelTask) -> String?
    ) -> [String] {
        tasks.filter { $0.state == .leased && over($0) }.compactMap { task in
            guard let index = index(task.number) else { return nil }
            return how(task).map { fail(index, $0, retry: 0) } ?? release(index)
        }
    }

    private mutating func forget(_ connection: Int) {
        workers.removeAll { $0.connection == connection }
        for index in tasks.indices where tasks[index].holder == connection { tasks[index].holder = nil }
    }

    mutating func disconnect(_ connection: Int) {
        for index in tasks.indices where tasks[index].holder == connection {
            tasks[index].deadline = now + Self.reattach
        }
        forget(connection)
    }

    mutating func die(_ connection: Int) -> [String] {
        defer { forget(connection) }
        return endLeases {
            $0.holder == connection
        } how: { _ in
            "worker-lost"
        }
    }

    mutating func renew(_ receipt: Int, over connection: Int) -> String {
        let held = tasks.firstIndex {
            $0.state == .leased && $0.receipt == receipt && $0.holder == connection
        }
        guard let held else { return "stale" }
        hold(held, over: connection)
        return "renewed"
    }

    mutating func advance(by milliseconds: Int) -> [String] {
        now += milliseconds
        for index in tasks.indices where tasks[index].retryAt ?? .max <= now { tasks[index].retryAt = nil }
        let now = now
        return endLeases {
            $0.deadline <= now
        } how: {
            $0.holder == nil ? "worker-lost" : "lease-expired"
        }
    }

    /// A pending task past its retention dies; not before, and not much later.
    mutating func expire(_ number: Int) -> String {
        guard let index = index(number), tasks[index].state == .pending,
            let rules = rules[tasks[index].queue],
            now - tasks[index].since >= rules.retention
        else { return "not to be expired: \(number)" }
        return die(index, "expired")
    }

    var overdue: [Int] {
        tasks.filter {
            $0.state == .pending
                && now - $0.sinceAtLatest >= (rules[$0.queue]?.retention ?? 0) + Self.agePrecision
        }.map(\.number)
    }

    mutating func blurAges() {
        let longest = (rules.values.map(\.retention).max() ?? 0) + Self.agePrecision
        for index in tasks.indices {
            tasks[index].sinceAtLatest = max(tasks[index].sinceAtLatest, now - longest)
        }
    }

    /// The oldest finished task, if it need not be known any more.
    var forgettable: ModelTask? {
        guard let first = finished.first, let history = rules[first.task.queue]?.history else { return nil }
        return now - first.at >= history || finished.count > Self.finishedMax ? first.task : nil
    }

    mutating func forgetOldest() -> String {
        guard let task = forgettable else { return "nothing to forget" }
        finished.removeFirst()
        newestForgotten = max(newestForgotten, task.number)
        return "forgot \(task.number)"
    }

    /// Expired keys are forgotten in the order in which they came, queue by queue.
    mutating func forgetKeys() {
        for queue in rules.keys {
            while let first = keys.firstIndex(where: { $0.queue == queue }), keys[first].until <= now {
                keys.remove(at: first)
            }
        }
    }

    mutating func checkpoint() {
        for index in tasks.indices where tasks[index].retryAt == nil { tasks[index].retry = 0 }
    }

    mutating func restart(sameBoot: Bool) -> [String] {
        workers = []
        readySince = [:]
        for index in tasks.indices {
            tasks[index].holder = nil
            tasks[index].deadline = now + Self.reattach
            if tasks[index].retry > 0 { tasks[index].retryAt = now + tasks[index].retry }
        }
        return sameBoot
            ? []
            : endLeases { _ in
                true
            } how: { _ in
                "worker-lost"
            }
    }
}
