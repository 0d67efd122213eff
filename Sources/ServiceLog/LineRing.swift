import LinuxSystem
private import Synchronization

/// The bounded queue between the threads that log and the one that writes.
///
/// Adding never blocks on what the reader does: a full ring refuses.
final class LineRing: Sendable {
    /// What the reader took.
    struct Batch {
        var lines: [LogLine]
        /// Lines refused since the last batch.
        var dropped: UInt64
        /// Nothing more will come.
        var isClosed: Bool
    }

    private struct State {
        var lines: [LogLine] = []
        var dropped: UInt64 = 0
        var readerSleeps = false
        var isClosed = false
    }

    let capacity: Int
    private let state = Mutex(State())
    private let wakeUp: EventDescriptor

    init(capacity: Int) throws(SystemError) {
        self.capacity = capacity
        wakeUp = try EventDescriptor()
        state.withLock { $0.lines.reserveCapacity(min(capacity, 256)) }
    }

    /// False where the ring is full; counted as dropped unless the caller keeps the line.
    func add(_ line: LogLine, countingDrop: Bool) -> Bool {
        let (added, wake) = state.withLock { state -> (Bool, Bool) in
            guard state.lines.count < capacity, !state.isClosed else {
                if countingDrop { state.dropped += 1 }
                return (false, false)
            }
            state.lines.append(line)
            defer { state.readerSleeps = false }
            return (true, state.readerSleeps)
        }
        if wake { wakeUp.signal() }
        return added
    }

    /// Whether a line would be taken now.
    var hasRoom: Bool { state.withLock { $0.lines.count < capacity } }

    func close() {
        state.withLock { $0.isClosed = true }
        wakeUp.signal()
    }

    /// Everything that waits; waits for something first, at most the time-out in milliseconds, -1 for ever.
    func take(timeoutMilliseconds: CInt) -> Batch {
        if let found = takeNow(sleepIfEmpty: true) { return found }
        _ = wakeUp.wait(timeoutMilliseconds: timeoutMilliseconds)
        wakeUp.acknowledge()
        return takeNow(sleepIfEmpty: false) ?? Batch(lines: [], dropped: 0, isClosed: false)
    }

    private func takeNow(sleepIfEmpty: Bool) -> Batch? {
        state.withLock { state in
            guard !state.lines.isEmpty || state.isClosed || !sleepIfEmpty else {
                state.readerSleeps = true
                return nil
            }
            state.readerSleeps = false
            let batch = Batch(lines: state.lines, dropped: state.dropped, isClosed: state.isClosed)
            state.lines = []
            state.dropped = 0
            return batch
        }
    }
}
