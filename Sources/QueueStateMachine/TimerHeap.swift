import TaskModel

/// Deadlines of tasks, earliest first.
///
/// Entries are never taken out early: whoever pops one looks whether it still holds.
struct TimerHeap: Sendable {
    struct Entry: Sendable {
        let deadline: MonotonicTime
        let task: Slot<TaskEntry>
        /// Guards against a slot that was given to another task since.
        let id: TaskID
    }

    private var entries: ContiguousArray<Entry> = []

    var count: Int { entries.count }
    var earliest: MonotonicTime? { entries.first?.deadline }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].deadline < entries[parent].deadline else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// The earliest entry, if it is due.
    mutating func popDue(_ now: MonotonicTime) -> Entry? {
        guard let first = entries.first, first.deadline <= now else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            sink()
        }
        return first
    }

    private mutating func sink() {
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < entries.count else { return }
            let right = left + 1
            let child =
                right < entries.count && entries[right].deadline < entries[left].deadline ? right : left
            guard entries[child].deadline < entries[parent].deadline else { return }
            entries.swapAt(child, parent)
            parent = child
        }
    }
}
