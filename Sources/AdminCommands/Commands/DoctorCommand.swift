import ArgumentParser
private import Configuration
private import Glibc
private import LinuxSystem
private import ServiceLog
private import TaskValidation

/// The command `taskq doctor`.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Look for what is wrong with this installation, and say the cure.",
        discussion: """
            One line a check: 'ok', 'note' (works, and may surprise) or 'PROBLEM', with the cure below. \
            Changes nothing; a file without a name is written to time the disk. Exit codes: 0 no problem, \
            1 a problem.
            """)

    @OptionGroup var choice: ConfigChoice

    @Flag(name: .customLong("quiet"), help: "Only what is not well.")
    var quiet = false

    func run() throws {
        let findings = try examine()
        let shown = quiet ? findings.filter { $0.verdict != .good } : findings
        print(choice.common.json ? DoctorText.json(shown) : DoctorText.lines(shown), terminator: "")
        if findings.contains(where: { $0.verdict == .problem }) { throw ExitStatusRequest(code: 1) }
    }

    private func examine() throws(CommandFailure) -> [Finding] {
        // As every command finds its stack: also one that 'taskq up' made here.
        let paths = StateLocation.paths(option: choice.common.state)
        let report = try choice.inspect(state: paths.state)
        let configuration = report.configuration
        var findings = report.problems.map {
            Finding.problem(
                "configuration", $0.description, cure: "correct the line: no daemon starts with it")
        }
        if findings.isEmpty {
            let files = report.files.isEmpty ? "no file" : report.files.joined(separator: ", ")
            let set = report.values.count { $0.origin != nil }
            findings.append(.good("configuration", "\(files), \(set) values set"))
        }
        findings += report.notices.map { .note("configuration", $0, cure: "taskq config show") }
        let isForeground = paths.state != nil
        findings += DiskChecks(configuration.journal).run()
        findings += DaemonChecks(configuration).run()
        findings += PluginChecks(
            configuration, folders: choice.pluginFolders, isForeground: isForeground
        ).run()
        return findings + HostChecks(configuration, isForeground: isForeground).run()
    }
}

/// Findings in words and in JSON.
enum DoctorText {
    static func lines(_ findings: [Finding]) -> String {
        var text = ""
        for finding in findings {
            let word =
                switch finding.verdict {
                case .good: "ok     "
                case .note: "note   "
                case .problem: "PROBLEM"
                }
            text += TerminalText.escaped("\(word) \(finding.check): \(finding.text)") + "\n"
            if !finding.cure.isEmpty { text += TerminalText.escaped("        cure: \(finding.cure)") + "\n" }
        }
        let problems = findings.count { $0.verdict == .problem }
        let notes = findings.count { $0.verdict == .note }
        let words = (problems == 1 ? "problem" : "problems", notes == 1 ? "note" : "notes")
        return text + "\(problems) \(words.0), \(notes) \(words.1)\n"
    }

    static func json(_ findings: [Finding]) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("problems", findings.count { $0.verdict == .problem })
        writer.key("checks")
        writer.beginArray()
        for finding in findings {
            writer.beginObject()
            writer.member("check", finding.check)
            writer.member("verdict", finding.verdict.rawValue)
            writer.member("text", finding.text)
            if !finding.cure.isEmpty { writer.member("cure", finding.cure) }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }
}
