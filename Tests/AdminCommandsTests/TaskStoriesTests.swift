import AdminCommands
import Testing

@Suite struct TaskStoriesTests {
    private static let task = "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10"

    private static func line(_ message: String, second: String = "05.000", _ fields: String = "") throws
        -> ChildLine
    {
        let text = """
            {"time":"2026-01-02T03:04:\(second)Z","level":"info","program":"taskq-broker",\
            "message":"\(message)","task.id":"\(task)","task.queue":"mail"\(fields)}
            """
        return try #require(ChildLine(Array(text.utf8)[...]))
    }

    @Test func aTasksStoryIsOneLineWhenItEnds() throws {
        var stories = TaskStories()
        #expect(try stories.take(Self.line("task accepted"), at: 0) == [])
        #expect(try stories.take(Self.line("task leased", #","task.attempt":"1""#), at: 1) == [])
        let told = try stories.take(Self.line("task completed", second: "05.012"), at: 2)
        #expect(
            told == [.init(tone: .good, text: "0198f6e2…8d4e10 mail  accepted → leased → completed  12 ms")])
        #expect(stories.nextDeadline == nil)
    }

    @Test func aStoryThatLastsIsToldInBetweenAndThenGoesOn() throws {
        var stories = TaskStories()
        _ = try stories.take(Self.line("task accepted"), at: 1_000)
        #expect(stories.due(at: 1_299) == [])
        #expect(stories.nextDeadline == 1_300)
        #expect(
            stories.due(at: 1_300) == [.init(tone: .underway, text: "0198f6e2…8d4e10 mail  accepted → …")])
        #expect(stories.due(at: 9_999) == [])
        let failure = #","task.attempt":"1","outcome":"exit 1","reason":"no disk""#
        _ = try stories.take(Self.line("task attempt failed", second: "06.000", failure), at: 2_000)
        let told = try stories.take(
            Self.line("task dead-lettered", second: "08.500", #","reason":"exhausted""#), at: 4_500)
        let text = "… → attempt 1 failed: exit 1 (no disk) → dead-lettered (exhausted)  3.5 s"
        #expect(told == [.init(tone: .bad, text: "0198f6e2…8d4e10 mail  \(text)")])
    }

    @Test func otherLinesAreNoPartOfAStory() throws {
        var stories = TaskStories()
        #expect(try stories.take(Self.line("task weighed"), at: 0) == nil)
        let text = #"{"level":"info","program":"taskq-broker","message":"task accepted"}"#
        let line = try #require(ChildLine(Array(text.utf8)[...]))
        #expect(stories.take(line, at: 0) == nil)
    }

    @Test func storiesWithoutAnEndAreForgottenInTheEnd() throws {
        var stories = TaskStories()
        for number in 0..<25_000 {
            let text = """
                {"level":"info","program":"p","message":"task accepted","task.id":"task number \(number)"}
                """
            let line = try #require(ChildLine(Array(text.utf8)[...]))
            _ = stories.take(line, at: 0)
        }
        #expect(stories.due(at: 1_000).count <= 10_000)
    }

    @Test(arguments: [
        "", "plain words", "{", "{}", #"{"message":"x"}"#, #"{"level":1,"program":"p","message":"m"}"#,
    ])
    func whatIsNoLogLineIsNotTakenForOne(text: String) {
        #expect(ChildLine(Array(text.utf8)[...]) == nil)
    }
}
