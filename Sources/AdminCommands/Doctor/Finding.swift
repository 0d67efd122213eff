/// What one check of `taskq doctor` found, in one line, with the cure where something is wrong.
package struct Finding: Hashable, Sendable {
    package enum Verdict: String, Hashable, Sendable {
        case good
        /// Works, and may not do what its owner expects.
        case note
        /// Something does not work, or will not.
        case problem
    }

    /// What was looked at, `disk` or `plugin mail`.
    package let check: String
    package let verdict: Verdict
    package let text: String
    /// What to do about it; empty where all is well.
    package let cure: String

    private init(_ check: String, _ verdict: Verdict, _ text: String, cure: String) {
        self.check = check
        self.verdict = verdict
        self.text = text
        self.cure = cure
    }

    package static func good(_ check: String, _ text: String) -> Finding {
        Finding(check, .good, text, cure: "")
    }

    package static func note(_ check: String, _ text: String, cure: String) -> Finding {
        Finding(check, .note, text, cure: cure)
    }

    package static func problem(_ check: String, _ text: String, cure: String) -> Finding {
        Finding(check, .problem, text, cure: cure)
    }
}
