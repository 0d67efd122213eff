import Glibc
private import ServiceLog

/// Asks who sits at the terminal; nobody else is ever asked.
enum Question {
    /// Whether somebody is there who can see a question and answer it.
    static var canBeAsked: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// What is typed, without blanks around it; empty for a bare return or an end.
    static func ask(_ text: String) -> String {
        FileText.write(TerminalText.escapedLines(text), to: STDERR_FILENO)
        let line = readLine() ?? ""
        return String(line.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// No is the answer to everything but y and yes.
    static func isYes(_ text: String) -> Bool {
        ["y", "yes"].contains(ask(text + " [y/N] ").lowercased())
    }

    /// Asks for a word to be typed before something that nothing brings back.
    ///
    /// - Parameter isConfirmed: the option `--yes`.
    static func confirm(
        _ consequence: String, byTyping word: String, isConfirmed: Bool
    ) throws(CommandFailure) {
        if isConfirmed { return }
        guard canBeAsked else {
            throw .usage("\(consequence)\nadd --yes where nobody can be asked")
        }
        guard ask("\(consequence)\nType \(word) to go on: ") == word else {
            throw .failed("nothing was done")
        }
    }
}
