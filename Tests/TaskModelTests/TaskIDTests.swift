import TaskModel
import Testing

@Suite struct TaskIDTests {
    @Test func anIDIsAVersion7UUIDWithItsTime() {
        let id = TaskID(unixMilliseconds: 0x0198_F6E2_7C1A, random: (.max, .max))
        #expect(id.description == "0198f6e2-7c1a-7fff-bfff-ffffffffffff")
        #expect(id.unixMilliseconds == 0x0198_F6E2_7C1A)
    }

    @Test func theTextFormIsReadInEitherCase() throws {
        let text = "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10"
        #expect(TaskID(text)?.description == text)
        #expect(TaskID(text.uppercased())?.description == text)
        #expect(TaskID(text).map { String(decoding: $0.asciiBytes, as: UTF8.self) } == text)
    }

    @Test(arguments: [
        "", "0198f6e2", "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e1", "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e100",
        "0198f6e27c1a7d549b3e0f2a6c8d4e10", "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e1g",
        "0198f6e2-7c1a-7d54-9b3e 0f2a6c8d4e10", "{0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10}",
        "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4eé",
    ])
    func anythingElseIsNoID(text: String) {
        #expect(TaskID(text) == nil)
    }

    @Test func laterIDsCompareGreater() {
        let early = TaskID(unixMilliseconds: 5, random: (.max, .max))
        let late = TaskID(unixMilliseconds: 6, random: (0, 0))
        #expect(early < late)
    }
}
