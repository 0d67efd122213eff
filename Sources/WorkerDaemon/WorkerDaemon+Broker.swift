import LinuxSystem
import Logging
import ProcessorSupervision
import ServiceLog
import TaskModel
import WireProtocol
import ZeroMQ

// The conversation with the broker.
extension WorkerDaemon {
    func readBroker(now: MonotonicTime) throws(WorkerDaemonError) {
        var events: [DealerSocket.Event] = []
        do throws(SystemError) {
            try socket.receive(into: &events)
        } catch {
            throw .system(error)
        }
        for event in events {
            switch event {
            case .connected:
                sayHello(now: now)
            case .message(let bytes):
                read(bytes, now: now)
            case .disconnected:
                if link.isConnected {
                    log.say(.warning, "broker away, processors go on", CatalogMessage.brokerAway.with())
                }
                link.lost()
                frame = FrameWriter()
                unsent = []
            }
        }
    }

    /// One bad frame is counted and dropped, with what was read of it acted upon.
    private func read(_ bytes: [UInt8], now: MonotonicTime) {
        do {
            var reader = try FrameReader(bytes)
            while let reply = try reader.nextReply() { act(on: reply, now: now) }
        } catch {
            badFrames += 1
            log.say(
                .warning, "bad frame from the broker",
                CatalogMessage.frameRefused.with(["detail": "\(error)"]))
        }
    }

    private func act(on reply: Reply, now: MonotonicTime) {
        switch reply {
        case .welcome(let welcome):
            welcomed(welcome, now: now)
        case .helloRequired:
            sayHello(now: now)
        case .helloRefused(let reason):
            log.say(.info, "broker refused the hello, trying again", ["reason": "\(reason)"])
            link.refused(now: now)
        case .rejected(let reason):
            log.say(
                .warning, "broker could not read a message",
                CatalogMessage.frameRefused.with(["detail": "\(reason)"]))
        case .delivery(let task):
            // Before the welcome it can only stem from a connection that the hello has just declared lost.
            guard link.isConnected, ledger.take(task) else { return }
            if case .serving = stage { startWaiting(now: now) } else { giveBackWaiting() }
        case .settled(let receipt, let outcome):
            guard let slot = ledger.settled(receipt, outcome) else { return }
            log.say(.notice, "lease lost, killing its processor", ["receipt": "\(receipt.lsn.rawValue)"])
            supervisor.abandon(slot: slot)
        case .enqueued, .task, .cancelled, .queues, .status, .done, .dead, .acted, .payload, .deletion,
            .blocked, .backup:
            log.say(.debug, "reply that a worker does not wait for")
        }
    }

    private func welcomed(_ welcome: Welcome, now: MonotonicTime) {
        link.welcomed(leaseMilliseconds: welcome.leaseMilliseconds, now: now)
        log.say(.info, "connected to the broker", ["session": "\(session.rawValue)"])
        toldCredit = nil
        toldStall = ""
        for answer in ledger.unconfirmed { frame.append(answer) }
    }

    /// Names every receipt that is held: what is not named counts as never arrived.
    func sayHello(now: MonotonicTime) {
        link.greet()
        frame = FrameWriter()
        unsent = []
        frame.append(
            Request.hello(
                Hello(
                    role: .worker, name: options.workerName, session: session, queue: options.queue,
                    receipts: ledger.receipts)))
    }

    func say(_ answer: Request) {
        // Away, the ledger keeps it; the next welcome brings it out.
        if link.isConnected { frame.append(answer) }
    }

    /// Credit counts what is held, so an ack makes room by itself: it is told only when it changes.
    func tellCredit() {
        guard link.isConnected else { return }
        if stall != toldStall {
            frame.append(Request.stalled(reason: stall))
            toldStall = stall
        }
        var credit = supervisor.capacity
        if case .serving = stage {} else { credit = 0 }
        guard credit != toldCredit else { return }
        frame.append(Request.credit(tasks: UInt16(clamping: credit)))
        toldCredit = credit
    }

    func flush() throws(WorkerDaemonError) {
        if !frame.isEmpty { unsent.append(frame.take()) }
        var sent = 0
        do throws(SystemError) {
            while sent < unsent.count, try socket.send(unsent[sent]) == .sent { sent += 1 }
        } catch {
            throw .system(error)
        }
        unsent.removeFirst(sent)
    }
}
