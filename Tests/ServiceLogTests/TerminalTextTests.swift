import ServiceLog
import Testing

@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("plain", "plain"), ("größe 任务 🙂", "größe 任务 🙂"),
        ("a\nb", #"a\nb"#), ("a\tb\r", #"a\tb\r"#),
        ("\u{1B}]0;title\u{07}", #"\u{1b}]0;title\u{7}"#), ("\u{9B}31m", #"\u{9b}31m"#),
        ("\u{7F}", #"\u{7f}"#),
        ("\u{202E}evil", #"\u{202e}evil"#), ("\u{2066}x", #"\u{2066}x"#), ("\u{0}", #"\u{0}"#),
    ])
    func whatCouldSteerATerminalIsSpelledOut(text: String, shown: String) {
        #expect(TerminalText.escaped(text) == shown)
    }
}
