import LinuxSystem
import Logging
import ProcessorSupervision
import Systemd
import TaskModel
import WireProtocol

// Tasks to processors, their answers, and the way out.
extension WorkerDaemon {
    /// Gives what waits to whoever is free.
    func startWaiting(now: MonotonicTime) {
        while let task = ledger.nextWaiting {
            let wall = WallTime(rawValue: Clocks.wallMilliseconds())
            guard let slot = supervisor.assign(processorTask(task), now: now, wall: wall) else { break }
            ledger.started(task.receipt, in: slot)
            log.started(task)
            act(on: supervisor.takeEvents(), now: now)
        }
        // What cannot start must not keep its group waiting.
        if supervisor.isStalled, supervisor.capacity == 0 { giveBackWaiting() }
    }

    private func processorTask(_ task: DeliveredTask) -> ProcessorTask {
        ProcessorTask(
            label: .init(id: task.id, group: task.group, attempt: task.attempt), queue: options.queue,
            sequence: task.sequence, maxAttempts: task.maxAttempts, traceparent: task.traceparent,
            payload: task.payload)
    }

    func giveBackWaiting() {
        for release in ledger.releaseWaiting() { say(release) }
    }

    func act(on events: [ProcessorEvent], now: MonotonicTime) {
        for event in events {
            switch event {
            case .finished(let slot, let attempt):
                guard let answer = ledger.finished(slot: slot, attempt) else { continue }
                say(answer)
                log.finished(attempt)
            case .progress(let task, let share):
                log.say(.debug, "progress", ["task.id": "\(task)", "share": "\(share)"])
            case .stalled(let problem):
                stall = problem.sentence
                guard problem != loggedStall else { continue }
                loggedStall = problem
                log.stalled(problem)
                notify(.status("stalled: \(problem.sentence)"))
            case .probing:
                stall = ""
            case .unstalled:
                stall = ""
                loggedStall = nil
                log.say(.notice, "processor starts again")
                notify(.status("serving \(options.queue)"))
            case .manifestChanged:
                log.say(.notice, "plugin.toml has changed, starting anew with it")
                if case .serving = stage { stop(now: now) }
            case .notice(let notice):
                log.notice(notice)
            }
        }
    }

    /// The first time: no more tasks, and those in hand are finished.
    ///
    /// Again: nothing is waited for.
    func stop(now: MonotonicTime) {
        switch stage {
        case .serving:
            stage = .draining(
                until: now.advanced(byMilliseconds: options.supervision.settings.stopGraceMilliseconds))
            notify(.stopping)
            supervisor.drain(now: now)
            giveBackWaiting()
        case .draining, .stopping:
            stage = .stopping
            supervisor.stop(now: now)
        case .confirming, .over:
            stage = .over
        }
    }

    func passStage(now: MonotonicTime) {
        switch stage {
        case .serving, .over:
            return
        case .draining(let until):
            if supervisor.processCount > 0, until <= now { stop(now: now) }
        case .stopping, .confirming:
            break
        }
        guard supervisor.processCount == 0 else { return }
        if ledger.isEmpty {
            stage = .over
        } else if case .confirming(let until) = stage {
            if until <= now { stage = .over }
        } else {
            stage = .confirming(until: now.advanced(byMilliseconds: options.confirmMilliseconds))
        }
    }
}
