private import Glibc
package import LinuxSystem
private import ZMTP

/// A ROUTER: listens at unix sockets, and takes and sends whole messages over many connections.
///
/// Also the place where its thread waits, for its connections and for descriptors of others. One thread uses
/// it. Nothing but ``wait(timeoutMilliseconds:spinNanoseconds:)`` waits.
package final class RouterSocket {
    /// Names one connection; never used twice.
    package typealias ConnectionNumber = UInt32
    /// Names a descriptor of others.
    package typealias WatchToken = UInt32

    package enum Event: Hashable, Sendable {
        /// Somebody has connected and speaks our protocol; the listener's number is the one that
        /// ``listen(at:mode:)`` gave.
        case opened(ConnectionNumber, listener: Int, peer: PeerCredentials?)
        case message(ConnectionNumber, [UInt8])
        /// Everything that came before was given out.
        case closed(ConnectionNumber)
    }

    private enum Token {
        static let listener: UInt64 = 1 << 32
        static let watch: UInt64 = 1 << 33
    }

    private final class Connection {
        let number: ConnectionNumber
        let listener: Int
        let stream: PeerStream
        /// CLOCK_MONOTONIC nanoseconds by which the greeting has to be done.
        let greetingDeadline: UInt64
        /// The kernel said that there is something to read.
        var mayRead = false
        /// It is in `ready`.
        var isReady = false
        var asksToWrite = false

        init(number: ConnectionNumber, listener: Int, stream: PeerStream, greetingDeadline: UInt64) {
            self.number = number
            self.listener = listener
            self.stream = stream
            self.greetingDeadline = greetingDeadline
        }
    }

    /// A listener in a class, because arrays do not hold what cannot be copied.
    private final class Listener {
        let socket: StreamListener
        /// Something waits to be accepted.
        var mayAccept = false

        init(_ socket: consuming StreamListener) { self.socket = socket }
    }

    /// Accepted, or read from one connection, before the others have their turn.
    private static let acceptsPerTurn = 64
    private static let fillsPerTurn = 16
    /// How long nobody is accepted after the process ran out of descriptors.
    private static let exhaustionPauseNanoseconds: UInt64 = 100_000_000

    private let limits: SocketLimits
    private let epoll: Epoll
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var listeners: [Listener] = []
    private var connections: [ConnectionNumber: Connection] = [:]
    private var greeting: Set<ConnectionNumber> = []
    private var nextNumber: ConnectionNumber = 1
    /// Connections that may have something to give, in the order of their turns.
    private var ready: [Connection] = []
    private var kernelEvents: [Epoll.Event] = []
    /// Nobody is accepted before this time, CLOCK_MONOTONIC nanoseconds; 0 where nothing is in the way.
    private var acceptsAgainAt: UInt64 = 0
    /// Connections closed because there were too many, or no descriptor for them.
    package private(set) var refusedConnections: UInt64 = 0
    /// Dropped, and not yet told of.
    private var dropped: [ConnectionNumber] = []
    /// Connections ended because of what they said, or did not read.
    package private(set) var brokenConnections: UInt64 = 0

    package init(limits: SocketLimits = SocketLimits()) throws(SystemError) {
        self.limits = limits
        epoll = try Epoll()
    }

    deinit { buffer.deallocate() }

    /// Listens at a path from now on; gives the listener's number, from 0.
    ///
    /// A socket that is there goes, so whoever calls must be the only one who may listen there.
    @discardableResult
    package func listen(at path: String, mode: UInt32 = 0o660) throws(SystemError) -> Int {
        let listener = Listener(try StreamListener(bindingTo: path, mode: mode))
        let number = listeners.count
        try epoll.add(listener.socket.rawValue, token: Token.listener | UInt64(number), interest: .readable)
        listeners.append(listener)
        return number
    }

    /// Has ``wait(timeoutMilliseconds:spinNanoseconds:)`` tell when a descriptor of others is readable.
    package func watch(_ descriptor: CInt, token: WatchToken) throws(SystemError) {
        try epoll.add(descriptor, token: Token.watch | UInt64(token), interest: .readable)
    }

    package func unwatch(_ descriptor: CInt) {
        try? epoll.remove(descriptor)  // ignoring: closing the descriptor takes it out as well
    }
}

// Waiting.
extension RouterSocket {
    /// Waits until there is something to receive, a watched descriptor is readable, or the time is up (-1:
    /// never); gives the watched descriptors that are readable.
    ///
    /// Before it sleeps it looks again and again for `spinNanoseconds`: waking a sleeping core costs more
    /// than that where the next message is on its way.
    package func wait(timeoutMilliseconds: Int, spinNanoseconds: UInt64) throws(SystemError) -> [WatchToken] {
        var patience = timeoutMilliseconds
        if acceptsAgainAt > 0 {
            let pause = Int(Self.exhaustionPauseNanoseconds / 1_000_000)
            patience = patience < 0 ? pause : min(patience, pause)
        }
        if !ready.isEmpty || !dropped.isEmpty { patience = 0 }
        try look(patience: patience, spinNanoseconds: spinNanoseconds)
        var watched: [WatchToken] = []
        for event in kernelEvents {
            if event.token & Token.watch != 0 {
                watched.append(WatchToken(truncatingIfNeeded: event.token))
            } else if event.token & Token.listener != 0 {
                listeners[Int(event.token & 0xFFFF)].mayAccept = true
            } else if let connection = connections[ConnectionNumber(truncatingIfNeeded: event.token)] {
                take(event.readiness, of: connection)
            }
        }
        return watched
    }

    private func look(patience: Int, spinNanoseconds: UInt64) throws(SystemError) {
        if patience != 0, spinNanoseconds > 0 {
            let end = Clocks.monotonicNanoseconds() + spinNanoseconds
            repeat {
                try epoll.wait(into: &kernelEvents, timeoutMilliseconds: 0)
                if !kernelEvents.isEmpty { return }
                sched_yield()
            } while Clocks.monotonicNanoseconds() < end
        }
        try epoll.wait(into: &kernelEvents, timeoutMilliseconds: CInt(clamping: patience))
    }

    private func take(_ readiness: Epoll.Readiness, of connection: Connection) {
        if readiness.contains(.writable) {
            connection.stream.flush()
            updateInterest(of: connection)
        }
        guard !readiness.isDisjoint(with: [.readable, .hangUp, .error]) else { return }
        connection.mayRead = true
        if !connection.isReady {
            connection.isReady = true
            ready.append(connection)
        }
    }

    /// Asks the kernel to say when a backlog can go on, for as long as there is one.
    private func updateInterest(of connection: Connection) {
        guard connection.stream.isWriting != connection.asksToWrite else { return }
        let interest: Epoll.Interest = connection.asksToWrite ? .readable : [.readable, .writable]
        do throws(SystemError) {
            try epoll.modify(
                connection.stream.descriptor, token: UInt64(connection.number), interest: interest)
            connection.asksToWrite.toggle()
        } catch {
            preconditionFailure("a descriptor that is open and known can be asked about: \(error)")
        }
    }
}

// Messages.
extension RouterSocket {
    /// What has come, at most about `limit` events: each connection in its turn gives its share, oldest
    /// first.
    package func receive(limit: Int) -> [Event] {
        var events: [Event] = dropped.map { .closed($0) }
        dropped = []
        acceptAll()
        guard !ready.isEmpty else { return events }
        let turns = ready
        ready = []
        let share = max(1, limit / turns.count)
        var again: [Connection] = []
        for (index, connection) in turns.enumerated() {
            guard events.count < limit else {
                ready += turns[index...]
                break
            }
            if serve(connection, share: share, &events) {
                again.append(connection)
            } else {
                connection.isReady = false
            }
        }
        ready += again
        return events
    }

    /// True if the connection may have more to give.
    private func serve(_ connection: Connection, share: Int, _ events: inout [Event]) -> Bool {
        let most = events.count + share
        var fills = 0
        do throws(ProtocolFailure) {
            while true {
                while events.count < most, let event = try connection.stream.next() {
                    switch event {
                    case .established:
                        greeting.remove(connection.number)
                        let peer = connection.stream.peer()
                        events.append(
                            .opened(connection.number, listener: connection.listener, peer: peer))
                    case .message(let bytes): events.append(.message(connection.number, bytes))
                    }
                }
                if events.count >= most || fills >= Self.fillsPerTurn { return true }
                guard connection.mayRead else {
                    updateInterest(of: connection)
                    return false
                }
                fills += 1
                switch connection.stream.fill(buffer) {
                case .more: break
                case .drained: connection.mayRead = false
                case .ended:
                    close(connection, &events)
                    return false
                }
            }
        } catch {
            brokenConnections += 1
            close(connection, &events)
            return false
        }
    }

    private func close(_ connection: Connection, _ events: inout [Event]) {
        forget(connection)
        if connection.stream.isEstablished { events.append(.closed(connection.number)) }
    }

    private func forget(_ connection: Connection) {
        try? epoll.remove(connection.stream.descriptor)  // ignoring: closing it takes it out as well
        connections[connection.number] = nil
        greeting.remove(connection.number)
    }

    /// Sends one message, whole or not at all.
    ///
    /// Who does not read what he is sent is dropped: to offer it to him again and again helps nobody.
    package func send(_ bytes: [UInt8], to number: ConnectionNumber) -> SendOutcome {
        guard let connection = connections[number] else { return .unreachable }
        let outcome = bytes.withUnsafeBytes { connection.stream.send($0) }
        if outcome == .wouldBlock {
            brokenConnections += 1
            forget(connection)
            ready.removeAll { $0 === connection }
            dropped.append(number)
        } else {
            updateInterest(of: connection)
        }
        return outcome
    }

    private func acceptAll() {
        guard listeners.contains(where: \.mayAccept) else { return }
        let now = Clocks.monotonicNanoseconds()
        guard now >= acceptsAgainAt else { return }
        if acceptsAgainAt > 0 { pauseAccepting(until: 0) }
        dropOverdue(now: now)
        for index in listeners.indices where listeners[index].mayAccept { accept(index, now: now) }
    }

    private func accept(_ index: Int, now: UInt64) {
        listeners[index].mayAccept = false
        do throws(SystemError) {
            for _ in 0..<Self.acceptsPerTurn {
                guard let socket = try listeners[index].socket.accept() else { return }
                guard connections.count < limits.connectionsMax else {
                    refusedConnections += 1
                    continue
                }
                try add(socket, listener: index, now: now)
            }
        } catch {
            // No descriptor or no memory for another: those who are there go on, the others wait.
            refusedConnections += 1
            listeners[index].mayAccept = true
            pauseAccepting(until: now + Self.exhaustionPauseNanoseconds)
        }
    }

    /// Until then the kernel is not to say that somebody waits to be accepted; 0: from now on it is.
    private func pauseAccepting(until time: UInt64) {
        acceptsAgainAt = time
        for (number, listener) in listeners.enumerated() {
            let interest: Epoll.Interest = time == 0 ? .readable : []
            do throws(SystemError) {
                try epoll.modify(
                    listener.socket.rawValue, token: Token.listener | UInt64(number), interest: interest)
            } catch {
                preconditionFailure("a descriptor that is open and known can be asked about: \(error)")
            }
        }
    }

    private func add(_ socket: consuming StreamSocket, listener: Int, now: UInt64) throws(SystemError) {
        let connection = Connection(
            number: nextNumber, listener: listener, stream: PeerStream(socket, .router, limits: limits),
            greetingDeadline: now + limits.handshakeMilliseconds * 1_000_000)
        nextNumber += 1
        try epoll.add(
            connection.stream.descriptor, token: UInt64(connection.number), interest: .readable)
        connections[connection.number] = connection
        greeting.insert(connection.number)
    }

    /// Whoever connects and says nothing keeps his place only as long as nobody else wants one.
    private func dropOverdue(now: UInt64) {
        for number in greeting {
            guard let connection = connections[number], connection.greetingDeadline <= now else { continue }
            brokenConnections += 1
            forget(connection)
        }
    }
}
