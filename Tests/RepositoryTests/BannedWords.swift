import Glibc

/// Words that the tree does without, each with what to write in its place.
struct BannedWord: Sendable {
    /// Looked for in code without comments and strings, spaces as they stand.
    let pattern: String
    let instead: String
    /// Path prefixes that the ban covers; everything when empty.
    var within: [String] = []
    /// Path prefixes that may use it.
    var exceptIn: [String] = []
    /// A letter, digit, underscore or point before the pattern makes it another word.
    var isWholeWord = true

    static let all: [BannedWord] = [
        BannedWord(pattern: "try!", instead: "let the error out, or handle it"),
        BannedWord(
            pattern: "as!", instead: "a conditional cast, or a type that needs none", isWholeWord: true),
        BannedWord(pattern: "fatalError()", instead: "preconditionFailure with a sentence"),
        BannedWord(pattern: "Task.detached", instead: "a task group or a thread with an owner"),
        BannedWord(pattern: "Task {", instead: "a task group or a thread with an owner"),
        BannedWord(pattern: "Task(priority", instead: "a task group or a thread with an owner"),
        BannedWord(
            pattern: "print(", instead: "the logger; only commands for people print",
            exceptIn: ["Sources/AdminCommands/", "Sources/taskq/"]),
        BannedWord(
            pattern: "JournalLogHandler", instead: "JournaldLogHandler: systemd's journal is journald"),
        BannedWord(pattern: "Thread.sleep", instead: "a wait for an event", within: ["Tests/"]),
        BannedWord(pattern: "Task.sleep", instead: "a wait for an event", within: ["Tests/"]),
        BannedWord(pattern: "usleep(", instead: "a wait for an event", within: ["Tests/"]),
        BannedWord(pattern: "nanosleep(", instead: "a wait for an event", within: ["Tests/"]),
        BannedWord(pattern: "sleep(", instead: "a wait for an event", within: ["Tests/"]),
    ]

    static func violations(_ file: SourceFile) -> [Violation] {
        guard file.isSwift else { return [] }
        return all.filter { $0.covers(file.path) }.flatMap { $0.violations(in: file) }
    }

    private func covers(_ path: String) -> Bool {
        (within.isEmpty || within.contains { path.hasPrefix($0) })
            && !exceptIn.contains { path.hasPrefix($0) }
    }

    private func violations(in file: SourceFile) -> [Violation] {
        file.code.enumerated().compactMap { index, line in
            guard isIn(line) else { return nil }
            return Violation(path: file.path, line: index + 1, message: "'\(pattern)': write \(instead)")
        }
    }

    private func isIn(_ line: String) -> Bool {
        // The quick look first: nearly every line is without.
        guard strstr(line, pattern) != nil else { return false }
        let bytes = Array(line.utf8)
        return bytes.ranges(of: Array(pattern.utf8)).contains { range in
            guard isWholeWord, range.lowerBound > 0 else { return true }
            let before = Character(UnicodeScalar(bytes[range.lowerBound - 1]))
            return !(before.isLetter || before.isNumber || before == "_" || before == ".")
        }
    }
}
