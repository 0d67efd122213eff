import Systemd
import Testing

@Suite struct JournaldTests {
    @Test func anEntryKeepsItsFieldsAsTheyWereGiven() {
        var entry = Journald.Entry()
        entry.add("MESSAGE", "two\nlines".utf8)
        entry.add("TASKQ_TASK_ID", "".utf8)
        #expect(entry.fields == ["MESSAGE=two\nlines", "TASKQ_TASK_ID="])
        entry.removeAll()
        #expect(entry.fields.isEmpty)
    }

    @Test(arguments: [
        ("8:21", true), ("8:22", false), ("8", false), ("", false), ("8:21:3", false), ("x:21", false),
    ])
    func onlyTheVeryStreamIsJournalds(text: String, isStream: Bool) {
        #expect(Journald.isStream(text, device: 8, inode: 21) == isStream)
    }
}
