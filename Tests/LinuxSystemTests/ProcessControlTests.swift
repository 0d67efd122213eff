import Glibc
import LinuxSystem
import Synchronization
import TestSupport
import Testing

@Suite struct ProcessControlTests {
    @Test func aProcessThatHasGoneCannotBeOpened() {
        // Beyond the kernel's largest pid, so that nobody has it.
        #expect(throws: SystemError(call: "pidfd_open", errno: ESRCH)) {
            _ = try ProcessControl.openProcess(4_194_304 + 1)
        }
    }

    @Test func theDescriptorOfALiveProcessIsNotReadable() throws {
        let own = try ProcessControl.openProcess(getpid())
        let ready = try OwnedDescriptor.waitUntilReady(
            own.rawValue, events: Int16(POLLIN), timeoutMilliseconds: 0)
        #expect(!ready)
        try ProcessControl.send(signal: 0, to: own)
    }

    @Test func aThreadRunsItsBodyAndIsJoined() throws {
        let ran = SharedList<Int>()
        let thread = try SystemThread(name: "taskq-test") { ran.append(1) }
        thread.join()
        #expect(ran.values == [1])
    }

    @Test func randomWordsDiffer() throws {
        #expect(try RandomBytes.word() != RandomBytes.word())
    }

    @Test func aBlockedSignalIsRead() async throws {
        let delivery = try await DedicatedThreads.run {
            let signals = try SignalDescriptor(blocking: [SIGUSR2])
            pthread_kill(pthread_self(), SIGUSR2)
            return try signals.next()
        }
        #expect(delivery?.signal == SIGUSR2)
        #expect(delivery?.sender == getpid())
    }

    @Test func anAbstractNameIsBoundOnceAndLeavesNoFile() throws {
        let name = "@taskq-test/\(try RandomBytes.word())"
        let bound = try DatagramSocket(bindingTo: name)
        #expect(throws: SystemError(call: "bind \(name)", errno: EADDRINUSE)) {
            _ = try DatagramSocket(bindingTo: name)
        }
        #expect(!FileContents.exists(name))
        #expect(try bound.receive() == nil)
    }

    @Test func aVariableIsFoundByItsWholeName() {
        let variables = ["PATHS=x", "PATH=/bin:/usr/bin", "EMPTY="]
        #expect(ProcessEnvironment.value(of: "PATH", in: variables) == "/bin:/usr/bin")
        #expect(ProcessEnvironment.value(of: "EMPTY", in: variables) == "")
        #expect(ProcessEnvironment.value(of: "NONE", in: variables) == nil)
        #expect(ProcessEnvironment.variables().contains { $0.hasPrefix("PATH=") })
    }

    @Test func aPipeCarriesBytesFromOneEndToTheOther() throws {
        let pipe = try PipeEnds()
        _ = try [UInt8](1...3).withUnsafeBytes { try pipe.writing.write($0) }
        var buffer = [UInt8](repeating: 0, count: 8)
        let outcome = try buffer.withUnsafeMutableBytes { try pipe.reading.read(into: $0) }
        #expect(outcome == .read(bytes: 3))
    }

    @Test func aDatagramNamesItsSender() throws {
        try TemporaryDirectory.with { directory in
            let receiver = try DatagramSocket(bindingTo: directory.path("s"))
            #expect(try receiver.receive() == nil)
            let sender = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(sender) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: directory.path("s").utf8) }
            let sent = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(sender, "READY=1", 7, 0, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(sent == 7)
            let datagram = try #require(try receiver.receive())
            #expect(datagram.bytes == Array("READY=1".utf8))
            #expect(datagram.senderPID == getpid())
        }
    }
}
