private import ProcessorSupervision
private import TaskModel

// Payloads that may be posted, and that nobody thought of.
extension PluginTrial {
    /// What `taskq` takes at most by default, bytes.
    private static let largeBytes = 1 << 20
    /// Arrays and objects inside of each other, as many as may be posted.
    private static let depthMax = 64

    func emptyObject(_ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal) throws -> Outcome {
        let ending = try rehearsal.run(try plugin.task(Array("{}".utf8)))
        if ending.isAcked {
            let meaning = "it takes an object without any member for a task"
            return outcome(.remark, PluginVerdictText.words(ending), meaning)
        }
        return outcome(ofUnusual: ending, plugin)
    }

    func largePayload(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        let filler = [UInt8](
            repeating: UInt8(ascii: "x"), count: max(0, Self.largeBytes - payload.count - 64))
        let text = Array("\"".utf8) + filler + Array("\"".utf8)
        let ending = try rehearsal.run(try plugin.task(Self.extended(payload, by: text)))
        return outcome(
            ofAllowed: ending, "a task of the largest size is taken",
            "the body limit of the API lets it through: read the whole line, or set a schema")
    }

    /// What some library takes for the end of a line, what must be escaped, and what takes several bytes.
    func everyCharacter(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        let escaped = #"\" \\ \/ \b \f \n \r \t \u0000 \u001f \u007f \u2028 \ud83d\ude80"#
        let raw =
            "\u{2028} \u{2029} \u{85} \u{FEFF} \u{7F} é e\u{301} ß 漢字 عربى 🚀 👨‍👩‍👧 \u{10FFFF} %s $HOME `id` ' #"
        let text = Array("\"\(escaped) \(raw)\"".utf8)
        let ending = try rehearsal.run(try plugin.task(Self.extended(payload, by: text)))
        let cut =
            "only LF ends a line, and text is UTF-8 whatever it holds: never cut it elsewhere, and never "
        return outcome(
            ofAllowed: ending, "text is only text to it", cut + "hand it to a shell")
    }

    func deepPayload(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        let isObject = payload.first == UInt8(ascii: "{")
        let depth = Self.depthMax - (isObject ? 1 : 0)
        let nested =
            [UInt8](repeating: UInt8(ascii: "["), count: depth)
            + [UInt8](repeating: UInt8(ascii: "]"), count: depth)
        return outcome(
            ofUnusual: try rehearsal.run(try plugin.task(Self.extended(payload, by: nested))), plugin)
    }

    /// Numbers are handed on as they were written, whatever their size.
    func extremeNumbers(
        _ plugin: PluginUnderTest, _ rehearsal: PluginRehearsal, _ payload: [UInt8]
    ) throws -> Outcome {
        let numbers = "[1e400,-1e400,1e-400,123456789012345678901234567890,9007199254740993,-0,1.10]"
        let extended = Self.extended(payload, by: Array(numbers.utf8))
        return outcome(ofUnusual: try rehearsal.run(try plugin.task(extended)), plugin)
    }

    /// An object gets one more member; anything else gives way to the value.
    private static func extended(_ payload: [UInt8], by value: [UInt8]) -> [UInt8] {
        guard payload.first == UInt8(ascii: "{"), let end = payload.lastIndex(of: UInt8(ascii: "}")) else {
            return value
        }
        let isEmpty = !payload.contains(UInt8(ascii: ":"))
        return payload[..<end] + Array("\(isEmpty ? "" : ",")\"taskq_trial\":".utf8) + value + payload[end...]
    }

    /// Of a payload that is as good as the usual one: to be done, or refused for good.
    private func outcome(ofAllowed ending: PluginRehearsal.Ending, _ praise: String, _ cure: String)
        -> Outcome
    {
        let happened = PluginVerdictText.words(ending)
        if ending.isAcked { return outcome(.good, happened, praise) }
        if case .attempted(let attempt) = ending, case .dead = attempt.verdict {
            return outcome(.good, happened, "it says no to what it does not want")
        }
        return outcome(.bad, happened, cure)
    }

    /// Of a payload that may well be none for this processor: any orderly answer will do.
    private func outcome(ofUnusual ending: PluginRehearsal.Ending, _ plugin: PluginUnderTest) -> Outcome {
        let happened = PluginVerdictText.words(ending)
        guard case .attempted(let attempt) = ending else { return outcome(.bad, happened, "it cannot start") }
        switch attempt.verdict {
        case .acked:
            return outcome(.good, happened, "it does the task all the same")
        case .dead:
            return outcome(.good, happened, "what no retry can mend goes to the dead-letter queue at once")
        case .failed(.timedOut, _, _):
            return outcome(.bad, happened, "it hangs on what it does not know: refuse it, or nack")
        case .failed(.signalled, _, _), .failed(.outOfMemory, _, _), .failed(.badAnswer, _, _):
            return outcome(.bad, happened, "it crashes on what it does not know: refuse it, or nack")
        case .failed:
            let dead = plugin.settings.mode == .stream ? "{\"dead\":reason}" : "exit 65"
            let meaning = "tried \(plugin.maxAttempts) times in vain; \(dead) dead-letters it at once"
            return outcome(.remark, happened, meaning)
        case .released:
            return outcome(.bad, happened, "the task was given back: it is to be answered")
        }
    }
}
