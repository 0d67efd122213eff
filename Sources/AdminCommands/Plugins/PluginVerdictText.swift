package import ProcessorSupervision
private import ServiceLog
private import TaskModel
private import TaskValidation

/// Verdicts and trials in words and in JSON.
package enum PluginVerdictText {
    package static func words(_ ending: PluginRehearsal.Ending) -> String {
        switch ending {
        case .stalled(let sentence): "cannot start: \(sentence)"
        case .attempted(let attempt): words(attempt.verdict)
        }
    }

    package static func words(_ verdict: AttemptVerdict) -> String {
        switch verdict {
        case .acked(let result, let resultError):
            if !resultError.isEmpty { return "acked; \(resultError)" }
            return result.isEmpty ? "acked" : "acked, result \(String(decoding: result, as: UTF8.self))"
        case .failed(let outcome, let reason, let delay):
            let why = reason.isEmpty ? "" : ": \(reason)"
            let later = delay.map { ", again after \(HumanText.duration(milliseconds: $0))" } ?? ""
            return "failed, \(outcome.label)\(why)\(later)"
        case .dead(let reason):
            return "dead-lettered: \(reason)"
        case .released:
            return "given back uncounted"
        }
    }

    package static func words(_ exit: ExitStatus?) -> String {
        switch exit {
        case .exited(let status): "\(status)"
        case .signalled(let number): "signal \(number)"
        case nil: "none, the process lives on for the next task"
        }
    }

    /// A word for scripts.
    package static func label(_ ending: PluginRehearsal.Ending) -> String {
        guard case .attempted(let attempt) = ending else { return "stalled" }
        return switch attempt.verdict {
        case .acked: "acked"
        case .failed: "failed"
        case .dead: "dead"
        case .released: "released"
        }
    }

    /// One line of output, for a terminal.
    package static func text(_ line: OutputLine) -> String {
        let title = line.source == .standardOutput ? "stdout" : "stderr"
        return "\(title)   \(TerminalText.escaped(String(decoding: line.text, as: UTF8.self)))\n"
    }

    /// What came of it, for a terminal; the lines of output are said to have been shown as they came.
    package static func text(_ run: RehearsalReport, of plugin: PluginUnderTest) -> String {
        let mode = plugin.settings.mode.rawValue
        return "plugin   \(plugin.plugin.queue), \(mode), \(TerminalText.escaped(plugin.plugin.path))\n"
            + text(run)
    }

    static func text(_ run: RehearsalReport) -> String {
        var shown = ""
        for notice in run.notices { shown += "notice   \(TerminalText.escaped(notice))\n" }
        shown += "verdict  \(TerminalText.escapedLines(words(run.ending)))\n"
        if case .attempted(let attempt) = run.ending {
            shown += "exit     \(words(attempt.exit))\n"
            shown += "took     \(HumanText.duration(milliseconds: attempt.durationMilliseconds))\n"
        }
        return shown
    }

    static func text(_ outcome: PluginTrial.Outcome) -> String {
        let grade = outcome.grade.rawValue
        let mark = grade + String(repeating: " ", count: 8 - grade.count)
        return "\(mark) \(outcome.trial.rawValue): \(TerminalText.escaped(outcome.happened))\n"
            + "         \(outcome.meaning)\n"
    }

    static func json(
        _ run: RehearsalReport, of plugin: PluginUnderTest, trials: [PluginTrial.Outcome]?
    ) -> String {
        json(
            run,
            [
                ("queue", plugin.plugin.queue), ("path", plugin.plugin.path),
                ("mode", plugin.settings.mode.rawValue),
            ], trials: trials)
    }

    /// - Parameter members: what was run, before what came of it.
    static func json(
        _ run: RehearsalReport, _ members: [(name: String, value: String)],
        trials: [PluginTrial.Outcome]? = nil
    ) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in members { writer.member(name, value) }
        writer.member("acked", run.isAcked)
        writer.member("verdict", label(run.ending))
        writer.member("words", words(run.ending))
        if case .attempted(let attempt) = run.ending {
            writer.member("duration_ms", attempt.durationMilliseconds)
            switch attempt.exit {
            case .exited(let status): writer.member("exit_status", Int(status))
            case .signalled(let number): writer.member("signal", Int(number))
            case nil: break
            }
        }
        for (title, source) in [("stdout", .standardOutput), ("stderr", .standardError)]
            as [(String, OutputLine.Source)]
        {
            writer.key(title)
            writer.beginArray()
            for line in run.text(of: source) { writer.string(line) }
            writer.endArray()
        }
        if let trials { write(trials, to: &writer) }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self) + "\n"
    }

    private static func write(_ trials: [PluginTrial.Outcome], to writer: inout JSONWriter) {
        writer.key("torture")
        writer.beginArray()
        for outcome in trials {
            writer.beginObject()
            writer.member("trial", outcome.trial.rawValue)
            writer.member("grade", outcome.grade.rawValue)
            writer.member("happened", outcome.happened)
            writer.member("meaning", outcome.meaning)
            writer.endObject()
        }
        writer.endArray()
    }
}
