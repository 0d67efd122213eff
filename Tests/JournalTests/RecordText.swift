import TaskModel

@testable import Journal

/// Records as text that stays as it is when Swift's names change: what the golden files are compared in.
enum RecordText {
    static func line(_ record: JournalRecord, at position: RecordPosition) -> String {
        "\(position.lsn.rawValue) \(place(position.span)) t=\(position.time.rawValue) \(text(record))"
    }

    static func place(_ span: RecordSpan) -> String { "\(span.segment):\(span.offset)+\(span.length)" }

    /// How many bytes, and their CRC-32C.
    private static func bytes(_ bytes: ArraySlice<UInt8>) -> String {
        "\(bytes.count)/\(String(bytes.withUnsafeBytes { Checksum.crc32c($0) }, radix: 16))"
    }

    private static func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.map { scalar in
            scalar.isASCII && scalar.value >= 32 ? "\(scalar)" : "<\(String(scalar.value, radix: 16))>"
        }
        return "'\(shown.joined())'"
    }

    private static func digest(_ digest: Digest) -> String {
        "\(String(digest.high, radix: 16)).\(String(digest.low, radix: 16))"
    }

    static func text(_ record: JournalRecord) -> String {
        switch record {
        case .queueDeclared(let declaration): "queue declared \(text(declaration))"
        case .queueDeleted(let queue): "queue deleted \(queue.rawValue)"
        case .queuePauseChanged(let change):
            "queue pause changed \(change.queue.rawValue) \(change.pauses.rawValue) \(quoted(change.actor)) "
                + quoted(change.reason)
        case .accepted(let task): "accepted \(text(task))"
        case .delivered(let delivery):
            "delivered \(delivery.id) session=\(delivery.session.rawValue) "
                + "wall=\(delivery.deliveredAt.rawValue) \(quoted(delivery.worker))"
        case .released(let release):
            "released \(release.id) receipt=\(release.receipt.rawValue) counted=\(release.counted)"
        case .attemptFailed(let failure):
            "attempt failed \(failure.id) receipt=\(failure.receipt.rawValue) "
                + "backoff=\(failure.retryMilliseconds) history=\(bytes(failure.history))"
        case .completed(let completion):
            "completed \(completion.id) receipt=\(completion.receipt.rawValue) \(text(completion.summary)) "
                + "result=\(bytes(completion.result)) error=\(quoted(completion.resultError))"
        case .deadLettered, .parked, .unparked, .redriven, .cancelled, .purged, .historyForgotten, .moved:
            rareText(record)
        }
    }

    private static func rareText(_ record: JournalRecord) -> String {
        switch record {
        case .deadLettered(let death):
            "dead-lettered \(death.id) reason=\(death.reason.rawValue) \(text(death.summary))"
        case .parked(let parking):
            "parked \(parking.id) halts=\(parking.haltsQueue) history=\(bytes(parking.history))"
        case .unparked(let id): "unparked \(id)"
        case .redriven(let redrive):
            "redriven \(redrive.id) sequence=\(redrive.sequence.rawValue) "
                + "edited=\(redrive.edited.map(text) ?? "no")"
        case .cancelled(let cancellation):
            "cancelled \(cancellation.id) by=\(quoted(cancellation.actor)) \(text(cancellation.summary))"
        case .purged(let id): "purged \(id)"
        case .historyForgotten(let forgotten):
            "history forgotten \(forgotten.count) newest=\(forgotten.newestForgotten)"
        case .moved(let moved):
            "moved \(moved.id) role=\(moved.role.rawValue) original=\(bytes(moved.original))"
        case .queueDeclared, .queueDeleted, .queuePauseChanged, .accepted, .delivered, .released,
            .attemptFailed,
            .completed:
            ""
        }
    }

    private static func text(_ declaration: QueueDeclaration) -> String {
        let settings = declaration.settings
        let numbers: [UInt64] = [
            settings.leaseMilliseconds, UInt64(settings.maxAttempts), UInt64(settings.onExhausted.rawValue),
            UInt64(settings.defaultGroup.rawValue), settings.retentionMilliseconds,
            settings.dedupWindowMilliseconds, settings.maxDepth, settings.historyMilliseconds,
            settings.retryInitialMilliseconds, UInt64(settings.retryFactorHundredths),
            settings.retryMaxMilliseconds,
        ]
        let listed = numbers.map(String.init).joined(separator: ",")
        return "\(declaration.number.rawValue) \(quoted(declaration.name)) [\(listed)]"
    }

    static func text(_ task: AcceptedTask) -> String {
        "\(task.id) queue=\(task.queue.rawValue) sequence=\(task.sequence.rawValue) "
            + "group=\(quoted(task.group)) key=\(task.deduplication.map(text) ?? "no") "
            + "traceparent=\(bytes(task.traceparent)) payload=\(bytes(task.payload))"
    }

    private static func text(_ entry: DeduplicationEntry) -> String {
        "\(digest(entry.key)),\(digest(entry.content)),\(entry.expires.rawValue)"
    }

    private static func text(_ summary: FinishedSummary) -> String {
        "queue=\(summary.queue.rawValue) sequence=\(summary.sequence.rawValue) "
            + "group=\(quoted(summary.group)) wall=\(summary.finishedAt.rawValue) "
            + "receives=\(summary.receives) history=\(bytes(summary.history))"
    }

    static func text(_ record: SnapshotRecord) -> String {
        switch record {
        case .totals(let totals):
            "totals sequence=\(totals.nextSequence.rawValue) queue=\(totals.nextQueue.rawValue) "
                + "newest=\(totals.newestForgotten)"
        case .queue(let queue):
            "queue \(text(queue.declaration)) accepted=\(queue.counters.accepted) "
                + "completed=\(queue.counters.completed) cancelled=\(queue.counters.cancelled) "
                + "purged=\(queue.counters.purged) pauses=\(queue.pauses.rawValue) "
                + "\(quoted(queue.pauseActor)) \(quoted(queue.pauseReason)) deleted=\(queue.isDeleted)"
        case .acceptanceEpoch(let epoch): "epoch \(epoch.firstSequence.rawValue) t=\(epoch.time.rawValue)"
        case .task(let task):
            "task \(task.id) sequence=\(task.sequence.rawValue) receives=\(task.receives) "
                + "releases=\(task.uncountedReleases) \(text(task.standing)) "
                + "history=\(task.history.map(place) ?? "no")"
        case .finished(let finished):
            "finished \(finished.id) state=\(finished.state.rawValue) t=\(finished.finishedAt.rawValue) "
                + "queue=\(finished.queue.rawValue) receipt=\(finished.receipt?.rawValue ?? 0) "
                + place(finished.span)
        case .deduplication(let key):
            "deduplication queue=\(key.queue.rawValue) \(text(key.entry)) task=\(key.task) "
                + "sequence=\(key.sequence.rawValue)"
        }
    }

    private static func text(_ standing: TaskSnapshot.Standing) -> String {
        switch standing {
        case .pending: "pending"
        case .backingOff(let milliseconds): "backing off \(milliseconds)"
        case .leased(let lease):
            "leased receipt=\(lease.receipt.rawValue) session=\(lease.session.rawValue) "
                + "wall=\(lease.deliveredAt.rawValue) \(quoted(lease.worker))"
        case .parked: "parked"
        case .dead(let reason, let order): "dead reason=\(reason.rawValue) order=\(order)"
        }
    }
}
