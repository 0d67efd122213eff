import LinuxSystem
import Testing

@Suite struct EpollTests {
    @Test func aSignalledEventIsReportedWithItsTokenUntilItIsAcknowledged() throws {
        let epoll = try Epoll()
        let event = try EventDescriptor()
        try epoll.add(event.rawValue, token: 0xFFFF_0000_1234, interest: .readable)
        var events: [Epoll.Event] = []
        event.signal()
        event.signal()
        try epoll.wait(into: &events, timeoutMilliseconds: 10_000)
        #expect(events.map(\.token) == [0xFFFF_0000_1234])
        #expect(events.map(\.readiness) == [.readable])
        #expect(event.acknowledge())
        #expect(!event.acknowledge())
        try epoll.wait(into: &events, timeoutMilliseconds: 0)
        #expect(events.isEmpty)
    }

    @Test func aRemovedDescriptorIsNotReported() throws {
        let epoll = try Epoll()
        let event = try EventDescriptor()
        try epoll.add(event.rawValue, token: 1, interest: .readable)
        try epoll.remove(event.rawValue)
        event.signal()
        var events: [Epoll.Event] = []
        try epoll.wait(into: &events, timeoutMilliseconds: 0)
        #expect(events.isEmpty)
    }

    @Test func addingADescriptorTwiceIsAnErrorThatNamesTheCall() throws {
        let epoll = try Epoll()
        let event = try EventDescriptor()
        try epoll.add(event.rawValue, token: 1, interest: .readable)
        #expect(throws: SystemError(call: "epoll_ctl", errno: 17)) {
            try epoll.add(event.rawValue, token: 1, interest: .readable)
        }
    }

    @Test func anAlarmFiresAtItsTimeAndNotAfterItWasDisarmed() throws {
        let epoll = try Epoll()
        let timer = try TimerDescriptor()
        try epoll.add(timer.rawValue, token: 7, interest: .readable)
        let due = Clocks.monotonicNanoseconds() + 2_000_000
        try timer.arm(atNanoseconds: due)
        var events: [Epoll.Event] = []
        try epoll.wait(into: &events, timeoutMilliseconds: 10_000)
        #expect(events.map(\.token) == [7])
        #expect(Clocks.monotonicNanoseconds() >= due)
        #expect(try timer.acknowledge())
        try timer.arm(atNanoseconds: due + 3_600_000_000_000)
        try timer.disarm()
        #expect(try !timer.acknowledge())
    }
}
