/// Where a value was written: a file with line and column, or something without lines such as a variable.
package struct SourcePosition: Hashable, Sendable {
    package var source: String
    /// From 1; 0 where the source has no lines.
    package var line: Int
    package var column: Int

    package init(source: String, line: Int = 0, column: Int = 0) {
        self.source = source
        self.line = line
        self.column = column
    }
}

extension SourcePosition: CustomStringConvertible {
    package var description: String { line > 0 ? "\(source):\(line):\(column)" : source }
}

/// One thing that is wrong with a configuration: where, which key, what was found and what was expected.
package struct ConfigurationProblem: Hashable, Sendable {
    package var position: SourcePosition
    /// Dotted, `queue.lease`; empty for a document that cannot be read.
    package var key: String
    package var message: String

    package init(position: SourcePosition, key: String, message: String) {
        self.position = position
        self.key = key
        self.message = message
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// Reads as `taskq.toml:12:1: queue.lease: expected …, found …`.
    package var description: String {
        key.isEmpty ? "\(position): \(message)" : "\(position): \(key): \(message)"
    }
}

/// Why a daemon does not start: everything that is wrong, in the order of the sources.
package struct ConfigurationError: Error, Hashable, Sendable {
    package var problems: [ConfigurationProblem]

    package init(problems: [ConfigurationProblem]) {
        self.problems = problems
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// One line a problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
