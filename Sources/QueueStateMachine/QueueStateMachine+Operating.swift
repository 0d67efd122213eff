package import TaskModel

/// What an operator's act means now.
package enum Operation: Hashable, Sendable {
    case record(JournalRecord)
    /// Everything is already as asked.
    case unchanged
    case refused(reason: String)
}

/// A part of a dead-letter queue.
package struct DeadLetterPage: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let id: TaskID
        package let sequence: TaskSequence
        /// Empty for the queue's own group.
        package let group: String
        package let reason: DeadLetterReason
        package let receives: UInt32
    }

    package let tasks: [Entry]
    package let hasMore: Bool
}

/// What a `DELETE` means now.
package enum CancellationDecision: Sendable {
    case record(JournalRecord)
    case alreadyCancelled
    /// Leased, completed or dead.
    case notCancellable
    case unknown
    case forgotten
}

extension QueueStateMachine {
    /// Declares a queue, or gives it other settings.
    package func declaration(of name: String, settings: QueueSettings) -> Operation {
        guard QueueDeclaration.isValidName(name) else {
            return .refused(reason: "\"\(name)\" is no queue name; expected [a-z0-9][a-z0-9_-]{0,63}")
        }
        if let number = durable.queueByName[name] {
            let known = durable[number]
            guard known.isDeleted || known.settings != settings else { return .unchanged }
            return .record(.queueDeclared(QueueDeclaration(number: number, name: name, settings: settings)))
        }
        guard durable.queues.count - durable.deletedQueues < Limits.queuesMax else {
            return .refused(reason: "there are \(Limits.queuesMax) queues already, and that is the limit")
        }
        guard durable.queues.count < Limits.queueNumbersMax else {
            return .refused(
                reason: "\(Limits.queueNumbersMax) queues have had names so far, and that is the limit")
        }
        let number = QueueNumber(rawValue: UInt16(durable.queues.count + 1))
        return .record(.queueDeclared(QueueDeclaration(number: number, name: name, settings: settings)))
    }

    package func pausing(
        _ queue: String, set: QueuePauses, clear: QueuePauses, actor: String, reason: String
    ) -> Operation {
        guard let declaration = self.queue(named: queue) else {
            return .refused(reason: "there is no queue named \"\(queue)\"")
        }
        let old = durable[declaration.number].pauses
        let new = old.union(set).subtracting(clear)
        guard new != old else { return .unchanged }
        return .record(
            .queuePauseChanged(
                QueuePauseChange(queue: declaration.number, pauses: new, actor: actor, reason: reason)))
    }

    /// - Parameter earlier: as for ``settlement(of:receipt:id:earlier:at:)``.
    package func cancellation(
        of id: TaskID, actor: String, earlier: ArraySlice<UInt8>, at clock: ClockReading
    ) -> CancellationDecision {
        if let slot = durable.finished.find(id) {
            return durable.finished[slot].state == .cancelled ? .alreadyCancelled : .notCancellable
        }
        guard let task = durable.tasks.find(id) else {
            return id.unixMilliseconds <= durable.newestForgotten ? .forgotten : .unknown
        }
        switch durable.tasks[task].standing {
        case .leased, .dead: return .notCancellable
        case .pending, .parked:
            return .record(
                .cancelled(
                    Cancellation(
                        id: id, actor: actor,
                        summary: summary(of: task, durable.detail(of: task), history: earlier, at: clock.wall)
                    )))
        }
    }

    /// Puts a dead task back at the tail of its group with a fresh count.
    ///
    /// Nil if it is not dead.
    package func redrive(of id: TaskID, edited: ArraySlice<UInt8>?) -> JournalRecord? {
        guard let task = durable.tasks.find(id), durable.tasks[task].standing == .dead else { return nil }
        let key = durable.groups[durable.tasks[task].group].key
        let sequence = durable.nextSequence
        let accepted = edited.map {
            AcceptedTask(
                queue: key.queue, id: id, sequence: sequence, group: key.name, deduplication: nil,
                traceparent: [],
                payload: $0)
        }
        return .redriven(Redrive(id: id, sequence: sequence, edited: accepted))
    }

    /// A part of a queue's dead-letter queue, oldest death first, at most `limit` tasks behind `after`.
    ///
    /// Nil if there is no such queue, or `after` is not dead (any more) in it.
    package func deadTasks(of name: String, after: TaskID?, limit: Int) -> DeadLetterPage? {
        guard let queue = durable.queueByName[name] else { return nil }
        var next = durable[queue].firstDead
        if let after {
            guard let task = durable.tasks.find(after), durable.tasks[task].standing == .dead,
                durable.queue(of: task) == queue
            else { return nil }
            next = durable.tasks[task].next
        }
        var tasks: [DeadLetterPage.Entry] = []
        while !next.isNone, tasks.count < limit {
            let entry = durable.tasks[next]
            let detail = durable.detail(of: next)
            tasks.append(
                DeadLetterPage.Entry(
                    id: entry.id, sequence: entry.sequence, group: durable.groups[entry.group].key.name,
                    reason: detail?.deadReason ?? .exhausted, receives: detail?.receives ?? 0))
            next = entry.next
        }
        return DeadLetterPage(tasks: tasks, hasMore: !next.isNone)
    }

    /// Whether a redriven task would find its queue at `max_depth`.
    package func isFull(queueOf id: TaskID) -> Bool {
        guard let task = durable.tasks.find(id) else { return false }
        let queue = durable[durable.queue(of: task)]
        return queue.depth >= queue.settings.maxDepth
    }

    /// Deletes a dead task for good.
    ///
    /// Nil if it is not dead.
    package func purge(of id: TaskID) -> JournalRecord? {
        guard let task = durable.tasks.find(id), durable.tasks[task].standing == .dead else { return nil }
        return .purged(id)
    }

    /// Gives a parked task a fresh count.
    ///
    /// Nil if it is not parked.
    package func unparking(of id: TaskID) -> JournalRecord? {
        guard let task = durable.tasks.find(id), durable.tasks[task].standing == .parked else { return nil }
        return .unparked(id)
    }

    /// Dead-letters a parked task by an operator's decision.
    ///
    /// Nil if it is not parked.
    package func deadLettering(of id: TaskID, earlier: ArraySlice<UInt8>, at clock: ClockReading)
        -> JournalRecord?
    {
        guard let task = durable.tasks.find(id), durable.tasks[task].standing == .parked else { return nil }
        return .deadLettered(
            DeadLetter(
                id: id, reason: .operatorAct,
                summary: summary(of: task, durable.detail(of: task), history: earlier, at: clock.wall)))
    }
}
