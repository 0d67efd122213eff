/// What a queue's tasks are handled by.
///
/// Effective values: journaled with the queue, so that replay needs no file.
package struct QueueSettings: Hashable, Sendable {
    package enum OnExhausted: UInt8, Hashable, Sendable, CaseIterable {
        case deadLetter = 0
        case parkGroup = 1
        case haltQueue = 2
    }

    package enum DefaultGroup: UInt8, Hashable, Sendable, CaseIterable {
        /// Posts without a group share one: the queue is one total order.
        case queue = 0
        /// Each post without a group is a group of its own: parallel, unordered.
        case task = 1
    }

    /// How long a delivery lives without a renewal, milliseconds.
    package var leaseMilliseconds: UInt64 = 180_000
    /// Counted deliveries before `onExhausted` applies, at least 1.
    package var maxAttempts: UInt32 = 5
    package var onExhausted: OnExhausted = .deadLetter
    package var defaultGroup: DefaultGroup = .queue
    /// Age at which a pending task is dead-lettered, milliseconds of journal time.
    package var retentionMilliseconds: UInt64 = 14 * 86_400_000
    /// How long an `Idempotency-Key` is known, milliseconds of journal time.
    package var dedupWindowMilliseconds: UInt64 = 300_000
    /// Waiting and leased tasks before posts are refused.
    package var maxDepth: UInt64 = 10_000_000
    /// How long finished tasks stay known, milliseconds of journal time.
    package var historyMilliseconds: UInt64 = 3_600_000
    /// First back-off after a failed attempt, milliseconds; 0 retries at once.
    package var retryInitialMilliseconds: UInt64 = 1_000
    /// Each further back-off is this many hundredths of the one before (200 doubles).
    package var retryFactorHundredths: UInt32 = 200
    package var retryMaxMilliseconds: UInt64 = 60_000

    package init() {}

    /// The back-off after the `failures`-th failed attempt of a task, milliseconds.
    package func backoffMilliseconds(afterFailures failures: UInt32) -> UInt64 {
        var delay = min(retryInitialMilliseconds, retryMaxMilliseconds)
        var step: UInt32 = 1
        while step < failures, delay > 0, delay < retryMaxMilliseconds {
            let (product, overflow) = delay.multipliedReportingOverflow(by: UInt64(retryFactorHundredths))
            let next = overflow ? retryMaxMilliseconds : min(product / 100, retryMaxMilliseconds)
            guard next != delay else { break }
            delay = next
            step += 1
        }
        return delay
    }
}

/// A queue as the journal declares it.
package struct QueueDeclaration: Hashable, Sendable {
    package var number: QueueNumber
    package var name: String
    package var settings: QueueSettings

    package init(number: QueueNumber, name: String, settings: QueueSettings) {
        self.number = number
        self.name = name
        self.settings = settings
    }

    /// True for what matches `[a-z0-9][a-z0-9_-]{0,63}`.
    package static func isValidName(_ name: some StringProtocol) -> Bool {
        let bytes = name.utf8
        guard let first = bytes.first, bytes.count <= Limits.queueNameBytesMax else { return false }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard isAlphanumeric(first) else { return false }
        return bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    }
}

/// Guarantee K's counters of one queue.
///
/// Replays of a keyed post do not count; redrive moves dead to pending.
///
/// accepted = pending + leased + parked + completed + dead + cancelled + purged
package struct QueueCounters: Hashable, Sendable {
    package var accepted: UInt64 = 0
    package var completed: UInt64 = 0
    package var cancelled: UInt64 = 0
    package var purged: UInt64 = 0

    package init() {}
}

/// Why a queue delivers or accepts nothing; each flag ends with its own cause.
package struct QueuePauses: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// An admin's pause: nothing is delivered.
    package static let deliveries = QueuePauses(rawValue: 1)
    /// An admin's `pause --ingest`: posts are refused.
    package static let ingest = QueuePauses(rawValue: 2)
    /// `on_exhausted = "halt-queue"` has struck; `resume` ends it.
    package static let halted = QueuePauses(rawValue: 4)
}
