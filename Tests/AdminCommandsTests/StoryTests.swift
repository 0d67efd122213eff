import AdminCommands
import TaskModel
import Testing
import WireProtocol

/// What `taskq logs` makes of journald's entries and of the broker's record.
@Suite struct StoryTests {
    private static let id = TaskID(unixMilliseconds: 1_767_323_045_000, random: (1, 2))
    /// One second after the task's acceptance, microseconds.
    private static let time = "1767323046000000"

    private static func entry(_ members: String) throws -> JournaldEntry {
        let text = #"{"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"\#(time)","# + members + "}"
        return try #require(JournaldEntry(Array(text.utf8)[...]), "\(text)")
    }

    private static func broker(
        _ message: String, _ members: String = "", from unit: String = "taskq-broker.service"
    ) throws -> StoryLine {
        try entry(
            #""MESSAGE":"\#(message)","PRIORITY":"6","SYSLOG_IDENTIFIER":"taskq-broker","#
                + #""_SYSTEMD_UNIT":"\#(unit)","TASKQ_TASK_ID":"\#(id)","TASKQ_QUEUE":"mail""# + members
        ).line
    }

    private static func view(
        _ state: TaskView.State, failures: [(number: UInt32, startedAfter: UInt64, words: String)] = [],
        finishedAfter: UInt64? = nil
    ) throws -> TaskView {
        var history: ArraySlice<UInt8> = []
        for failure in failures {
            let start = id.unixMilliseconds + failure.startedAfter
            let attempt = AttemptRecord(
                number: failure.number, outcome: .exited(status: 3), startedAt: WallTime(rawValue: start),
                durationMilliseconds: 500, worker: "w", reason: "no disk",
                stderrTail: Array(failure.words.utf8)[...])
            history = try AttemptRecord.history(history, adding: attempt)[...]
        }
        return TaskView(
            id: id, state: state, queue: "mail", group: "ada", sequence: TaskSequence(rawValue: 1),
            finishedAt: finishedAfter.map { WallTime(rawValue: id.unixMilliseconds + $0) }, receives: 1,
            maxAttempts: 5, history: history)
    }

    @Test func aLineForAPersonHasTimeProgramLevelAttemptAndWhatTheColumnsDoNotSay() throws {
        let message = "task leased task.attempt=2 task.id=\(Self.id) task.queue=mail worker=w1"
        let line = try Self.broker(
            message, #","TASKQ_ATTEMPT":"2""#)
        #expect(
            StoryText.text(line)
                == "2026-01-02T03:04:06.000Z  taskq-broker   info      #2   task leased worker=w1\n")
        #expect(StoryText.text(line, showingTask: true).contains("  #2   \(Self.id)  task leased"))
    }

    @Test func aLineForAScriptHasTheDocumentedMembers() throws {
        let line = try Self.entry(
            #""MESSAGE":"half done","PRIORITY":"4","SYSLOG_IDENTIFIER":"taskq-worker","#
                + #""_SYSTEMD_UNIT":"taskq-worker@mail.service","TASKQ_TASK_ID":"\#(Self.id)","#
                + #""TASKQ_QUEUE":"mail","TASKQ_GROUP":"ada","TASKQ_ATTEMPT":"1","#
                + #""TASKQ_PLUGIN":"mail","TASKQ_STREAM":"stderr""#
        ).line
        let json =
            #"{"time":"2026-01-02T03:04:06.000Z","level":"warning","program":"taskq-worker","#
            + #""message":"half done","source":"journald","unit":"taskq-worker@mail.service","#
            + #""task_id":"\#(Self.id)","queue":"mail","group":"ada","plugin":"mail","#
            + #""stream":"stderr","attempt":1}"#
        #expect(StoryText.json(line) == json + "\n")
    }

    @Test func theTimeOfALineIsThatOfItsSending() throws {
        let line = try Self.broker("x", #","_SOURCE_REALTIME_TIMESTAMP":"1767323045123456""#)
        #expect(line.wallMilliseconds == 1_767_323_045_123)
    }

    @Test(arguments: [
        (#""\u001b[31mred""#, #"\u{1b}[31mred"#), ("[27,91,50,74,255]", #"\u{1b}[2J"# + "\u{FFFD}"),
        (#"["first","second"]"#, "first"), ("null", ""), (#""two\nlines""#, #"two\nlines"#),
    ])
    func whatAProcessorSaysReachesNoTerminalRaw(value: String, shown: String) throws {
        let line = try Self.entry(#""MESSAGE":\#(value),"TASKQ_PLUGIN":"mail""#).line
        let text = StoryText.text(line)
        #expect(text.hasSuffix("  \(shown)\n"), "\(text)")
        #expect(!text.unicodeScalars.contains("\u{1B}"))
        #expect(!StoryText.json(line).unicodeScalars.contains("\u{1B}"))
    }

    @Test(arguments: [
        "-- No entries --", "", "{", #"{"MESSAGE":"no cursor"}"#, "[1]", #"{"__CURSOR":"a","MESSAGE":"cut"#,
    ])
    func whatIsNoEntryIsLeftOut(text: String) {
        #expect(JournaldEntry(Array(text.utf8)[...]) == nil)
    }

    @Test(arguments: [
        ("0", "critical"), ("2", "critical"), ("3", "error"), ("4", "warning"), ("5", "notice"),
        ("6", "info"), ("7", "debug"), ("x", "critical"),
    ])
    func eachPriorityHasItsWord(priority: String, level: String) throws {
        #expect(try Self.entry(#""PRIORITY":"\#(priority)""#).line.level == level)
    }

    @Test func aLineThatCallsItselfTheBrokerNamesTheUnitItCameFrom() throws {
        let forged = try Self.broker("task completed", from: "taskq-worker@evil.service")
        #expect(StoryText.text(forged).contains("taskq-broker (taskq-worker@evil.service)"))
        let nameless = try Self.entry(#""MESSAGE":"x","SYSLOG_IDENTIFIER":"taskq-broker""#).line
        #expect(StoryText.text(nameless).contains("taskq-broker (no unit)"))
    }

    @Test func theRecordAloneTellsEachStepWithTheProcessorsLastWords() throws {
        var steps = try RecordedSteps(
            Self.view(
                .deadLettered, failures: [(1, 1_000, "first words\nlast words\n"), (2, 3_000, "")],
                finishedAfter: 3_600))
        let lines = steps.take()
        #expect(
            lines.map(\.message) == [
                "task accepted", "first words", "last words", "task attempt failed: exit 3: no disk",
                "task attempt failed: exit 3: no disk", "task dead-lettered: no reason is kept",
            ])
        #expect(lines.map(\.attempt) == [nil, 1, 1, 1, 2, nil])
        #expect(lines.map(\.plugin) == [nil, "mail", "mail", nil, nil, nil])
        let times = lines.map { $0.wallMilliseconds - Self.id.unixMilliseconds }
        #expect(times == [0, 1_500, 1_500, 1_500, 3_500, 3_600])
        #expect(lines.allSatisfy { $0.source == .record && StoryText.text($0).contains("  (record)  ") })
        #expect(steps.take() == [])
    }

    @Test func theRecordTellsOnlyWhatJournaldDoesNot() throws {
        var steps = try RecordedSteps(
            Self.view(.completed, failures: [(1, 100, ""), (2, 400, "gone")], finishedAfter: 1_200))
        steps.remove(toldBy: try Self.broker("task accepted task.queue=mail"))
        steps.remove(toldBy: try Self.broker("task attempt failed outcome=x", #","TASKQ_ATTEMPT":"1""#))
        steps.remove(toldBy: try Self.broker("task completed"))
        #expect(steps.take().map(\.message) == ["gone", "task attempt failed: exit 3: no disk"])
    }

    @Test func anAttemptOfAnEarlierLifeIsNotTakenForThisOne() throws {
        // A redriven task counts its attempts anew: the number alone does not tell.
        var steps = try RecordedSteps(Self.view(.pending, failures: [(1, 100, ""), (1, 7_200_000, "")]))
        steps.remove(toldBy: try Self.broker("task accepted"))
        steps.remove(toldBy: try Self.broker("task attempt failed", #","TASKQ_ATTEMPT":"1""#))
        let left = steps.take()
        #expect(left.map { $0.wallMilliseconds - Self.id.unixMilliseconds } == [7_200_500])
    }

    @Test func aProcessorsOutputTellsNoStep() throws {
        var steps = try RecordedSteps(Self.view(.completed, finishedAfter: 1_000))
        steps.remove(toldBy: try Self.broker("task completed", #","TASKQ_PLUGIN":"mail""#))
        #expect(steps.take().map(\.message) == ["task accepted", "task completed"])
    }

    @Test func stepsComeBetweenTheLinesByTheirTime() throws {
        var steps = try RecordedSteps(Self.view(.completed, finishedAfter: 2_000))
        #expect(steps.take(before: Self.id.unixMilliseconds) == [])
        #expect(steps.take(before: Self.id.unixMilliseconds + 1_000).map(\.message) == ["task accepted"])
        #expect(steps.take().map(\.message) == ["task completed"])
    }
}
