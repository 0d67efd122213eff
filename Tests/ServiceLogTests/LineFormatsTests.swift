import Logging
import ServiceLog
import Systemd
import Testing

@Suite struct LineFormatsTests {
    private static func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> LogLine {
        LogLine(level: .notice, message: message, metadata: metadata, wallMilliseconds: 1_767_323_045_067)
    }

    @Test func aJSONLineHasTheTimeTheLevelAndItsFieldsInOrder() {
        let line = Self.line("task accepted", ["task.id": "0198", "queue": "tasks"])
        #expect(
            LineFormats.json(line, identifier: "taskq-broker")
                == #"{"time":"2026-01-02T03:04:05.067Z","level":"notice","program":"taskq-broker","#
                + #""message":"task accepted","queue":"tasks","task.id":"0198"}"#)
    }

    @Test func aJSONLineEscapesWhatJSONMust() {
        let line = Self.line("a\"b\\c\nd\u{1B}e", ["level": "x"])
        let text = LineFormats.json(line, identifier: "t")
        #expect(text.hasSuffix(#""message":"a\"b\\c\nd\u001be","metadata.level":"x"}"#))
    }

    @Test func aTextLineIsOneLineWithoutControlCharacters() {
        let line = Self.line("first\nsecond\u{1B}[31m", ["reason": "two words\u{202E}", "empty": ""])
        let text = LineFormats.text(line, identifier: "taskq-worker", colour: false)
        #expect(
            text.hasSuffix(
                #"notice  taskq-worker: first\nsecond\u{1b}[31m empty='' reason='two words\u{202e}'"#))
    }

    @Test func colourIsOnlyTheLogsOwn() {
        let text = LineFormats.text(Self.line("\u{1B}[31m"), identifier: "t", colour: true)
        #expect(text.contains(#"\u{1b}[31m"#))
        #expect(text.contains("\u{1B}[36mnotice"))
    }

    @Test func journaldGetsTheTasksFieldsUnderTheirNames() {
        var entry = Journald.Entry()
        let metadata: Logger.Metadata = ["task.id": "0198", "attempt": "2", "message.id": "ab12"]
        LineFormats.journald(Self.line("two\nlines", metadata), identifier: "taskq-broker", into: &entry)
        #expect(
            entry.fields == [
                "MESSAGE=two\nlines attempt=2 task.id=0198", "PRIORITY=5", "SYSLOG_IDENTIFIER=taskq-broker",
                "TASKQ_ATTEMPT=2", "MESSAGE_ID=ab12", "TASKQ_TASK_ID=0198",
            ])
    }

    @Test func aProcessorsOwnWordsReachJournaldAlone() {
        var entry = Journald.Entry()
        let metadata: Logger.Metadata = ["plugin": "tasks", "task.id": "0198"]
        LineFormats.journald(Self.line("<0>mine", metadata), identifier: "taskq-worker", into: &entry)
        #expect(entry.fields.first == "MESSAGE=<0>mine")
        #expect(entry.fields.contains("TASKQ_TASK_ID=0198"))
    }

    @Test(arguments: [
        ("task.id", "TASKQ_TASK_ID"), ("queue", "TASKQ_QUEUE"), ("task.queue", "TASKQ_QUEUE"),
        ("task.attempt", "TASKQ_ATTEMPT"), ("a b-c=d", "TASKQ_A_B_C_D"),
    ])
    func aKeyBecomesAFieldName(key: String, name: String) {
        #expect(LineFormats.fieldName(key) == name)
        #expect(LineFormats.fieldName(String(repeating: "x", count: 99)).utf8.count == 64)
    }

    @Test(arguments: [
        (Logger.Level.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3),
        (.critical, 2),
    ])
    func aLevelHasASyslogNumber(level: Logger.Level, number: Int) {
        #expect(LineFormats.priority(level) == number)
    }
}
