import TestSupport
import Testing

extension EndToEndTests {
    /// A wrong line keeps every daemon from starting, whichever part of the file it is in.
    @Suite struct MisconfigurationTests {
        private static let mistakes = [
            "[queue]\nleese = \"30s\"\n",
            "[queue]\nmax_attempts = \"5\"\n",
            "[queue]\nlease = \"14s\"\n",
            "[api]\nlisten = \"8080\"\n",
            "[processor]\ntimeout = \"2h\"\n",
            "[queue]\nlease = 30s\n",
        ]

        private static let daemons: [(product: String, arguments: [String])] = [
            ("taskq-broker", []), ("taskq-ingest", ["--listen", "127.0.0.1:0"]),
            ("taskq-worker", ["--queue", "tasks"]), ("taskq", ["up"]), ("taskq", ["config", "check"]),
        ]

        @Test(arguments: mistakes) func nothingStartsWithAWrongLine(text: String) async throws {
            try await TemporaryDirectory.with { directory in
                let file = try directory.write(text, to: "taskq.toml")
                let state = directory.path("state")
                for (product, arguments) in Self.daemons {
                    let description = try ProcessDescription(
                        product: product, arguments + ["--config", file, "--state", state],
                        directory: directory.path)
                    try await ProcessFixture.with(description) { process in
                        let status = try await process.end()
                        #expect(status == .exited(78), "\(product) \(arguments)")
                        let said = process.lines.map(\.text)
                        #expect(said.contains { $0.contains("\(file):2:") }, "\(product): \(said)")
                    }
                }
                #expect(TemporaryDirectory.entries(of: directory.path).sorted() == ["taskq.toml"])
            }
        }
    }
}
