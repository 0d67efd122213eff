import Configuration
import Glibc
import LinuxSystem
import PluginKeeper
import ProcessorSupervision
import TaskModel

/// `taskq up`: runs the stack's programs as children and does what ``StackMachine`` says.
///
/// One thread.
///
/// The thread that calls ``run()`` must live as long as the process: its children die with it.
final class ForegroundStack {
    private enum Source {
        case signals
        case notifications
        case keeper
        case exit(StackMember)
        case output(StackMember)
    }

    /// A daemon ends with one of these when no restart can help: EX_DATAERR, EX_TEMPFAIL (the journal is
    /// another broker's), EX_CONFIG.
    private static let finalStatuses: Set<UInt8> = [65, 75, 78]

    private var options: ForegroundOptions
    private let keeper: PluginKeeper
    private var keeperIsDue = true
    /// What each worker gets as `--plugin`, by its queue.
    private var plugins: [String: String] = [:]
    private let epoll: Epoll
    private let signals: SignalDescriptor
    private let hadTerminal: Bool
    private let notifications: DatagramSocket
    /// An abstract name: sd_notify takes no relative path, and absolute ones may be too long for a socket.
    private let notifyName: String
    private var machine: StackMachine
    private var printer: StackPrinter
    private var children: [StackMember: StackChild] = [:]
    private var sources: [UInt64: Source] = [:]
    private var nextToken: UInt64 = 1
    /// Where ingest listens, from its own line: a port of 0 has become a real one.
    private var address: String?
    /// Ingest is ready, its line with the address is still on its way.
    private var ingestWaitsForAddress = false
    private var exitCode: Int32?

    /// `signals` are blocked already, before any thread was started.
    init(_ options: ForegroundOptions, signals: consuming SignalDescriptor) throws {
        self.options = options
        self.signals = signals
        hadTerminal = ProcessControl.hasTerminal
        notifyName = "@taskq-up/\(String(try RandomBytes.word(), radix: 16))"
        notifications = try DatagramSocket(bindingTo: notifyName)
        epoll = try Epoll()
        machine = StackMachine()
        keeper = try PluginKeeper(
            folders: options.pluginFolders, adminSocket: options.configuration.paths.adminSocket,
            now: MonotonicTime(rawValue: Clocks.monotonicNanoseconds()))
        printer = StackPrinter(isJSON: options.isJSON)
        try watch(self.signals.rawValue, .signals)
        try watch(notifications.rawValue, .notifications)
        try watch(keeper.pollDescriptor, .keeper)
    }

    /// The exit code.
    func run() throws -> Int32 {
        perform(machine.begin(at: now()))
        var events: [Epoll.Event] = []
        while exitCode == nil {
            try epoll.wait(into: &events, timeoutMilliseconds: timeout())
            // Readiness is heard before deaths: a member may say it and die.
            try takeNotifications()
            for event in events {
                guard let source = sources[event.token] else { continue }
                try take(source)
            }
            if !machine.isStopping { try keepPlugins() }
            perform(machine.tick(at: now()))
            printer.tick(at: now())
        }
        reapOrphans()
        return exitCode ?? 0
    }

    private func now() -> UInt64 { Clocks.monotonicNanoseconds() / 1_000_000 }

    private func timeout() -> CInt {
        // Rounded up: a turn before its deadline would find nothing to do.
        let keeperAt = keeper.nextDeadline.map { ($0.rawValue + 999_999) / 1_000_000 }
        let deadlines = [machine.nextDeadline, printer.nextDeadline, machine.isStopping ? nil : keeperAt]
        guard let due = deadlines.compactMap({ $0 }).min() else { return -1 }
        let present = now()
        return due <= present ? 0 : CInt(clamping: due - present)
    }

    private func watch(_ descriptor: CInt, _ source: Source) throws(SystemError) {
        try epoll.add(descriptor, token: nextToken, interest: .readable)
        sources[nextToken] = source
        nextToken += 1
    }

    private func take(_ source: Source) throws {
        switch source {
        case .signals: try takeSignals()
        case .notifications: return
        case .keeper: keeperIsDue = true
        case .exit(let member): try takeEnd(of: member)
        case .output(let member):
            guard let child = children[member] else { return }
            let isOpen = try child.readLines { show($0, from: member) }
            if !isOpen { try epoll.remove(child.outputDescriptor) }
        }
    }

    private func takeSignals() throws {
        while let delivery = try signals.next() {
            if delivery.signal == SIGCHLD {
                reapOrphans()
                continue
            }
            if delivery.signal == SIGHUP, !isHungUp {
                printer.say("reading the configuration again")
                perform(machine.reloadRequested())
                continue
            }
            printer.say(machine.isStopping ? "killing everything" : "stopping")
            perform(machine.stopRequested(at: now()))
        }
    }

    /// Whether the terminal that it was started in has gone: SIGHUP is its end then, else an order to reload.
    private var isHungUp: Bool { hadTerminal && !ProcessControl.hasTerminal }

    private func takeNotifications() throws {
        while let datagram = try notifications.receive() {
            let sender = children.first { $0.value.process.pid == datagram.senderPID }?.key
            guard let member = sender else { continue }
            let message = NotifyMessage(datagram.bytes)
            // A worker's own lines say the same: only recovery has no other voice.
            if let status = message.status, member == .broker, !message.isReady, !machine.isStopping {
                printer.say(status, from: member.label)
            }
            if message.isReady { becameReady(member) }
        }
    }

    /// Looks after the plugin folders, and gives each queue the worker that it is to have.
    private func keepPlugins() throws {
        let time = MonotonicTime(rawValue: Clocks.monotonicNanoseconds())
        guard keeperIsDue || keeper.nextDeadline.map({ $0 <= time }) ?? false else { return }
        keeperIsDue = false
        for order in try keeper.turn(now: time) {
            switch order {
            case .start(let found):
                plugins[found.queue] = found.path
                perform(machine.serve(found.queue, at: now()))
            case .replace(let found):
                plugins[found.queue] = found.path
                perform(machine.renew(found.queue, at: now()))
            case .stop(let queue):
                plugins[queue] = nil
                perform(machine.retire(queue, at: now()))
            case .tell(let notice): printer.tell(notice)
            }
        }
    }

    private func becameReady(_ member: StackMember) {
        if member == .ingest, address == nil, addressIsOnlyInItsLine {
            ingestWaitsForAddress = true
            return
        }
        perform(machine.ready(member, at: now()))
    }

    /// The kernel chooses the port, and ingest's log is not too quiet to name it.
    private var addressIsOnlyInItsLine: Bool {
        switch options.configuration.log.level {
        case .trace, .debug, .info, .notice: options.configuration.api.listen.port == 0
        case .warning, .error: false
        }
    }

    private func show(_ bytes: ArraySlice<UInt8>, from member: StackMember) {
        let line = ChildLine(bytes)
        printer.show(bytes, from: member, line, at: now())
        guard member == .ingest, line?.message == "listening", let told = line?.fields["address"] else {
            return
        }
        address = told
        if ingestWaitsForAddress {
            ingestWaitsForAddress = false
            perform(machine.ready(.ingest, at: now()))
        }
    }

    private func takeEnd(of member: StackMember) throws {
        guard let child = children[member], let status = try child.process.reap() else { return }
        try child.readRest { show($0, from: member) }
        children[member] = nil
        sources = sources.filter { _, source in
            switch source {
            case .exit(member), .output(member): false
            case .exit, .output, .signals, .notifications, .keeper: true
            }
        }
        if member == .ingest {
            // A port once taken from the kernel is kept: clients and processors know it.
            options.listen = address ?? options.listen
            address = nil
        }
        // Its orphans are ours now; they die before a successor starts.
        reapOrphans()
        perform(machine.ended(member, Self.ending(status), at: now()))
    }

    private static func ending(_ status: ExitStatus) -> StackMachine.Ending {
        switch status {
        case .exited(let code): .init(words: "exit \(code)", isFinal: finalStatuses.contains(code))
        case .signalled(let number): .init(words: "signal \(number)", isFinal: false)
        }
    }

    /// Kills the processes that dead members left behind: as subreaper, or as a container's first process,
    /// they are this one's children.
    private func reapOrphans() {
        let known = Set(children.values.map(\.process.pid))
        let pids = try? ProcessControl.children()  // ignoring: without /proc there is nobody to find
        for pid in pids ?? [] where !known.contains(pid) { ProcessControl.killAndReap(pid) }
    }

    private func perform(_ actions: [StackMachine.Action]) {
        for action in actions {
            switch action {
            case .start(let member): start(member)
            case .terminate(let member): children[member]?.process.send(signal: SIGTERM)
            case .kill(let member): children[member]?.process.sendToGroup(signal: SIGKILL)
            case .reload(let member): children[member]?.process.send(signal: SIGHUP)
            case .announce: announce()
            case .say(let text): printer.say(text)
            case .finish(let code): exitCode = code
            }
        }
    }

    private func start(_ member: StackMember) {
        do {
            let child = try StackChild(
                member, path: options.path(of: member),
                arguments: options.arguments(for: member, plugins: plugins),
                environment: environment(for: member))
            children[member] = child
            try watch(child.process.pidDescriptor, .exit(member))
            try watch(child.outputDescriptor, .output(member))
        } catch {
            perform(
                machine.ended(member, .init(words: "cannot be started: \(error)", isFinal: false), at: now()))
        }
    }

    private func environment(for member: StackMember) -> [String] {
        let own = ["NOTIFY_SOCKET=", "WATCHDOG_USEC=", "WATCHDOG_PID=", "LISTEN_", "JOURNAL_STREAM="]
        var variables = options.variables.filter { variable in !own.contains { variable.hasPrefix($0) } }
        variables.append("NOTIFY_SOCKET=\(notifyName)")
        if member.isWorker {
            variables.removeAll { $0.hasPrefix("TASKQ_URL=") }
            variables.append("TASKQ_URL=http://\(shownAddress)")
        }
        return variables
    }

    private var shownAddress: String {
        address ?? options.listen ?? options.configuration.api.listen.description
    }

    private func announce() {
        printer.say("ready on http://\(shownAddress)")
        printer.banner(
            Banner.text(
                address: shownAddress, pluginFolders: options.pluginFolders, queues: plugins.keys.sorted(),
                state: options.stateDirectory))
    }
}
