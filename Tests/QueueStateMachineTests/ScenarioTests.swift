import Foundation
import Testing

/// The long stories: every file under Tests/Scenarios, command by command.
@Suite struct ScenarioTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appendingPathComponent("Scenarios")

    static let files: [String] = {
        // ignoring: everyScenarioIsFound counts them
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".txt") }.sorted()
    }()

    @Test func everyScenarioIsFound() {
        #expect(Self.files.count >= 13)
    }

    @Test(arguments: files) func theScenarioPrintsWhatItSays(file: String) throws {
        let text = try String(contentsOf: Self.folder.appendingPathComponent(file), encoding: .utf8)
        var runner = ScenarioRunner()
        for block in ScenarioRunner.blocks(of: text) {
            let printed = try block.commands.flatMap { try runner.run($0) }
            #expect(printed == block.expected, "\(file), line \(block.line)")
        }
    }
}
