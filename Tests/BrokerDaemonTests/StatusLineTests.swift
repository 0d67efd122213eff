import Systemd
import Testing

@testable import BrokerDaemon

@Suite struct StatusLineTests {
    private static let second: UInt64 = 1_000_000_000

    private static func figures(
        live: UInt64 = 0, accepted: UInt64 = 0, completed: UInt64 = 0
    ) -> StatusLine.Figures {
        var figures = StatusLine.Figures()
        figures.live = live
        figures.accepted = accepted
        figures.completed = completed
        return figures
    }

    @Test func theRatesAreThoseSinceTheLastLine() {
        var line = StatusLine()
        #expect(
            line.update(now: Self.second) { Self.figures(live: 5, accepted: 100) }
                == .status("5 tasks live, 0 dead; 0/s accepted, 0/s completed"))
        #expect(
            line.update(now: 3 * Self.second) { Self.figures(live: 3, accepted: 200, completed: 102) }
                == .status("3 tasks live, 0 dead; 50/s accepted, 51/s completed"))
    }

    @Test func atMostOneLineASecondIsWritten() {
        var line = StatusLine()
        _ = line.update(now: Self.second) { Self.figures() }
        var asked = 0
        for step in 1...9 {
            let early = line.update(now: Self.second + UInt64(step) * Self.second / 10) {
                asked += 1
                return Self.figures(live: UInt64(step))
            }
            #expect(early == nil)
        }
        #expect(asked == 0)
    }

    @Test func theLastLineTellsOfTheQuietAndThenTheBrokerMaySleep() {
        var line = StatusLine()
        _ = line.update(now: Self.second) { Self.figures(live: 1, accepted: 1) }
        let quiet = Self.figures(live: 0, accepted: 2, completed: 2)
        var now = Self.second
        var written: [ServiceNotification] = []
        while let next = line.nextUpdate {
            now = next
            if let status = line.update(now: now, figures: { quiet }) { written.append(status) }
        }
        #expect(written.last == .status("0 tasks live, 0 dead; 0/s accepted, 0/s completed"))
        #expect(now <= 4 * Self.second)
        #expect(line.update(now: now + 60 * Self.second) { quiet } == nil)
    }
}
