/// How a queue goes and comes back.
extension ReferenceQueue {
    /// One request for a queue's deletion: all that can be done at once.
    ///
    /// What somebody works on stays, and with it what waits behind it.
    ///
    /// - Parameter order: in which order the machine chose to let them go; the oldest is forgotten first.
    mutating func delete(_ queue: String, purges: Bool, order: [Int]) -> [String] {
        guard exists.contains(queue), !workers.contains(where: { $0.queue == queue }) else {
            return ["refused"]
        }
        let here = tasks.filter { $0.queue == queue }
        guard !here.isEmpty else { return end(queue) }
        guard purges else { return ["refused"] }
        pauses[queue, default: []].formUnion(["deliveries", "ingest"])
        let held = Set(here.filter { $0.state == .leased }.map(\.line))
        let going = here.filter { $0.isDead || !held.contains($0.line) }.sorted {
            order.firstIndex(of: $0.number) ?? 0 < order.firstIndex(of: $1.number) ?? 0
        }
        let gone = going.map { task in
            task.isDead ? purge(task.number) : cancel(task.number)
        }
        return gone + (tasks.contains { $0.queue == queue } ? ["waits for leases"] : end(queue))
    }

    private mutating func end(_ queue: String) -> [String] {
        exists.remove(queue)
        pauses[queue] = []
        return ["deleted \(queue)"]
    }

    mutating func declare(_ queue: String, _ rules: ModelRules) {
        self.rules[queue] = rules
        exists.insert(queue)
    }

    mutating func pause(_ queue: String, _ what: String) {
        if exists.contains(queue) { pauses[queue, default: []].insert(what) }
    }

    /// Gives a parked head a fresh count for each group, and ends every pause.
    mutating func resume(_ queue: String) -> [String] {
        guard exists.contains(queue) else { return [] }
        let isHalted = pauses[queue, default: []].contains("halted")
        pauses[queue] = []
        guard isHalted else { return [] }
        return tasks.filter { $0.queue == queue && $0.state == .parked }.map { retryParked($0.number) }
    }
}
