import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

/// The first example of docs/processor-protocol.md, taken out of the page and run.
///
/// `ProtocolExamplesTests` has the others.
@Suite struct DocumentedExampleTests {
    private static let page = BuiltProducts.repositoryRoot() + "/docs/processor-protocol.md"

    /// The code blocks of a language.
    private func examples(in language: String) throws -> [String] {
        var examples: [String] = []
        var current: [String]?
        for line in try TextFile.lines(of: Self.page) {
            if line == "```\(language)" {
                current = []
            } else if line == "```", let lines = current {
                examples.append(lines.joined(separator: "\n") + "\n")
                current = nil
            } else {
                current?.append(line)
            }
        }
        return examples
    }

    @Test func theShellExampleIsAWholeProcessor() async throws {
        try await SupervisedPlugin.with(try #require(examples(in: "sh").first)) { plugin in
            let verdict = try plugin.run(SupervisedPlugin.task("{\"n\":1}")).verdict
            #expect(verdict == .acked(result: [], resultError: ""))
            #expect(plugin.outputText == ["sending {\"n\":1}"])
        }
    }
}
