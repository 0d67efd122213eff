import BrokerDaemon
import TaskModel
import Testing

@Suite struct PatientClockTests {
    @Test func aTurnLateByMoreThanASecondMovesTheClockBackByItsLateness() {
        var clock = PatientClock()
        _ = clock.begin(rawNanoseconds: 10_000_000_000)
        clock.expectNext(beforeRawNanoseconds: 11_000_000_000)
        #expect(clock.begin(rawNanoseconds: 16_000_000_000).rawValue == 11_000_000_000)
        #expect(clock.begin(rawNanoseconds: 17_000_000_000).rawValue == 12_000_000_000)
        #expect(clock.rawNanoseconds(of: MonotonicTime(rawValue: 12_000_000_000)) == 17_000_000_000)
    }

    @Test func lessThanASecondIsNoLateness() {
        var clock = PatientClock()
        clock.expectNext(beforeRawNanoseconds: 11_000_000_000)
        #expect(clock.begin(rawNanoseconds: 11_900_000_000).rawValue == 11_900_000_000)
    }

    /// Work that was left made the next turn "late" by the whole uptime, and moved every deadline by it.
    @Test func aTurnThatShallFollowAtOnceIsNotLateByTheUptime() {
        for due in [0, 1, 99_999_999_999] as [UInt64] {
            var clock = PatientClock()
            _ = clock.begin(rawNanoseconds: 100_000_000_000)
            clock.expectNext(beforeRawNanoseconds: due)
            #expect(clock.begin(rawNanoseconds: 100_000_100_000).rawValue == 100_000_100_000)
        }
    }

    @Test func aTurnThatShallFollowAtOnceAndTakesLongIsLate() {
        var clock = PatientClock()
        _ = clock.begin(rawNanoseconds: 100_000_000_000)
        clock.expectNext(beforeRawNanoseconds: 0)
        #expect(clock.begin(rawNanoseconds: 105_000_000_000).rawValue == 100_000_000_000)
    }

    @Test func aTurnThatNobodyExpectedIsNotLate() {
        var clock = PatientClock()
        _ = clock.begin(rawNanoseconds: 1_000_000_000)
        #expect(clock.begin(rawNanoseconds: 99_000_000_000).rawValue == 99_000_000_000)
    }
}
