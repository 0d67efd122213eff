import LinuxSystem
import Testing

@Suite struct ClocksTests {
    @Test func theMonotonicClockDoesNotGoBack() {
        var last = Clocks.monotonicNanoseconds()
        for _ in 0..<1_000 {
            let now = Clocks.monotonicNanoseconds()
            #expect(now >= last)
            last = now
        }
    }

    @Test func theBootHasOneIdentity() throws {
        let identity = try Clocks.bootIdentity()
        #expect(try Clocks.bootIdentity() == identity)
        #expect(identity != 0)
    }

    @Test func theWallClockIsPastThisTestsBirth() {
        #expect(Clocks.wallMilliseconds() > 1_700_000_000_000)
        #expect(Clocks.boottimeMilliseconds() > 0)
    }
}
