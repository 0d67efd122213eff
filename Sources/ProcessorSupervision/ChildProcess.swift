private import CSpawn
private import Glibc
private import LinuxSystem

/// What to start, and in which surroundings.
///
/// Nothing else is inherited.
package struct SpawnRequest: Sendable {
    package var path: String
    /// The whole vector, the program's own name first.
    package var arguments: [String]
    /// `NAME=value`.
    package var environment: [String]
    /// Nil keeps the parent's.
    package var directory: String?
    /// The child's descriptors 0, 1, 2 …, at most 16; -1 leaves that number closed.
    package var descriptors: [CInt]
    /// The child leads a process group of its own, so that one signal reaches it and its children.
    package var leadsProcessGroup = false
    /// Nil keeps the parent's umask.
    package var fileModeMask: UInt32?
    /// 0 keeps the parent's.
    package var oomScoreAdjustment: CInt = 0

    package init(
        path: String, arguments: [String], environment: [String], directory: String? = nil,
        descriptors: [CInt]
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.descriptors = descriptors
    }
}

/// How a process ended.
package enum ExitStatus: Hashable, Sendable {
    case exited(UInt8)
    case signalled(CInt)
}

/// A child process: its pid, and the pidfd that tells of its death.
///
/// Killed and reaped by its owner, not by deinit.
///
/// Spawn only from a thread that lives as long as this process: the kernel kills the child when that thread
/// ends.
package final class ChildProcess {
    package let pid: Int32
    private let leadsProcessGroup: Bool
    private let pidfd: OwnedDescriptor
    /// Set once the zombie has been taken away; the pid means nothing from then on.
    private var reaped: ExitStatus?

    /// Starts the program; returns when it has been executed.
    package init(spawning request: SpawnRequest) throws(ProcessorSupervisionError) {
        var spawned = taskq_spawned()
        let failure = Self.spawn(request, &spawned)
        guard failure == 0 else {
            switch taskq_spawn_step(rawValue: UInt32(bitPattern: spawned.step)) {
            case TASKQ_SPAWN_EXEC: throw .cannotExecute(path: request.path, errno: failure)
            case TASKQ_SPAWN_DIRECTORY:
                throw .cannotEnter(directory: request.directory ?? ".", errno: failure)
            case _: throw .cannotFork(errno: failure)
            }
        }
        pid = spawned.pid
        pidfd = OwnedDescriptor(adopting: spawned.pidfd)
        leadsProcessGroup = request.leadsProcessGroup
    }

    /// Readable from the child's end on, whether or not it has been reaped.
    package var pidDescriptor: CInt { pidfd.rawValue }

    /// Signals the child itself.
    ///
    /// A child that has ended already takes no signal, which is no error.
    package func send(signal: CInt) {
        guard reaped == nil else { return }
        try? ProcessControl.send(signal: signal, to: pidfd)  // ignoring: it has ended
    }

    /// Signals everything in the child's process group; the child alone where it does not lead one.
    package func sendToGroup(signal: CInt) {
        guard leadsProcessGroup else { return send(signal: signal) }
        // Until the leader is reaped nobody else can get its group's number.
        guard reaped == nil else { return }
        _ = kill(-pid, signal)
    }

    /// How the child ended; nil while it runs.
    ///
    /// Leaves the zombie, so that its group can still be signalled.
    package func exitStatus() throws(ProcessorSupervisionError) -> ExitStatus? {
        if let reaped { return reaped }
        return try look(reap: false)
    }

    /// Takes the zombie away; nil while the child runs.
    package func reap() throws(ProcessorSupervisionError) -> ExitStatus? {
        if reaped == nil { reaped = try look(reap: true) }
        return reaped
    }

    /// Waits for the child's end and reaps it; nil after the time-out, which is in milliseconds, -1 for none.
    package func waitForExit(timeoutMilliseconds: CInt) throws(ProcessorSupervisionError) -> ExitStatus? {
        do throws(SystemError) {
            try OwnedDescriptor.waitUntilReady(
                pidfd.rawValue, events: Int16(POLLIN), timeoutMilliseconds: timeoutMilliseconds)
        } catch {
            throw .system(error)
        }
        return try reap()
    }

    private func look(reap: Bool) throws(ProcessorSupervisionError) -> ExitStatus? {
        var exit = taskq_exit()
        let failure = taskq_child_exit(pid, reap, &exit)
        guard failure == 0 else { throw .system(SystemError(call: "waitid", errno: failure)) }
        guard exit.ended else { return nil }
        return exit.by_signal ? .signalled(exit.number) : .exited(UInt8(truncatingIfNeeded: exit.number))
    }

    private static func spawn(_ request: SpawnRequest, _ spawned: inout taskq_spawned) -> CInt {
        withArgumentVector(request.arguments) { arguments in
            withArgumentVector(request.environment) { environment in
                request.descriptors.withUnsafeBufferPointer { descriptors in
                    request.path.withCString { path in
                        withOptionalCString(request.directory) { directory in
                            var call = taskq_spawn_request()
                            call.path = path
                            call.arguments = arguments
                            call.environment = environment
                            call.directory = directory
                            call.descriptors = descriptors.baseAddress
                            call.descriptor_count = CInt(descriptors.count)
                            call.own_group = request.leadsProcessGroup
                            call.set_file_mask = request.fileModeMask != nil
                            call.file_mask = request.fileModeMask ?? 0
                            call.oom_score_adjustment = request.oomScoreAdjustment
                            return taskq_spawn(&call, &spawned)
                        }
                    }
                }
            }
        }
    }
}

private func withOptionalCString<Result>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

/// Lays strings out as C's null-terminated vector, in one block of memory.
private func withArgumentVector<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var characters: [CChar] = []
    var starts: [Int] = []
    for string in strings {
        starts.append(characters.count)
        characters.append(contentsOf: string.utf8.map { CChar(bitPattern: $0) })
        characters.append(0)
    }
    return characters.withUnsafeMutableBufferPointer { buffer in
        var vector = starts.map { start in buffer.baseAddress.map { $0 + start } }
        vector.append(nil)
        return vector.withUnsafeBufferPointer { pointers in
            guard let base = pointers.baseAddress else {
                preconditionFailure("a vector holds its end at least")
            }
            return body(base)
        }
    }
}
