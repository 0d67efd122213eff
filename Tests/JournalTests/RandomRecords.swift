import TaskModel
import TestSupport

/// Values of every kind that the journal stores, small and at their limits.
extension SeededGenerator {
    mutating func number() -> UInt64 {
        switch next() % 4 {
        case 0: next() % 128
        case 1: next() % 100_000
        case 2: next()
        case _: [0, 127, 128, UInt64.max][Int(next() % 4)]
        }
    }

    mutating func slice(upTo count: Int = 300) -> ArraySlice<UInt8> {
        bytes(count: Int(next() % UInt64(count)))[...]
    }

    mutating func text() -> String {
        let letters = ["", "a", "ü", "task", "漢字", "\u{0}", "🙂", "-_ "]
        return (0..<Int(next() % 6)).map { _ in letters[Int(next() % 8)] }.joined()
    }

    mutating func id() -> TaskID { TaskID(high: next(), low: next()) }
    mutating func lsn() -> LogSequenceNumber { LogSequenceNumber(rawValue: number()) }
    mutating func sequence() -> TaskSequence { TaskSequence(rawValue: number()) }
    mutating func queue() -> QueueNumber { QueueNumber(rawValue: UInt16(truncatingIfNeeded: number())) }
    mutating func digest() -> Digest { Digest(high: next(), low: next()) }
    mutating func small() -> UInt32 { UInt32(truncatingIfNeeded: number()) }
    mutating func flag() -> Bool { oneIn(2) }

    mutating func deduplication() -> DeduplicationEntry {
        DeduplicationEntry(key: digest(), content: digest(), expires: JournalTime(rawValue: number()))
    }

    mutating func task() -> AcceptedTask {
        AcceptedTask(
            queue: queue(), id: id(), sequence: sequence(), group: text(),
            deduplication: flag() ? deduplication() : nil, traceparent: flag() ? slice(upTo: 64) : [],
            payload: slice())
    }

    mutating func summary() -> FinishedSummary {
        FinishedSummary(
            queue: queue(), sequence: sequence(), group: text(), finishedAt: WallTime(rawValue: number()),
            receives: small(), history: slice())
    }

    mutating func settings() -> QueueSettings {
        var settings = QueueSettings()
        settings.leaseMilliseconds = number()
        settings.maxAttempts = small()
        settings.onExhausted = QueueSettings.OnExhausted.allCases[Int(next() % 3)]
        settings.defaultGroup = QueueSettings.DefaultGroup.allCases[Int(next() % 2)]
        settings.retentionMilliseconds = number()
        settings.dedupWindowMilliseconds = number()
        settings.maxDepth = number()
        settings.historyMilliseconds = number()
        settings.retryInitialMilliseconds = number()
        settings.retryFactorHundredths = small()
        settings.retryMaxMilliseconds = number()
        return settings
    }

    mutating func declaration() -> QueueDeclaration {
        QueueDeclaration(number: queue(), name: text(), settings: settings())
    }

    mutating func reason() -> DeadLetterReason {
        DeadLetterReason.allCases[Int(next() % UInt64(DeadLetterReason.allCases.count))]
    }

    mutating func span() -> RecordSpan {
        RecordSpan(segment: max(1, small()), offset: small(), length: small())
    }

    /// A record of the kind, by the number of its type in the format; 1 to 16.
    mutating func record(kind: Int) -> JournalRecord {
        switch kind {
        case 1: .queueDeclared(declaration())
        case 2: .queueDeleted(queue())
        case 3:
            .queuePauseChanged(
                QueuePauseChange(
                    queue: queue(), pauses: QueuePauses(rawValue: UInt8(next() % 8)), actor: text(),
                    reason: text()))
        case 4: .accepted(task())
        case 5:
            .delivered(
                Delivery(
                    id: id(), worker: text(), session: SessionID(rawValue: next()),
                    deliveredAt: WallTime(rawValue: number())))
        case 6: .released(Release(id: id(), receipt: lsn(), counted: flag()))
        case 7:
            .attemptFailed(
                AttemptFailure(id: id(), receipt: lsn(), retryMilliseconds: number(), history: slice()))
        case 8:
            .completed(
                Completion(id: id(), receipt: lsn(), summary: summary(), result: slice(), resultError: text())
            )
        case _: rareRecord(kind: kind)
        }
    }

    private mutating func rareRecord(kind: Int) -> JournalRecord {
        switch kind {
        case 9: .deadLettered(DeadLetter(id: id(), reason: reason(), summary: summary()))
        case 10: .parked(Parking(id: id(), haltsQueue: flag(), history: slice()))
        case 11: .unparked(id())
        case 12: .redriven(Redrive(id: id(), sequence: sequence(), edited: flag() ? task() : nil))
        case 13: .cancelled(Cancellation(id: id(), actor: text(), summary: summary()))
        case 14: .purged(id())
        case 15: .historyForgotten(HistoryForgotten(count: small(), newestForgotten: number()))
        case _:
            .moved(
                MovedRecord(id: id(), role: RecordRole.allCases[Int(next() % 2)], original: [200] + slice()))
        }
    }

    mutating func snapshot(kind: Int) -> SnapshotRecord {
        switch kind {
        case 1:
            .totals(
                SnapshotTotals(nextSequence: sequence(), nextQueue: queue(), newestForgotten: number()))
        case 2: .queue(queueSnapshot())
        case 3:
            .acceptanceEpoch(
                AcceptanceEpoch(firstSequence: sequence(), time: JournalTime(rawValue: number())))
        case 4:
            .task(
                TaskSnapshot(
                    id: id(), sequence: sequence(), receives: small(),
                    uncountedReleases: UInt8(truncatingIfNeeded: next()), standing: standing(),
                    history: flag() ? span() : nil,
                    diedAt: flag() ? JournalTime(rawValue: number()) : nil))
        case 5:
            .finished(
                FinishedSnapshot(
                    id: id(), state: FinishedState.allCases[Int(next() % 2)],
                    finishedAt: JournalTime(rawValue: number()), queue: queue(),
                    receipt: flag() ? LogSequenceNumber(rawValue: max(1, number())) : nil, span: span()))
        case _:
            .deduplication(
                DeduplicationSnapshot(
                    queue: queue(), entry: deduplication(), task: id(), sequence: sequence()))
        }
    }

    private mutating func queueSnapshot() -> QueueSnapshot {
        var counters = QueueCounters()
        counters.accepted = number()
        counters.completed = number()
        counters.cancelled = number()
        counters.purged = number()
        return QueueSnapshot(
            declaration: declaration(), counters: counters, pauses: QueuePauses(rawValue: UInt8(next() % 8)),
            pauseActor: text(), pauseReason: text(), isDeleted: flag())
    }

    private mutating func standing() -> TaskSnapshot.Standing {
        switch next() % 5 {
        case 0: .pending
        case 1: .backingOff(milliseconds: number())
        case 2:
            .leased(
                TaskSnapshot.Lease(
                    receipt: lsn(), worker: text(), session: SessionID(rawValue: next()),
                    deliveredAt: WallTime(rawValue: number())))
        case 3: .parked
        case _: .dead(reason: reason(), order: number())
        }
    }
}
