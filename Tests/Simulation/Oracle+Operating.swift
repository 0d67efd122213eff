import BrokerDaemon
import TaskModel
import WireProtocol

/// What operators do to tasks: each act does what it says to the tasks it fits, once, and to no others.
extension Oracle {
    /// One request for an act; a repeated frame asks again.
    struct Act {
        let act: TaskAct
        let ids: [TaskID]
        let edit: PayloadBytes?
        var count = 1
    }

    func receivedAct(_ act: TaskAct, _ ids: [TaskID], edit: PayloadBytes? = nil, _ ask: Ask) {
        tell?("\(act) of \(ids) arrives on \(ask.connection.rawValue)\(edit == nil ? "" : ", edited")")
        if acts[ask] == nil {
            acts[ask] = Act(act: act, ids: ids, edit: edit)
        } else {
            acts[ask]?.count += 1
        }
        for task in ids.compactMap({ tasks[$0] }) {
            switch act {
            case .redrive:
                task.redrives.begin()
                task.resetsMost += 1
                if let edit { task.edits.append(edit) }
            case .purge: task.purges.begin()
            case .retry:
                task.retries.begin()
                task.resetsMost += 1
            case .deadLetter: task.operatorDeaths.begin()
            case .cancel:
                task.cancelsInDoubt += 1
                task.cancelWasAsked = true
            }
        }
    }

    func sentActed(_ outcomes: [ActOutcome], _ ask: Ask) {
        guard var asked = acts[ask] else { return }
        asked.count -= 1
        acts[ask] = asked.count > 0 ? asked : nil
        tell?("\(asked.act) of \(asked.ids) is answered \(outcomes)")
        guard outcomes.count == asked.ids.count else {
            return complain("B: \(outcomes.count) outcomes for \(asked.ids.count) tasks")
        }
        for (id, outcome) in zip(asked.ids, outcomes) {
            guard let task = tasks[id] else {
                if outcome != .unknown { complain("A: task \(id) was never posted, \(asked.act) \(outcome)") }
                continue
            }
            answered(asked.act, task)
            switch outcome {
            case .done: done(asked, task)
            case .notInState: checkNotInState(asked.act, task)
            case .unknown:
                if task.isPromised, !task.isRefused, !mayBeGone(task) {
                    complain("A: task \(id) is promised and \(asked.act) found it unknown")
                }
            case .queueFull: checkFull(task)
            case .diskFull:
                if !conditions.know(.fullDisk) { complain("B: \(asked.act) found no room on the disk") }
            }
        }
    }

    private func answered(_ act: TaskAct, _ task: KnownTask) {
        switch act {
        case .redrive: task.redrives.answered()
        case .purge: task.purges.answered()
        case .retry: task.retries.answered()
        case .deadLetter: task.operatorDeaths.answered()
        case .cancel: task.cancelsInDoubt = max(0, task.cancelsInDoubt - 1)
        }
    }

    private func done(_ asked: Act, _ task: KnownTask) {
        promise(task)
        switch asked.act {
        case .redrive: redriven(task, edit: asked.edit)
        case .purge: purged(task)
        case .retry: retried(task)
        case .deadLetter: deadLettered(task)
        case .cancel: finish(task, .cancelled)
        }
    }

    private func redriven(_ task: KnownTask, edit: PayloadBytes?) {
        tally.count(edit == nil ? .redriven : .edited)
        if let edit { task.contents = [edit] }
        // It was seen in its new place already: answers of one turn leave in any order.
        if task.stintTurn == turn || task.wasTaken(inTurn: turn) { return }
        if task.final == .cancelled, !task.wasOver(beforeTurn: turn) { return task.leavePlace(above(task)) }
        if !couldBeDead(task) { complain("B: task \(task.id) was redriven and cannot have been dead") }
        task.beginStint(inTurn: turn, above: above(task), crashes: crashes)
        task.ageFrom = journalTime.reading
        openLeases.removeAll { $0.task === task }
        task.line.unplaced.append(task)
    }

    /// A redriven task comes behind everything that was given a place before this turn.
    private func above(_ task: KnownTask) -> UInt64 { max(answeredSequenceBefore, task.sequence ?? 0) }

    private func purged(_ task: KnownTask) {
        tally.count(.purged)
        if !couldBeDead(task) { complain("B: task \(task.id) was purged and cannot have been dead") }
        task.end(.purged, inTurn: turn)
        task.line.waiting.removeAll { $0 === task }
    }

    private func retried(_ task: KnownTask) {
        tally.count(.unparked)
        // Its next delivery was in the same turn, and seen first.
        if task.wasTaken(inTurn: turn) { return task.noteFreshCount(mayPostpone: mayPostpone) }
        if !couldBeParked(task) { complain("B: task \(task.id) was retried and cannot have been parked") }
        task.beginCount(inTurn: turn, crashes: crashes)
        openLeases.removeAll { $0.task === task }
    }

    private func deadLettered(_ task: KnownTask) {
        // A redrive of the same turn came after it, whatever left first.
        if task.stintTurn == turn { return }
        if !couldBeParked(task) {
            complain("B: task \(task.id) was given up and cannot have been parked")
        }
        finish(task, .dead)
    }

    /// Whatever is parked there gets a fresh count; which ones, nobody is told.
    func receivedEndOfHalt(of queue: String) {
        for task in order where task.queue == queue && couldBeParked(task) {
            task.retries.begin()
            task.resetsMost += 1
        }
    }

    func couldBeParked(_ task: KnownTask) -> Bool {
        task.terms.mayPark && mayBeExhausted(task) && task.final == nil
    }

    func couldBeDead(_ task: KnownTask) -> Bool {
        switch task.final {
        case .dead: return true
        case .completed, .cancelled, .purged: return false
        case nil: return task.rejectWasSent || mayBeDead(task)
        }
    }

    private func checkNotInState(_ act: TaskAct, _ task: KnownTask) {
        switch act {
        case .redrive, .purge:
            guard task.final == .dead, task.wasOver(beforeTurn: turn), !mayBeGone(task) else { return }
            if !task.redrives.any { complain("B: task \(task.id) is dead and \(act) did not find it so") }
        case .retry, .deadLetter, .cancel: break
        }
    }

    private func checkFull(_ task: KnownTask) {
        let alive = order.count {
            $0.queue == task.queue && ($0.final == nil || !$0.wasOver(beforeTurn: turn) || $0.redrives.any)
        }
        if UInt64(alive) < task.terms.depthLeast {
            complain("B: the redrive of \(task.id) found \(task.queue) full with \(alive) tasks at most")
        }
    }

    /// Whether nothing need be known of the task any more.
    func mayBeGone(_ task: KnownTask) -> Bool {
        if task.final == .purged || task.purges.any && couldBeDead(task) { return true }
        return mayBeForgotten(task)
    }
}

/// What operators read.
extension Oracle {
    func sentPage(_ page: DeadTaskPage, _ query: DeadTaskQuery) {
        if page.tasks.count > Int(query.limit) { complain("B: a page of \(page.tasks.count) dead tasks") }
        var last: KnownTask?
        for entry in page.tasks {
            guard let task = tasks[entry.id] else {
                complain("A: task \(entry.id) was never posted and is listed as dead")
                continue
            }
            if isOutdated(entry.sequence.rawValue, task) { continue }
            recognize(entry.sequence.rawValue, of: task, isAlive: false)
            promise(task)
            if task.queue != query.queue || (entry.group.isEmpty ? task.queue : entry.group) != task.group {
                complain("C: dead task \(task.id) is listed in \(query.queue)/\(entry.group)")
            }
            let isPurgedNow = task.final == .purged && !task.wasOver(beforeTurn: turn)
            if !couldBeDead(task), !isPurgedNow {
                complain("B: task \(task.id) is listed as dead, and that cannot be")
            }
            if let last, last.final == .dead, task.final == .dead, last.endedInTurn > task.endedInTurn {
                complain("E: dead task \(task.id) is listed after \(last.id), which died later")
            }
            last = task
        }
        if Set(page.tasks.map(\.id)).count < page.tasks.count { complain("E: a dead task is listed twice") }
        if query.after == nil, !page.hasMore { checkWhole(page, query) }
    }

    /// A list that says that it is whole has everything that is dead for certain.
    private func checkWhole(_ page: DeadTaskPage, _ query: DeadTaskQuery) {
        let listed = Set(page.tasks.map(\.id))
        for task in order
        where task.queue == query.queue && task.final == .dead && task.wasOver(beforeTurn: turn)
            && !listed.contains(task.id) && !task.redrives.any && !task.purges.any
        {
            complain("E: task \(task.id) is dead and not listed")
        }
    }

    func sentPayload(_ payload: ArraySlice<UInt8>?, of id: TaskID) {
        guard let task = tasks[id] else {
            if payload != nil { complain("A: task \(id) was never posted and has a payload") }
            return
        }
        guard let payload else {
            guard let promised = task.promisedInTurn, promised < turn, !task.isRefused, !mayHaveLeft(task)
            else { return }
            return complain("A: the payload of \(id) is gone")
        }
        // An edit of this turn came after it.
        if task.stintTurn == turn { return }
        if task.content(is: payload) == nil { complain("B: the payload of \(id) is not what was posted") }
    }

    /// Whether the task may be finished or purged, so that its payload is nobody's.
    private func mayHaveLeft(_ task: KnownTask) -> Bool {
        switch task.final {
        case .completed, .cancelled, .purged: true
        case .dead: task.purges.any || task.redrives.any
        case nil:
            !task.endsInDoubt.isEmpty || task.cancelsInDoubt > 0 || task.isPassedOver
                || task.purges.any && couldBeDead(task)
        }
    }

    /// An answer of this turn that was decided before the task got its new place.
    func isOutdated(_ sequence: UInt64, _ task: KnownTask) -> Bool {
        task.stintTurn == turn && sequence <= task.placeFloor
    }
}
