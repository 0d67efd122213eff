import Glibc
import ProcessorSupervision
import TaskModel
import TestSupport
import Testing

/// The examples of docs/processor-protocol.md, taken out of the page and run.
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

    /// Debian's names of the interpreters; what is not there is not tested.
    private static func isInstalled(_ program: String) -> Bool {
        access("/usr/bin/\(program)", X_OK) == 0 || access("/bin/\(program)", X_OK) == 0
    }

    @Test func theShellExampleIsAWholeProcessor() async throws {
        try await SupervisedPlugin.with(try #require(examples(in: "sh").first)) { plugin in
            let verdict = try plugin.run(SupervisedPlugin.task("{\"n\":1}")).verdict
            #expect(verdict == .acked(result: [], resultError: ""))
            #expect(plugin.outputText == ["sending {\"n\":1}"])
        }
    }

    @Test(arguments: [("python", "python3", "1"), ("bash", "bash", ""), ("javascript", "node", "1")])
    func theWarmExamplesTakeTaskAfterTask(language: String, program: String, result: String) async throws {
        guard Self.isInstalled(program) else { return }
        let script = try #require(examples(in: language).first)
        try await SupervisedPlugin.with(script, settings: { $0.mode = .stream }) { plugin in
            for number in 1...5 {
                let task = SupervisedPlugin.task("{\"n\":\(number)}", number: UInt64(number))
                let verdict = try plugin.run(task).verdict
                #expect(verdict == .acked(result: Array(result.utf8)[...], resultError: ""))
            }
        }
    }
}
