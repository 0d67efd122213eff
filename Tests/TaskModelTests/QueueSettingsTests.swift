import TaskModel
import Testing

@Suite struct QueueSettingsTests {
    @Test func backOffDoublesUpToItsMaximum() {
        let settings = QueueSettings()
        let delays = (1...9).map { settings.backoffMilliseconds(afterFailures: $0) }
        #expect(delays == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
    }

    @Test func anInitialBackOffOfZeroStaysZero() {
        var settings = QueueSettings()
        settings.retryInitialMilliseconds = 0
        #expect(settings.backoffMilliseconds(afterFailures: 1_000_000) == 0)
    }

    @Test func aFactorOfOneDoesNotLoopForEver() {
        var settings = QueueSettings()
        settings.retryFactorHundredths = 100
        #expect(settings.backoffMilliseconds(afterFailures: .max) == 1_000)
    }

    @Test(arguments: ["tasks", "a", "0", "send-mail", "a_b", String(repeating: "x", count: 64)])
    func aQueueNameOfTheRuleIsValid(name: String) {
        #expect(QueueDeclaration.isValidName(name))
    }

    @Test(arguments: ["", "Tasks", "-a", "_a", "a.b", "a/b", "ä", "a b", String(repeating: "x", count: 65)])
    func anyOtherQueueNameIsNot(name: String) {
        #expect(!QueueDeclaration.isValidName(name))
    }

    @Test func journalTimeSaturatesInsteadOfTrapping() {
        #expect(JournalTime(rawValue: 10).advanced(by: .max) == JournalTime(rawValue: .max))
        #expect(MonotonicTime(rawValue: 10).advanced(byMilliseconds: .max) == MonotonicTime(rawValue: .max))
    }
}
