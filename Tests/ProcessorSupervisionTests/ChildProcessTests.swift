import Glibc
import LinuxSystem
import ProcessorSupervision
import TestSupport
import Testing

@Suite struct ChildProcessTests {
    private func spawn(
        _ command: String, directory: String? = nil, descriptors: [CInt] = [-1, -1, -1], group: Bool = false
    ) throws -> ChildProcess {
        var request = SpawnRequest(
            path: "/bin/sh", arguments: ["sh", "-c", command], environment: ["PATH=/usr/bin:/bin"],
            directory: directory,
            descriptors: descriptors)
        request.leadsProcessGroup = group
        return try ChildProcess(spawning: request)
    }

    @Test(
        arguments: [("exit 0", .exited(0)), ("exit 255", .exited(255)), ("kill -TERM $$", .signalled(15))]
            as [(String, ProcessorSupervision.ExitStatus)])
    func theExitStatusIsSeenBeforeAndAfterReaping(command: String, status: ProcessorSupervision.ExitStatus)
        throws
    {
        let child = try spawn(command)
        try OwnedDescriptor.waitUntilReady(
            child.pidDescriptor, events: Int16(POLLIN), timeoutMilliseconds: 20_000)
        #expect(try child.exitStatus() == status)
        #expect(try child.exitStatus() == status)
        #expect(try child.reap() == status)
        #expect(try child.reap() == status)
        child.send(signal: SIGKILL)
    }

    @Test(arguments: [("/no/such/program", ENOENT), ("/etc/passwd", EACCES), ("/tmp", EACCES)])
    func aFailedExecutionThrowsItsErrno(path: String, number: CInt) {
        let request = SpawnRequest(path: path, arguments: [path], environment: [], descriptors: [-1, -1, -1])
        #expect(throws: ProcessorSupervisionError.cannotExecute(path: path, errno: number)) {
            _ = try ChildProcess(spawning: request)
        }
    }

    @Test func aMissingDirectoryThrowsItsErrno() {
        #expect(throws: ProcessorSupervisionError.cannotEnter(directory: "/no/such", errno: ENOENT)) {
            _ = try spawn("exit 0", directory: "/no/such")
        }
    }

    @Test func descriptorsArePlacedThoughTheyOverlapTheirTargets() throws {
        try TemporaryDirectory.with { directory in
            for name in ["0", "1", "2", "3"] { try directory.write("", to: name) }
            let files = ["0", "1", "2", "3"].map { open(directory.path($0), O_WRONLY | O_CLOEXEC) }
            defer { for file in files { close(file) } }
            // Swapped with each other, so that a plain dup2 in order would overwrite one with another.
            let child = try spawn(
                "echo one >&1; echo two >&2; echo three >&3", descriptors: [-1, files[1], files[2], files[3]])
            #expect(try child.waitForExit(timeoutMilliseconds: 20_000) == .exited(0))
            #expect(try TextFile.lines(of: directory.path("1")).first == "one")
            #expect(try TextFile.lines(of: directory.path("2")).first == "two")
            #expect(try TextFile.lines(of: directory.path("3")).first == "three")
        }
    }

    @Test func aSignalToTheGroupReachesGrandchildren() throws {
        try TemporaryDirectory.with { directory in
            let command = "sleep 300 & echo $! > \(directory.path)/pid; wait"
            let child = try spawn(command, group: true)
            #expect(getpgid(child.pid) == child.pid)
            let deadline = MonotonicDeadline.after(.seconds(20))
            var pid: Int32?
            while pid == nil {
                try #require(MonotonicDeadline.now() < deadline)
                let lines = try? TextFile.lines(of: directory.path("pid"))  // ignoring: not written yet
                pid = lines?.first.flatMap { Int32($0) }
            }
            let grandchild = try OwnedDescriptor(
                adopting: ProcessControl.openProcess(try #require(pid)).release())
            child.sendToGroup(signal: SIGKILL)
            #expect(try child.waitForExit(timeoutMilliseconds: 20_000) == .signalled(9))
            let ended = try OwnedDescriptor.waitUntilReady(
                grandchild.rawValue, events: Int16(POLLIN), timeoutMilliseconds: 20_000)
            #expect(ended)
        }
    }

    @Test func aChildWithoutAGroupOfItsOwnIsSignalledAlone() throws {
        let child = try spawn("exec sleep 300")
        #expect(getpgid(child.pid) == getpgrp())
        child.sendToGroup(signal: SIGTERM)
        #expect(try child.waitForExit(timeoutMilliseconds: 20_000) == .signalled(15))
    }

    @Test func aChildDiesWithTheThreadThatStartedIt() throws {
        let pids = SharedList<OwnedDescriptorBox>()
        let thread = try SystemThread(name: "parent") {
            guard let child = try? spawn("exec sleep 300") else { return }  // ignoring: none then
            guard let process = try? ProcessControl.openProcess(child.pid) else { return }  // ignoring: none
            pids.append(OwnedDescriptorBox(process))
        }
        thread.join()
        let process = try #require(pids.values.first)
        let ended = try OwnedDescriptor.waitUntilReady(
            process.descriptor.rawValue, events: Int16(POLLIN), timeoutMilliseconds: 20_000)
        #expect(ended)
    }
}

private final class OwnedDescriptorBox: Sendable {
    let descriptor: OwnedDescriptor
    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
}
