private import Glibc
private import LinuxSystem

/// Why a processor cannot start, in one sentence for whoever wrote it, the cure included.
package struct StartProblem: Hashable, Sendable {
    package let sentence: String

    package init(_ sentence: String) {
        self.sentence = sentence
    }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static let elfMagic: [UInt8] = [0x7F, 0x45, 0x4C, 0x46]

    /// What a look at the file tells before anything is run; nil where nothing stands against it.
    package init?(seenIn facts: ProgramFacts) {
        let path = facts.path
        switch facts.kind {
        case .missing:
            self.init("\(path) is missing: put an executable there")
            return
        case .directory:
            self.init("\(path) is a directory: put an executable file there")
            return
        case .file(isExecutable: false):
            self.init("\(path) is not executable: chmod +x \(path)")
            return
        case .file(isExecutable: true):
            break
        }
        if facts.head.starts(with: Self.byteOrderMark) {
            self.init("\(path) begins with a byte order mark (BOM): save it as UTF-8 without BOM")
        } else if let shebang = Shebang(head: facts.head) {
            self.init(shebang, facts)
        } else if Self.isText(facts.head) {
            self.init("\(path) has no shebang: begin it with a line like #!/bin/sh")
        } else {
            return nil
        }
    }

    private init?(_ shebang: Shebang, _ facts: ProgramFacts) {
        let path = facts.path
        if shebang.endsInCarriageReturn {
            self.init("\(path) has CRLF line ends: sed -i 's/\\r$//' \(path)")
        } else if !facts.interpreterIsThere {
            let interpreter = shebang.interpreter
            self.init("interpreter \(interpreter) of \(path) not found: install it or correct the first line")
        } else if !facts.environmentProgramIsThere, let program = shebang.environmentProgram {
            let cure = "install it or name its full path"
            self.init("\(program), the interpreter of \(path), not found in PATH: \(cure)")
        } else {
            return nil
        }
    }

    /// A failed execve, explained by what the file looks like.
    package init(executing error: ProcessorSupervisionError, facts: ProgramFacts) {
        if let seen = StartProblem(seenIn: facts) {
            self = seen
            return
        }
        let path = facts.path
        guard case .cannotExecute(_, let number) = error else {
            self.init("\(error)")
            return
        }
        switch number {
        case ENOENT where facts.head.starts(with: Self.elfMagic):
            self.init("\(path) needs a loader or library that is not here: look at it with ldd")
        case ENOEXEC where facts.head.isEmpty:
            self.init("\(path) is empty: write a processor into it")
        case ENOEXEC:
            self.init("\(path) is no program for this machine: look at it with file")
        case EACCES:
            self.init(
                "\(path) may not be executed: look at its permissions, its folder's, and a noexec mount")
        case _:
            self.init("cannot execute \(path): \(SystemError.text(of: number))")
        }
    }

    /// A process that ended too early, explained by what the file looks like and by what it said last.
    package init(reason: String, facts: ProgramFacts, stderrTail: ArraySlice<UInt8>) {
        if let seen = StartProblem(seenIn: facts) {
            self = seen
            return
        }
        let lastLine = stderrTail.split(separator: UInt8(ascii: "\n")).last
        let said = lastLine.map { ": \(ProcessorAnswer.escaped($0))" } ?? ""
        switch reason {
        case "exit 127": self.init("\(facts.path) ended with 127, command not found\(said)")
        case "exit 126": self.init("\(facts.path) ended with 126, a command that cannot be executed\(said)")
        case _: self.init("\(facts.path) \(reason)\(said)")
        }
    }

    /// Text to its first line's end: a script, not a binary.
    private static func isText(_ head: [UInt8]) -> Bool {
        let line = head.prefix { $0 != UInt8(ascii: "\n") }
        let isPrintable = line.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 9 || $0 == 13 }
        return !head.isEmpty && isPrintable && String(validating: line, as: UTF8.self) != nil
    }
}
