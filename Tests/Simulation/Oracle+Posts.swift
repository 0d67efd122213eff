import BrokerDaemon
import TaskModel
import WireProtocol

/// Guarantees A and D: what is accepted, once, and in what order.
extension Oracle {
    func receivedPost(_ post: Post, _ ask: Ask) {
        if let known = tasks[post.id] {
            known.offers += 1
            known.isRefused = false
            posts[ask] = known
            return
        }
        guard let terms = terms[post.queue] else { return }
        let ownsGroup = post.group.isEmpty && terms.ownGroups
        let group = ownsGroup ? post.id.description : post.group.isEmpty ? post.queue : post.group
        let name = "\(post.queue)/\(group)"
        let line = lines[name] ?? Line()
        lines[name] = line
        let task = KnownTask(
            post, group: group, line: line, terms: terms, at: journalTime.reading, turn: turn,
            crashes: crashes)
        tasks[post.id] = task
        order.append(task)
        if let key = task.key { keys[key, default: []].append(task) }
        posts[ask] = task
    }

    func sentOutcome(_ outcome: EnqueueOutcome, _ ask: Ask) {
        guard let task = posts[ask] else { return }
        tell?("the post of \(task.id) to \(task.queue) is answered \(outcome)")
        switch outcome {
        case .accepted(let sequence): accepted(task, sequence.rawValue)
        case .replayed(let id, let sequence): replayed(task, id, sequence.rawValue)
        case .keyConflict: keyConflict(task)
        case .idInUse:
            if task.offers == 1 { complain("A: post \(task.id) is new, and its id was called used") }
            promise(task)
        case .unknownQueue: checkUnknown(task)
        case .queueFull, .deduplicationFull, .paused, .diskFull:
            tally.count(.refused)
            if task.offers == 1 { task.isRefused = true }
        }
    }

    private func accepted(_ task: KnownTask, _ sequence: UInt64) {
        tally.count(.accepted)
        journalTime.anchor()
        // A redrive accepts nothing.
        let isOfferedAnew = task.promisedInTurn.map { $0 < turn } ?? false
        if !isOfferedAnew || !beginAnew(task) { recognize(sequence, of: task, isAlive: true) }
        if let earlier = task.promisedInTurn, earlier < turn {
            complain("A: task \(task.id) was accepted twice")
        }
        if sequence <= answeredSequenceBefore {
            complain("C: sequence \(sequence) was given after \(answeredSequenceBefore)")
        }
        answeredSequence = max(answeredSequence, sequence)
        if let pause = task.terms.pausedAt[.ingest], pause.isCertain, pause.at < turn {
            complain("C: task \(task.id) was accepted while its queue takes no posts")
        }
        checkPresence(of: task)
        checkWindow(of: task)
        learn(sequence, of: task)
        promise(task)
        task.isRefused = false
    }

    func promise(_ task: KnownTask) { task.promise(inTurn: turn) }

    /// A task has one place, unless it was finished, forgotten and then posted once more.
    ///
    /// What `isAlive` proves that a task which was over has begun anew; any other answer may speak of the
    /// first one, whose place was never told.
    func recognize(_ sequence: UInt64, of task: KnownTask, isAlive: Bool) {
        guard task.sequence != sequence else { return }
        guard let known = task.sequence else {
            if task.stint > 0, sequence <= task.placeFloor {
                complain("C: task \(task.id) was redriven and is at \(sequence), ahead of \(task.placeFloor)")
            }
            guard isAlive else { return }
            if task.redrives.any, couldBeDead(task) {
                // Where it was before, nobody was told; it was ahead of this.
                return beginStint(task, above: sequence - 1, place: sequence, isAlive: isAlive)
            }
            if task.wasOver(beforeTurn: turn) || task.mayHaveGone { beginAnew(task) }
            return
        }
        if task.redrives.any, sequence > known, couldBeDead(task) {
            return beginStint(task, above: known, place: sequence, isAlive: isAlive)
        }
        if !beginAnew(task) {
            complain("C: task \(task.id) has the sequences \(known) and \(sequence)")
        }
    }

    /// A redrive that was in doubt shows by the task's place.
    private func beginStint(_ task: KnownTask, above floor: UInt64, place: UInt64, isAlive: Bool) {
        openLeases.removeAll { $0.task === task }
        // One that is dead again may be redriven once more in this very turn.
        task.beginStint(
            inTurn: isAlive ? turn : 0, above: floor, crashes: task.crashesAtLastSight, place: place)
        task.contents += task.edits
        task.redrives.settleOld()
    }

    @discardableResult
    private func beginAnew(_ task: KnownTask) -> Bool {
        guard task.offers > 1, mayBeGone(task) else { return false }
        openLeases.removeAll { $0.task === task }
        task.beginAnew(inTurn: turn)
        return true
    }

    /// A task that is over has no place in its line.
    func learn(_ sequence: UInt64, of task: KnownTask) {
        guard task.sequence == nil, task.final == nil else { return }
        task.sequence = sequence
        task.line.insert(task)
    }

    /// Within the window a key stands for one task.
    private func checkWindow(of task: KnownTask) {
        guard let key = task.key else { return }
        let window = task.terms.windowLeast
        for other in keys[key] ?? [] where other !== task && other.isPromised && !other.isRefused {
            let passed = journalTime.passed(since: other.promisedAt ?? other.offeredAt)
            if other.promisedAt != nil, passed.most < window {
                complain("D: key \(key) was accepted for \(other.id) and again for \(task.id)")
            }
        }
        task.promisedAt = journalTime.reading
    }

    private func replayed(_ task: KnownTask, _ id: TaskID, _ sequence: UInt64) {
        tally.count(.replayed)
        guard let first = tasks[id], first.key == task.key, task.key != nil else {
            return complain("D: post \(task.id) was answered with \(id), which had another key")
        }
        if first.content != task.content {
            complain("D: post \(task.id) was answered with \(id), which had another content")
        }
        if first.isRefused { complain("D: post \(task.id) was answered with \(id), which was refused") }
        // The key keeps the first place of a task that has another by now.
        if first.resetsMost == 0 { recognize(sequence, of: first, isAlive: false) }
        let window = task.terms.windowMost
        if let promised = first.promisedAt, journalTime.passed(since: promised).least >= window {
            complain("D: key of \(id) was known after its window")
        }
        if first !== task, task.offers == 1 { task.isRefused = true }
        if first.resetsMost == 0 { learn(sequence, of: first) }
        promise(first)
    }

    private func keyConflict(_ task: KnownTask) {
        tally.count(.refused)
        let others = keys[task.key ?? ""] ?? []
        if !others.contains(where: { $0 !== task && $0.content != task.content && !$0.isRefused }) {
            complain("D: post \(task.id) conflicts with nothing")
        }
        if task.offers == 1 { task.isRefused = true }
    }

    /// Whether a task may have been finished and dropped from the history.
    func mayBeForgotten(_ task: KnownTask) -> Bool {
        guard mayBeOver(task) else { return false }
        // A full disk has what is over forgotten early.
        if order.count > conditions.finishedMax || conditions.know(.fullDisk) { return true }
        return journalTime.passed(since: task.offeredAt).most >= task.terms.history
    }

    /// Whether the task may have ended, by all that is known.
    func mayBeOver(_ task: KnownTask) -> Bool {
        if task.final != nil || !task.endsInDoubt.isEmpty || task.cancelsInDoubt > 0 { return true }
        return mayBeDead(task)
    }

    /// Whether the task may be in the dead-letter queue by its attempts or its age.
    func mayBeDead(_ task: KnownTask) -> Bool {
        let terms = task.terms
        if journalTime.passed(since: task.ageFrom).most >= terms.retention { return true }
        if task.operatorDeaths.any, terms.mayPark { return mayBeExhausted(task) }
        return terms.mayDeadLetter && mayBeExhausted(task)
    }

    func mayBeExhausted(_ task: KnownTask) -> Bool {
        mayPostpone
            || Int(task.lastAttempt) + unseenDeliveries(of: task) >= Int(task.terms.attemptsLeast)
    }

    /// Deliveries that may have been counted without anybody outside having seen them.
    func unseenDeliveries(of task: KnownTask) -> Int {
        mayPostpone ? 1_000 : crashes - task.crashesAtLastSight
    }
}
