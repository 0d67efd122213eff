/// What became of one line of the input.
package enum PostOutcome: Hashable, Sendable {
    case accepted(id: String)
    /// The key was known: the first post's id.
    case replayed(id: String)
    /// The server said why; other lines may fare better. Status 0: it was never sent.
    case refused(status: Int, detail: String)
    /// Sent, and no answer came.
    case unknown
    /// Not sent, or surely not looked at: nothing is said of the line.
    case unsent
}

/// A line with its number, as it waits for its answer.
struct PostedLine: Hashable, Sendable {
    let number: Int
    let body: [UInt8]
}

/// How many lines ended how.
package struct PostCounts: Hashable, Sendable {
    package private(set) var accepted = 0
    package private(set) var replayed = 0
    package private(set) var refused = 0
    package private(set) var unknown = 0
    /// Lines that were not sent, whether they were read or not.
    package private(set) var hasRest = false

    package init() {}

    package mutating func add(_ outcome: PostOutcome) {
        switch outcome {
        case .accepted: accepted += 1
        case .replayed: replayed += 1
        case .refused: refused += 1
        case .unknown: unknown += 1
        case .unsent: hasRest = true
        }
    }

    /// Something of the input was not looked at.
    package mutating func leaveRest() { hasRest = true }

    package var isWhole: Bool { refused + unknown == 0 && !hasRest }

    /// Accepted, and whatever else there was.
    package var text: String {
        let others = [
            (replayed, "known already"), (refused, "refused"), (unknown, "without an answer"),
        ].filter { $0.0 > 0 }
        let rest = hasRest ? ["the rest was not sent"] : []
        return (["accepted \(accepted)"] + others.map { "\($0.1) \($0.0)" } + rest)
            .joined(separator: ", ")
    }

    package var json: String {
        #"{"summary":{"accepted":\#(accepted),"replayed":\#(replayed),"refused":\#(refused),"#
            + #""unknown":\#(unknown),"complete":\#(!hasRest)}}"#
    }
}
