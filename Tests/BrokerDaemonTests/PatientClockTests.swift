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

    @Test func aTurnThatNobodyExpectedIsNotLate() {
        var clock = PatientClock()
        _ = clock.begin(rawNanoseconds: 1_000_000_000)
        #expect(clock.begin(rawNanoseconds: 99_000_000_000).rawValue == 99_000_000_000)
    }
}
