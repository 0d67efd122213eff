import Glibc
import LinuxSystem
import Systemd
import TestSupport
import Testing

/// Variables belong to the process: these tests take turns.
@Suite(.serialized) struct SystemdServiceTests {
    @Test func notificationsReachTheSocketInTheirOrder() throws {
        try TemporaryDirectory.with { directory in
            let receiver = try DatagramSocket(bindingTo: directory.path("notify"))
            setenv("NOTIFY_SOCKET", directory.path("notify"), 1)
            defer { unsetenv("NOTIFY_SOCKET") }
            let told = try SystemdService.notify(
                .ready, .status("1 waiting\nREADY=0"), .extendTimeout(microseconds: 5))
            #expect(told)
            let datagram = try #require(try receiver.receive())
            let text = String(decoding: datagram.bytes, as: UTF8.self)
            #expect(text == "READY=1\nSTATUS=1 waiting READY=0\nEXTEND_TIMEOUT_USEC=5")
            #expect(datagram.senderPID == getpid())
        }
    }

    @Test func withoutAManagerNobodyIsTold() throws {
        unsetenv("NOTIFY_SOCKET")
        let told = try SystemdService.notify(.ready)
        #expect(!told)
    }

    @Test func theWatchdogsIntervalIsTheManagers() throws {
        setenv("WATCHDOG_USEC", "3000000", 1)
        let interval = try SystemdService.watchdogMicroseconds()
        unsetenv("WATCHDOG_USEC")
        #expect(interval == 3_000_000)
        #expect(try SystemdService.watchdogMicroseconds() == nil)
    }

    @Test func socketsForAnotherProcessAreNotTaken() throws {
        setenv("LISTEN_FDS", "1", 1)
        setenv("LISTEN_PID", "1", 1)
        defer {
            unsetenv("LISTEN_FDS")
            unsetenv("LISTEN_PID")
        }
        #expect(try SystemdService.inheritedSockets().isEmpty)
    }

    @Test func aBadWatchdogVariableIsAnError() {
        setenv("WATCHDOG_USEC", "soon", 1)
        defer { unsetenv("WATCHDOG_USEC") }
        #expect(throws: SystemError(call: "sd_watchdog_enabled", errno: EINVAL)) {
            try SystemdService.watchdogMicroseconds()
        }
    }
}
