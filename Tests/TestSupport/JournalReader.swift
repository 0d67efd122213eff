/// The second implementation of the journal's format, in Python: it says whether files are whole and whether
/// guarantee K holds in them.
package enum JournalReader {
    /// The rules that the journal below a state folder breaks, none if it is whole.
    ///
    /// The broker must have stopped.
    package static func violations(
        inState folder: String, within limit: Duration = .seconds(120)
    ) async throws -> [String] {
        let reader = BuiltProducts.repositoryRoot() + "/Tests/JournalReader/read_journal.py"
        let description = ProcessDescription("/usr/bin/env", ["python3", "-B", reader, folder])
        return try await ProcessFixture.with(description) { process in
            let status = try await process.end(within: limit)
            if status == .exited(0) { return [] }
            let said = process.lines.filter { $0.stream == .standardError }.map(\.text)
            return said.isEmpty ? ["the reader ended with \(status)"] : said
        }
    }
}
