import LinuxSystem
import Testing
import ZeroMQ

@Suite struct ZMQPollerTests {
    @Test func aPlainDescriptorWakesThePollAndTheQuietSocketIsNotReadable() throws {
        let socket = try ZMQSocket(.router, context: try ZMQContext())
        let event = try EventDescriptor()
        var poller = ZMQPoller()
        let quiet = poller.add(socket)
        let woken = poller.add(descriptor: event.rawValue)
        event.signal()
        #expect(try poller.wait(timeoutMilliseconds: 10_000) == 1)
        #expect(poller.isReadable(woken))
        #expect(!poller.isReadable(quiet))
    }

    @Test func aDescriptorThatWasTakenOutNoLongerWakes() throws {
        let event = try EventDescriptor()
        var poller = ZMQPoller()
        let index = poller.add(descriptor: event.rawValue)
        event.signal()
        poller.replace(descriptor: -1, at: index)
        #expect(try poller.wait(timeoutMilliseconds: 0) == 0)
    }
}
