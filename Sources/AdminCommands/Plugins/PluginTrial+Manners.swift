private import ProcessorSupervision

// What goes well with one task, and badly in the long run.
extension PluginTrial {
    /// A value for a member and a variable that this version does not have.
    private static let unknown = #"{"id":"not yours","ready":false,"list":[true,null]}"#
    private static let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    /// The line, or the environment, as a later version might write it, and with all that is optional.
    func laterVersion(_ plugin: PluginUnderTest, _ payload: [UInt8]) throws -> Outcome {
        var later = plugin
        later.settings.environment["TASKQ_LATER"] = Self.unknown
        var task = try plugin.task(payload)
        task.laterMember = Self.unknown
        task.traceparent = Array(Self.traceparent.utf8)[...]
        let ending = try later.rehearse(task).ending
        let happened = PluginVerdictText.words(ending)
        guard ending.isAcked else {
            let place = plugin.settings.mode == .stream ? "members of the line" : "variables"
            return outcome(
                .bad, happened, "\(place) may be added, and traceparent is optional: ignore the rest")
        }
        return outcome(.good, happened, "it ignores what it does not know")
    }

    /// Everything on descriptor 3 must be an answer to the task in hand.
    func answersOnly(_ plugin: PluginUnderTest, _ payload: [UInt8]) throws -> Outcome {
        let rehearsal = try plugin.rehearsal()
        let first = try rehearsal.run(try plugin.task(payload))
        let second = try rehearsal.run(try plugin.task(payload))
        try rehearsal.close()
        let noise = rehearsal.notices.filter(Self.isOfAnswers)
        if let heard = noise.first {
            let meaning = "descriptor 3 is for answers, one whole line of JSON each: print to stdout"
            return outcome(.bad, heard.sentence, meaning)
        }
        let happened = "\(PluginVerdictText.words(first)), then \(PluginVerdictText.words(second))"
        guard first.isAcked, second.isAcked else {
            return outcome(.bad, happened, "the task fails without any torture")
        }
        return outcome(.good, happened, "each answer is whole, once, and for its task")
    }

    /// What it has started must be over when it ends.
    func leftovers(_ plugin: PluginUnderTest, _ payload: [UInt8]) throws -> Outcome {
        let rehearsal = try plugin.rehearsal()
        let ending = try rehearsal.run(try plugin.task(payload))
        try rehearsal.close()
        if let left = rehearsal.notices.first(where: Self.isOfLeftovers) {
            let meaning = "wait for what you start, or give it to a service of its own: it is killed as here"
            return outcome(.bad, left.sentence, meaning)
        }
        guard ending.isAcked else {
            return outcome(.bad, PluginVerdictText.words(ending), "the task fails without any torture")
        }
        return outcome(.good, "it ended alone", "no work is cut off with its end")
    }

    private static func isOfLeftovers(_ notice: ProcessorNotice) -> Bool {
        notice.sentence.hasPrefix("killed ")
    }

    /// What is said of a process is of its answers or of its leftovers; the rest is of the program.
    private static func isOfAnswers(_ notice: ProcessorNotice) -> Bool {
        notice.pid != nil && !isOfLeftovers(notice)
    }
}
