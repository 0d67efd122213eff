import TestSupport

/// One `taskq plugin test FOLDER --json`: the real program over a real plugin.
struct PluginTestRun: CustomStringConvertible {
    let status: ExitStatus
    private let report: JSON

    init(_ folder: String, _ arguments: [String] = [], within limit: Duration = .seconds(240)) async throws {
        let words = ["plugin", "test", folder, "--json"] + arguments
        (status, report) = try await ProcessFixture.with(try ProcessDescription(product: "taskq", words)) {
            taskq in
            let status = try await taskq.end(within: limit)
            let lines = taskq.lines.filter { $0.stream == .standardOutput }.map(\.text)
            return (status, try JSON(Array(lines.joined(separator: "\n").utf8)))
        }
    }

    var verdict: String? { report["verdict"].string }
    var words: String? { report["words"].string }
    var standardError: [String] { report["stderr"].array.compactMap(\.string) }
    var description: String { "\(status) \(report)" }

    /// The trials of `--torture` with this grade.
    func trials(_ grade: String) -> [String] {
        report["torture"].array.filter { $0["grade"].string == grade }.compactMap { $0["trial"].string }
    }
}
