import AdminCommands
import TaskModel
import Testing
import WireProtocol

@Suite struct TextTableTests {
    @Test func columnsAreAsWideAsTheirWidestCell() {
        var table = TextTable([("NAME", .left), ("N", .right), ("", .left)])
        table.add(["a", "1,000", ""])
        table.add(["longer", "2", "paused"])
        #expect(table.render() == "NAME        N\na       1,000\nlonger      2  paused\n")
    }

    @Test func controlCharactersInACellAreSpelledOut() {
        var table = TextTable([("G", .left)])
        table.add(["a\u{1B}[2Jb\nc"])
        #expect(table.render() == "G\na\\u{1b}[2Jb\\nc\n")
    }
}

@Suite struct HumanTextTests {
    @Test(
        arguments: [
            (0, "0 ms"), (999, "999 ms"), (1_000, "1 s"), (1_500, "1.5 s"), (59_999, "59 s"), (60_000, "1 m"),
            (185_000, "3 m 5 s"), (3_600_000, "1 h"), (7_800_000, "2 h 10 m"), (90_000_000, "1 d 1 h"),
        ] as [(UInt64, String)])
    func aDurationHasAtMostTwoUnits(milliseconds: UInt64, text: String) {
        #expect(HumanText.duration(milliseconds: milliseconds) == text)
    }

    @Test(
        arguments: [
            (0, "0 B"), (1_023, "1023 B"), (1_024, "1 KiB"), (1_536, "1.5 KiB"), (64 << 20, "64 MiB"),
            (3 << 40, "3 TiB"),
        ] as [(UInt64, String)])
    func aSizeHasOneDecimalAtMost(bytes: UInt64, text: String) {
        #expect(HumanText.bytes(bytes) == text)
    }

    @Test func aCountIsGroupedByThousands() {
        #expect(
            [0, 999, 1_000, 1_234_567].map { HumanText.count($0) } == ["0", "999", "1,000", "1,234,567"])
    }
}

@Suite struct StatusTextTests {
    private static var status: BrokerStatus {
        var counters = QueueCounters()
        counters.accepted = 1_007
        counters.completed = 1_000
        let queue = QueueStatus(
            name: "mail", counters: counters, pending: 5, leased: 1, parked: 0, dead: 1, groups: 2,
            blockedGroups: 1,
            oldestAgeMilliseconds: 65_000, pauses: [.deliveries], workers: 1, waitingBecause: "no plugin")
        return BrokerStatus(
            instance: JournalInstance(rawValue: 0xABC), uptimeMilliseconds: 61_000,
            durableLSN: LogSequenceNumber(rawValue: 9), journalBytes: 2 << 20, liveBytes: 1_000, syncs: 12,
            queues: [queue])
    }

    @Test func theTableNamesWhatHoldsAQueueUp() {
        let lines = StatusText.table(Self.status).split(separator: "\n")
        #expect(lines.first == "broker up 1 m 1 s, 12 syncs, journal 2 MiB on disk, 1000 B live")
        #expect(lines.last?.hasPrefix("mail") == true)
        #expect(lines.last?.hasSuffix("1 m 5 s       2        1        1  paused; no plugin") == true)
    }

    @Test func aPauseThatIsExplainedIsNotNamedTwice() {
        var status = Self.status
        status.queues[0].waitingBecause = "paused by ada: looking"
        status.queues[0].pauses = [.deliveries, .ingest]
        #expect(StatusText.table(status).hasSuffix("1  posts refused; paused by ada: looking\n"))
    }

    @Test func theQueuesTableHasGuaranteeKsCounters() {
        let lines = StatusText.queuesTable(Self.status).split(separator: "\n")
        let numbers = lines.last?.split(separator: " ").dropFirst().prefix(8).map(String.init)
        #expect(numbers == ["1,007", "5", "1", "0", "1,000", "1", "0", "0"])
        #expect(lines.last?.hasSuffix("  paused; no plugin") == true)
    }

    @Test func theJSONHasTheSameFacts() {
        let json = StatusText.json(Self.status)
        #expect(
            json.hasPrefix(#"{"instance":"abc","uptime_ms":61000,"durable_lsn":9,"journal_bytes":2097152,"#))
        #expect(json.contains(#""pauses":["paused"],"waiting_because":"no plugin"}]}"#))
    }
}

@Suite struct TaskTextTests {
    private static func view() -> TaskView {
        let attempt = AttemptRecord(
            number: 1, outcome: .exited(status: 1), startedAt: WallTime(rawValue: 1_767_323_045_067),
            durationMilliseconds: 1_500, worker: "worker@mail", reason: "no\u{1B}[31m disk",
            stderrTail: Array("first\nsecond\n".utf8)[...])
        let history = (try? AttemptRecord.history([], adding: attempt)) ?? []  // ignoring: tests then fail
        return TaskView(
            id: TaskID(unixMilliseconds: 1_767_323_045_000, random: (1, 2)), state: .deadLettered,
            queue: "mail",
            group: "g", sequence: TaskSequence(rawValue: 7), receives: 1, maxAttempts: 5,
            deadReason: .exhausted,
            history: history[...], result: Array(#"{"a":1}"#.utf8)[...])
    }

    @Test func theTextTellsEachAttemptWithItsLastWords() throws {
        let text = try TaskText.text(Self.view())
        #expect(text.contains("state     dead-lettered (exhausted)\n"))
        #expect(text.contains("attempt 1: exit 1 after 1.5 s at 2026-01-02T03:04:05.067Z by worker@mail\n"))
        #expect(text.contains(#"  reason  no\u{1b}[31m disk"#))
        #expect(text.hasSuffix("  stderr  first\n  stderr  second\n"))
    }

    @Test func theJSONHasTheResultAsItWasWritten() throws {
        let json = try TaskText.json(Self.view())
        #expect(json.contains(#""dead_reason":"exhausted""#))
        #expect(json.hasSuffix(#""result":{"a":1}}"# + "\n"))
    }
}
