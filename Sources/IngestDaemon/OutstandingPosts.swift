package import TaskModel
package import WireProtocol

/// The posts that wait for the broker's word, oldest first.
///
/// Correlations are given in order and answered nearly in order, so a ring indexed by them does without
/// hashing.
package struct OutstandingPosts<Owner> {
    package struct Entry {
        package let owner: Owner
        package let id: TaskID
        package let payloadBytes: Int
        package let deadline: MonotonicTime
    }

    private var ring: [Entry?]
    /// The correlation of the ring's oldest place; places of answered posts before it are free.
    private var oldest: Correlation
    /// The correlation that the next post gets.
    private var next: Correlation
    package private(set) var count = 0
    package private(set) var payloadBytes = 0

    package init(first: Correlation = 1) {
        ring = Array(repeating: nil, count: 1_024)
        oldest = first
        next = first
    }

    /// When the oldest post has waited long enough; nil if none waits.
    package var earliestDeadline: MonotonicTime? {
        count == 0 ? nil : ring[place(oldest)]?.deadline
    }

    package mutating func add(_ entry: Entry, correlation: Correlation) {
        if count == 0 { oldest = correlation }
        precondition(correlation >= next || count == 0, "correlations grow")
        next = correlation + 1
        while next - oldest > UInt64(ring.count) { grow() }
        ring[place(correlation)] = entry
        count += 1
        payloadBytes += entry.payloadBytes
    }

    /// Takes a post out; nil if it was answered or given up before.
    package mutating func remove(_ correlation: Correlation) -> Entry? {
        guard count > 0, correlation >= oldest, correlation < next else { return nil }
        guard let entry = ring[place(correlation)] else { return nil }
        ring[place(correlation)] = nil
        count -= 1
        payloadBytes -= entry.payloadBytes
        while count > 0, ring[place(oldest)] == nil { oldest += 1 }
        return entry
    }

    /// Takes the oldest post out, if its deadline has come or `now` is nil.
    package mutating func removeOldest(dueAt now: MonotonicTime?) -> Entry? {
        guard let deadline = earliestDeadline else { return nil }
        if let now, deadline > now { return nil }
        return remove(oldest)
    }

    private func place(_ correlation: Correlation) -> Int {
        Int(truncatingIfNeeded: correlation & UInt64(ring.count - 1))
    }

    /// Doubles the ring; its size stays a power of two.
    private mutating func grow() {
        var larger = [Entry?](repeating: nil, count: ring.count * 2)
        for correlation in oldest..<next {
            larger[Int(truncatingIfNeeded: correlation & UInt64(larger.count - 1))] = ring[place(correlation)]
        }
        ring = larger
    }
}
