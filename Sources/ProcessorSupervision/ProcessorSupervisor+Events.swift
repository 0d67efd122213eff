private import Glibc
internal import LinuxSystem
internal import TaskModel

// What the kernel tells: bytes, deaths, time.
extension ProcessorSupervisor {
    static let watchToken = UInt64.max
    /// How much is read of a dead process's pipe, which a stranger may still be writing to, bytes.
    private static let lastBytesMax = 1 << 20

    func token(_ slot: Int, _ channel: ProcessorProcess.Channel) -> UInt64 {
        generations[slot] << 24 | UInt64(slot) << 4 | channel.rawValue
    }

    func register(
        _ descriptor: CInt?, token: UInt64, interest: Epoll.Interest
    ) throws(ProcessorSupervisionError) {
        guard let descriptor else { return }
        do throws(SystemError) {
            try epoll.add(descriptor, token: token, interest: interest)
        } catch {
            throw .system(error)
        }
    }

    func isOutput(_ event: Epoll.Event) -> Bool {
        let channel = ProcessorProcess.Channel(rawValue: event.token & 15)
        return channel == .output || channel == .errors
    }

    func handle(_ event: Epoll.Event, now: MonotonicTime) {
        guard event.token != Self.watchToken else { return programMayHaveChanged(now: now) }
        let slot = Int(event.token >> 4 & 0xFFFFF)
        guard let channel = ProcessorProcess.Channel(rawValue: event.token & 15),
            slots.indices.contains(slot), let process = slots[slot], event.token == token(slot, channel)
        else { return }
        switch channel {
        case .pid:
            bury(process, slot, now: now)
        case .input:
            if case .blocked = process.input.proceed() { return }
            // A closed descriptor has left the list by itself; one that waits for the next task must be taken
            // out.
            if let open = process.input.rawValue { forget(open) }
        case .output, .errors:
            read(channel, of: process)
        case .answers:
            _ = process.readAnswers(scratch: scratch) { act(on: $0, from: process, slot, now: now) }
        }
    }

    private func read(_ channel: ProcessorProcess.Channel, of process: ProcessorProcess) {
        guard untakenOutput.isEmpty else { return }
        _ = process.readOutput(channel, scratch: scratch, line: handOn)
        if !untakenOutput.isEmpty { holdBackOutput() }
    }

    private func act(
        on answer: ProcessorAnswer, from process: ProcessorProcess, _ slot: Int, now: MonotonicTime
    ) {
        let label = process.machine.taskInHand
        switch process.machine.take(answer, now: now) {
        case .none:
            break
        case .ready:
            startSucceeded()
        case .finished(let attempt, let verdict, let order):
            finish(attempt, verdict, process, slot, now: now)
            if let order { process.carryOut(order) }
        case .ends(let order):
            process.carryOut(order)
        case .progress(let task, let share):
            events.append(.progress(task, share: share))
        case .ignored(let sentence):
            events.append(.notice(ProcessorNotice(sentence: sentence, pid: process.child.pid, task: label)))
        }
    }

    private func finish(
        _ attempt: ProcessorMachine.Attempt, _ verdict: AttemptVerdict, _ process: ProcessorProcess,
        _ slot: Int, exit: ExitStatus? = nil, now: MonotonicTime
    ) {
        var tail: ArraySlice<UInt8> = []
        switch verdict {
        case .acked, .released: break
        case .failed, .dead: tail = process.stderrTail.bytes
        }
        let finished = FinishedAttempt(
            task: attempt.task.label, verdict: verdict,
            durationMilliseconds: attempt.timing.durationMilliseconds(until: now), exit: exit,
            stderrTail: tail)
        events.append(.finished(slot: slot, finished))
    }

    /// The process has ended: nothing of it stays, and what it leaves unsaid is said for it.
    private func bury(_ process: ProcessorProcess, _ slot: Int, now: MonotonicTime) {
        // Our own unreaped child can always be looked at.
        guard let status = (try? process.child.exitStatus()) ?? nil else { return }  // ignoring: above
        let killed = killLeftovers(of: process, now: now)
        readLast(of: process, slot, now: now)
        _ = try? process.child.reap()  // ignoring: exitStatus has just seen the zombie
        slots[slot] = nil
        if killed > 0 {
            let sentence = "killed \(killed) that it left behind"
            events.append(.notice(ProcessorNotice(sentence: sentence, pid: process.child.pid)))
        }
        let byMemory = status == .signalled(SIGKILL) && memory.sawKill()
        switch process.machine.ended(status, byMemory: byMemory, now: now) {
        case .quiet:
            break
        case .finished(let attempt, let verdict):
            finish(attempt, verdict, process, slot, exit: status, now: now)
            if options.settings.mode == .oneshot, !isDraining { startSucceeded() }
        case .couldNotStart(let attempt, let reason):
            if let attempt { finish(attempt, .released, process, slot, exit: status, now: now) }
            let tail = process.stderrTail.bytes
            startFailed(StartProblem(reason: reason, facts: facts(), stderrTail: tail), now: now)
        }
        fillSlots(now: now)
    }

    /// Before the zombie is reaped, so that the group's number is still its own.
    private func killLeftovers(of process: ProcessorProcess, now: MonotonicTime) -> Int {
        process.child.sendToGroup(signal: SIGKILL)
        let known = Set(slots.compactMap { $0?.child.pid })
        // With several processes alive an orphan without a mark cannot be laid at any one's door.
        let owner: Leftovers.Owner =
            options.ownsEveryOrphan && known.count == 1
            ? .everybody : .processor(group: process.child.pid, marker: process.marker)
        let sweep = Leftovers.kill(of: owner, sparing: known)
        dying += sweep.dying
        if !dying.isEmpty { reapAt = now.advanced(byMilliseconds: Self.reapMilliseconds) }
        return sweep.killed.count
    }

    private func readLast(of process: ProcessorProcess, _ slot: Int, now: MonotonicTime) {
        for channel in [ProcessorProcess.Channel.output, .errors] {
            var total = 0
            while total < Self.lastBytesMax,
                case .read(let count) = process.readOutput(channel, scratch: scratch, line: handOn)
            {
                total += count
            }
        }
        process.finishOutput(line: handOn)
        var total = 0
        while total < Self.lastBytesMax,
            case .read(let count) = process.readAnswers(
                scratch: scratch, answer: { act(on: $0, from: process, slot, now: now) })
        {
            total += count
        }
        if let answer = process.lastAnswer() { act(on: answer, from: process, slot, now: now) }
        if !untakenOutput.isEmpty { holdBackOutput() }
    }

    func passTime(now: MonotonicTime) {
        for process in slots {
            while let order = process?.machine.passTime(now: now) { process?.carryOut(order) }
        }
        if let reapAt, reapAt <= now {
            dying = Leftovers.reap(dying)
            self.reapAt = dying.isEmpty ? nil : now.advanced(byMilliseconds: Self.reapMilliseconds)
        }
        if let outputRetryAt, outputRetryAt <= now { offerOutputAgain(now: now) }
        if !untakenOutput.isEmpty, outputRetryAt == nil {
            outputRetryAt = now.advanced(byMilliseconds: Self.outputRetryMilliseconds)
        }
        guard !isDraining else { return }
        gate.passTime(now: now)
        if gate.state == .probing { probe(now: now) }
    }

    /// A stalled program is looked at again; where nothing stands against it, one start is tried.
    private func probe(now: MonotonicTime) {
        guard slots.allSatisfy({ $0 == nil }) || options.settings.mode == .stream else { return }
        if let problem = preflight() { return startFailed(problem, now: now) }
        if options.settings.mode == .oneshot, !toldProbing {
            toldProbing = true
            events.append(.probing)
        }
        fillSlots(now: now)
    }

    private func programMayHaveChanged(now: MonotonicTime) {
        let changes = watch.changes(scratch: scratch)
        if changes.manifest { events.append(.manifestChanged) }
        guard changes.program else { return }
        if gate.isStalled {
            gate.programChanged()
            problem = nil
        } else if options.settings.mode == .stream {
            events.append(
                .notice(ProcessorNotice(sentence: "\(options.program.path) has changed, starting it anew")))
            replace(now: now)
        }
    }

    /// Watches a pipe; one that is watched already, or cannot be, is read at the process's end at the latest.
    func watch(
        _ descriptor: CInt?, _ slot: Int, _ channel: ProcessorProcess.Channel, _ interest: Epoll.Interest
    ) {
        let token = token(slot, channel)
        try? register(descriptor, token: token, interest: interest)  // ignoring: see above
    }

    private func forget(_ descriptor: CInt) {
        try? epoll.remove(descriptor)  // ignoring: it was never added, or has left with its close
    }
}

// Output that nobody takes holds its writers back.
extension ProcessorSupervisor {
    func handOn(_ line: OutputLine) {
        if untakenOutput.isEmpty, takeOutput(line) { return }
        untakenOutput.append(line)
    }

    /// Stops looking at the pipes; they fill up, and the processors wait.
    func holdBackOutput() {
        for process in slots {
            if let descriptor = process?.output.rawValue { forget(descriptor) }
            if let descriptor = process?.errors.rawValue { forget(descriptor) }
        }
    }

    private func offerOutputAgain(now: MonotonicTime) {
        outputRetryAt = nil
        let taken = untakenOutput.firstIndex { !takeOutput($0) } ?? untakenOutput.count
        untakenOutput.removeFirst(taken)
        guard untakenOutput.isEmpty else { return }
        for (slot, process) in slots.enumerated() {
            guard let process else { continue }
            watch(process.output.rawValue, slot, .output, .readable)
            watch(process.errors.rawValue, slot, .errors, .readable)
        }
    }
}
