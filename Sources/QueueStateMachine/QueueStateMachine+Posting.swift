package import TaskModel

/// A post as the shell hands it over.
package struct NewTask: Sendable {
    package var id: TaskID
    package var queue: String
    /// Empty: the queue's default group.
    package var group: String
    /// The digests of the `Idempotency-Key` and of what it was used for.
    package var key: (key: Digest, content: Digest)?
    package var traceparent: ArraySlice<UInt8>
    package var payload: ArraySlice<UInt8>

    package init(
        id: TaskID, queue: String, group: String, key: (key: Digest, content: Digest)?,
        traceparent: ArraySlice<UInt8>, payload: ArraySlice<UInt8>
    ) {
        self.id = id
        self.queue = queue
        self.group = group
        self.key = key
        self.traceparent = traceparent
        self.payload = payload
    }
}

/// What a post means now.
package enum Acceptance: Sendable {
    case accept(AcceptedTask)
    /// The key is known with the same content: the first task's id and sequence.
    case replay(TaskID, TaskSequence)
    case refuse(Refusal)

    package enum Refusal: Hashable, Sendable {
        case unknownQueue
        case keyConflict
        case queueFull
        case keysFull
        case ingestPaused
        case idInUse
    }
}

extension QueueStateMachine {
    package func acceptance(of task: NewTask, at clock: ClockReading) -> Acceptance {
        guard let number = durable.queueByName[task.queue], !durable[number].isDeleted else {
            return .refuse(.unknownQueue)
        }
        var entry: DeduplicationEntry?
        if let digests = task.key {
            // A replay is answered whatever the queue's state: it adds nothing.
            if let known = knownKey(digests.key, of: number, at: clock.journal) {
                return known.content == digests.content
                    ? .replay(known.task, known.sequence) : .refuse(.keyConflict)
            }
            guard durable.keys.count < bounds.keysMax else { return .refuse(.keysFull) }
            let window = durable[number].settings.dedupWindowMilliseconds
            entry = DeduplicationEntry(
                key: digests.key, content: digests.content, expires: clock.journal.advanced(by: window))
        }
        if durable[number].pauses.contains(.ingest) { return .refuse(.ingestPaused) }
        guard durable[number].depth < durable[number].settings.maxDepth else { return .refuse(.queueFull) }
        guard hasRoom(for: task, on: number) else { return .refuse(.queueFull) }
        guard durable.tasks.find(task.id) == nil, durable.finished.find(task.id) == nil else {
            return .refuse(.idInUse)
        }
        // The name of a group of its own is an outcome, so it stands in the record.
        let ownGroup = task.group.isEmpty && durable[number].settings.defaultGroup == .task
        return .accept(
            AcceptedTask(
                queue: number, id: task.id, sequence: durable.nextSequence,
                group: ownGroup ? task.id.description : task.group == task.queue ? "" : task.group,
                deduplication: entry, traceparent: task.traceparent, payload: task.payload))
    }

    private func hasRoom(for task: NewTask, on queue: QueueNumber) -> Bool {
        let most = bounds.ofQueue(task.queue).storedBytesMax
        let (bytes, overflow) = durable[queue].storedBytes.addingReportingOverflow(UInt64(task.payload.count))
        return !overflow && bytes <= most
    }

    private func knownKey(
        _ digest: Digest, of queue: QueueNumber, at time: JournalTime
    ) -> DeduplicationKeyEntry? {
        let key = DeduplicationKeyEntry.Key(queue: queue, digest: digest)
        guard let slot = durable.keys.find(key) else { return nil }
        return durable.keys[slot].expires > time ? durable.keys[slot] : nil
    }
}
