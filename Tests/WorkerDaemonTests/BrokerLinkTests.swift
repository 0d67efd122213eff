import TaskModel
import Testing
import WorkerDaemon

@Suite struct BrokerLinkTests {
    private func at(_ milliseconds: UInt64) -> MonotonicTime {
        MonotonicTime(rawValue: 0).advanced(byMilliseconds: milliseconds)
    }

    @Test func leasesAreRenewedEveryThird() {
        var link = BrokerLink()
        link.greet()
        link.welcomed(leaseMilliseconds: 180_000, now: at(0))
        #expect(link.isConnected)
        #expect(link.passTime(now: at(59_999)) == .nothing)
        #expect(link.passTime(now: at(60_000)) == .renewal)
        #expect(link.passTime(now: at(60_001)) == .nothing)
        #expect(link.nextDeadline == at(120_000))
    }

    @Test func aRefusedHelloIsRepeatedWithGrowingPauses() {
        var link = BrokerLink()
        var now: UInt64 = 0
        for pause in [20, 40, 80, 160, 320, 640, 1_000, 1_000] as [UInt64] {
            link.greet()
            link.refused(now: at(now))
            #expect(link.passTime(now: at(now + pause - 1)) == .nothing)
            #expect(link.passTime(now: at(now + pause)) == .hello)
            now += pause
        }
        link.greet()
        link.welcomed(leaseMilliseconds: 3_000, now: at(now))
        link.refused(now: at(now))
        #expect(link.nextDeadline == at(now + 20))
    }

    @Test func aLostConnectionHasNothingDue() {
        var link = BrokerLink()
        link.welcomed(leaseMilliseconds: 300, now: at(0))
        link.lost()
        #expect(!link.isConnected)
        #expect(link.nextDeadline == nil)
        #expect(link.passTime(now: at(10_000)) == .nothing)
    }
}
