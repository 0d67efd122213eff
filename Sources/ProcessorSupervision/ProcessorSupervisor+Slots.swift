private import Glibc
internal import LinuxSystem
package import TaskModel

// Starting, giving out tasks, stopping.
extension ProcessorSupervisor {
    /// Gives a task to a free process, or starts one for it.
    ///
    /// Nil where none is free: the task is still the caller's.
    ///
    /// A process that cannot be started gives the task back through the events.
    package func assign(_ task: ProcessorTask, now: MonotonicTime, wall: WallTime) -> Int? {
        let deadline = WallTime(rawValue: wall.rawValue &+ options.settings.timeoutMilliseconds)
        switch options.settings.mode {
        case .stream:
            for (slot, process) in slots.enumerated() {
                guard let process, case .idle = process.machine.phase else { continue }
                process.machine.assign(task, now: now)
                process.stderrTail.removeAll()
                write(task.line(deadline: deadline), thenClose: false, to: process, slot)
                return slot
            }
            return nil
        case .oneshot:
            guard let slot = slots.firstIndex(where: { $0 == nil }) else { return nil }
            let machine = ProcessorMachine(oneshotWith: options.settings, task: task, now: now)
            let variables = ProcessorSurroundings.variables(of: task, deadline: deadline)
            guard let process = spawn(machine, into: slot, adding: variables, now: now) else {
                giveBack(task, slot: slot)
                return slot
            }
            write(task.standardInput, thenClose: true, to: process, slot)
            return slot
        }
    }

    /// Kills the process in the slot, and says nothing of its task: its delivery means nothing any more.
    package func abandon(slot: Int) {
        guard let process = slots[slot], let order = process.machine.abandon() else { return }
        process.carryOut(order)
    }

    /// No new tasks; processes end as soon as they have nothing in hand.
    package func drain(now: MonotonicTime) {
        isDraining = true
        replace(now: now)
    }

    /// Ends every process without waiting for its task, which is given back uncounted.
    package func stop(now: MonotonicTime) {
        isDraining = true
        for process in slots {
            guard let process, let order = process.machine.stop(now: now) else { continue }
            process.carryOut(order)
        }
    }

    /// Every process finishes what it has in hand and ends; its slot is filled anew unless this drains.
    func replace(now: MonotonicTime) {
        for process in slots {
            guard let process, let order = process.machine.finishAndEnd(now: now) else { continue }
            process.carryOut(order)
        }
    }

    /// Keeps as many processes of a stream processor as the gate and the settings allow.
    func fillSlots(now: MonotonicTime) {
        guard options.settings.mode == .stream, !isDraining else { return }
        for slot in slots.indices where slots[slot] == nil {
            let starting = slots.count { process in
                if case .starting = process?.machine.phase { true } else { false }
            }
            guard starting < gate.startsMax(of: slots.count) else { return }
            let machine = ProcessorMachine(streamWith: options.settings, now: now)
            guard spawn(machine, into: slot, adding: [], now: now) != nil else { return }
        }
    }

    private func spawn(
        _ machine: ProcessorMachine, into slot: Int, adding variables: [String], now: MonotonicTime
    ) -> ProcessorProcess? {
        if let problem = preflight() {
            startFailed(problem, now: now)
            return nil
        }
        spawns += 1
        let marker = "\(markerPrefix)-\(spawns)"
        let environment = options.surroundings.environment(
            adding: options.settings.environment, queue: options.program.queue,
            marker: String(marker.drop { $0 != "=" }.dropFirst()))
        do throws(ProcessorSupervisionError) {
            let process = try ProcessorProcess(
                options.program, environment: environment + variables, marker: marker, machine: machine)
            slots[slot] = process
            generations[slot] += 1
            try watchDescriptors(of: process, slot)
            return process
        } catch {
            startFailed(StartProblem(executing: error, facts: facts()), now: now)
            if let process = slots[slot] {
                process.child.sendToGroup(signal: SIGKILL)
                _ = try? process.child.waitForExit(timeoutMilliseconds: 1_000)  // ignoring: KILL was sent
                slots[slot] = nil
            }
            return nil
        }
    }

    private func watchDescriptors(of process: ProcessorProcess, _ slot: Int) throws(ProcessorSupervisionError)
    {
        try register(process.child.pidDescriptor, token: token(slot, .pid), interest: .readable)
        try register(process.answers.rawValue, token: token(slot, .answers), interest: .readable)
        guard untakenOutput.isEmpty else { return }
        try register(process.output.rawValue, token: token(slot, .output), interest: .readable)
        try register(process.errors.rawValue, token: token(slot, .errors), interest: .readable)
    }

    private func write(_ bytes: [UInt8], thenClose: Bool, to process: ProcessorProcess, _ slot: Int) {
        guard case .blocked = process.input.write(bytes, thenClose: thenClose) else { return }
        watch(process.input.rawValue, slot, .input, .writable)
    }

    private func giveBack(_ task: ProcessorTask, slot: Int) {
        let attempt = FinishedAttempt(
            task: task.label, verdict: .released, durationMilliseconds: 0, stderrTail: [])
        events.append(.finished(slot: slot, attempt))
    }
}
