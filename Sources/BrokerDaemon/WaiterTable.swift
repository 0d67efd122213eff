import TaskModel
import WireProtocol

/// Lookups that wait for a task's final state, or for their time to be up.
struct WaiterTable {
    struct Waiter: Hashable {
        let connection: ConnectionID
        let correlation: Correlation
        let id: TaskID
        let deadline: MonotonicTime
    }

    private var byTask: [TaskID: [Waiter]] = [:]
    /// A binary heap by deadline; a waiter answered early stays in it until its time.
    private var deadlines: [Waiter] = []
    private(set) var count = 0

    var isFull: Bool { count >= Limits.waitersMax }
    var earliest: MonotonicTime? { count == 0 ? nil : deadlines.first?.deadline }

    mutating func add(_ waiter: Waiter) {
        byTask[waiter.id, default: []].append(waiter)
        count += 1
        deadlines.append(waiter)
        var child = deadlines.count - 1
        while child > 0, deadlines[child].deadline < deadlines[(child - 1) / 2].deadline {
            deadlines.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    func hasWaiters(for id: TaskID) -> Bool { count > 0 && byTask[id] != nil }

    /// Those who wait for a task, who now get their answer.
    mutating func take(_ id: TaskID) -> [Waiter] {
        guard let waiters = byTask.removeValue(forKey: id) else { return [] }
        count -= waiters.count
        return waiters
    }

    /// Those whose time is up.
    mutating func takeDue(_ now: MonotonicTime) -> [Waiter] {
        var due: [Waiter] = []
        while let first = deadlines.first, first.deadline <= now {
            popFirst()
            guard var waiters = byTask[first.id], let place = waiters.firstIndex(of: first) else { continue }
            waiters.remove(at: place)
            byTask[first.id] = waiters.isEmpty ? nil : waiters
            count -= 1
            due.append(first)
        }
        return due
    }

    private mutating func popFirst() {
        let last = deadlines.removeLast()
        guard !deadlines.isEmpty else { return }
        deadlines[0] = last
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < deadlines.count else { return }
            let right = left + 1
            let isRight = right < deadlines.count && deadlines[right].deadline < deadlines[left].deadline
            let child = isRight ? right : left
            guard deadlines[child].deadline < deadlines[parent].deadline else { return }
            deadlines.swapAt(child, parent)
            parent = child
        }
    }
}
