import AdminCommands
import Testing

@Suite struct PaceTests {
    private static let second: UInt64 = 1_000_000_000

    /// When each request may go, each asked for when the one before went.
    private static func times(_ rate: Int, tasks: Int, from start: UInt64) -> [(time: UInt64, count: Int)] {
        var pace = Pace(tasksPerSecond: rate)
        var now = start
        return stride(from: 0, to: tasks, by: pace.batch).map { begin in
            let count = min(pace.batch, tasks - begin)
            now = max(now, pace.grant(count, now: now))
            return (now, count)
        }
    }

    @Test(arguments: [1, 3, 7, 10, 15, 99, 1_000, 3_000, 5_000])
    func noSecondHasMoreThanTheRate(rate: Int) {
        let times = Self.times(rate, tasks: rate * 5, from: 77)
        for (index, first) in times.enumerated() {
            let within = times[index...].prefix { $0.time < first.time + Self.second }
            #expect(within.reduce(0) { $0 + $1.count } <= rate)
        }
    }

    @Test(arguments: [1, 3, 7, 15, 3_000, 5_000])
    func aLongCommandTakesAsLongAsItsRateSays(rate: Int) throws {
        let times = Self.times(rate, tasks: rate * 20, from: 5)
        let last = try #require(times.last)
        let expected = UInt64(rate * 20 - last.count) * Self.second / UInt64(rate)
        #expect(last.time - 5 == expected)
    }

    @Test func lostTimeIsMadeUpForATenthOfASecondOnly() {
        var pace = Pace(tasksPerSecond: 1_000)
        #expect(pace.batch == 100)
        #expect(pace.grant(100, now: 0) == 0)
        // 50 ms late: the next is due when it always was.
        #expect(pace.grant(100, now: 150_000_000) == 100_000_000)
        #expect(pace.grant(100, now: 150_000_000) == 200_000_000)
        // Ten seconds late: the counting begins anew.
        #expect(pace.grant(100, now: 10 * Self.second) == 10 * Self.second)
        #expect(pace.grant(100, now: 10 * Self.second) == 10 * Self.second + 100_000_000)
    }

    @Test func withoutARateNothingWaits() {
        var pace = Pace(tasksPerSecond: nil)
        #expect(pace.batch == 1_000)
        #expect((0..<3).map { _ in pace.grant(1_000, now: 9) } == [9, 9, 9])
    }
}
