/// Collects what is wrong while tables are read, so that all of it is told at once.
///
/// It also remembers every key that was asked for with what was expected of it: that is what the
/// documentation's table is held against.
package final class ProblemList {
    private var problems: [ConfigurationProblem] = []
    private var told: Set<ConfigurationProblem> = []
    /// Dotted keys that were asked for, with the sentence's end "expected …".
    package private(set) var expectations: [String: String] = [:]

    package init() {}

    /// The same problem is told once, however many layers repeat it.
    package func add(_ key: String, at position: SourcePosition, _ message: String) {
        add(ConfigurationProblem(position: position, key: key, message: message))
    }

    package func add(_ problem: ConfigurationProblem) {
        if told.insert(problem).inserted { problems.append(problem) }
    }

    func expect(_ key: String, _ expected: String) { expectations[key] = expected }

    /// In the order of sources, lines and columns.
    package var ordered: [ConfigurationProblem] {
        var ranks: [String: Int] = [:]
        for problem in problems where ranks[problem.position.source] == nil {
            ranks[problem.position.source] = ranks.count
        }
        return problems.enumerated().sorted { left, right in
            let leftRank = ranks[left.element.position.source] ?? 0
            let rightRank = ranks[right.element.position.source] ?? 0
            return (leftRank, left.element.position.line, left.element.position.column, left.offset)
                < (rightRank, right.element.position.line, right.element.position.column, right.offset)
        }.map(\.element)
    }

    package func throwIfAny() throws(ConfigurationError) {
        guard problems.isEmpty else { throw ConfigurationError(problems: ordered) }
    }
}
