import TestSupport

/// The folder of one life: the state directory alone in its parent, and beside it what the shim keeps.
struct LifeFolder: Sendable {
    private let root: TemporaryDirectory

    /// For the time of the closure.
    ///
    /// - Parameters:
    ///   - journal: more lines of the table `[journal]`; one segment behind the one in use by default.
    ///   - queue: lines of the table `[queue]`.
    static func with<Value>(
        journal: String = #"reserve_bytes = "1 MiB""#, queue: String = "",
        _ body: (LifeFolder) async throws -> Value
    ) async throws -> Value {
        try await TemporaryDirectory.with { root in
            try root.makeFolder("parent")
            try root.makeFolder("kept")
            try root.write(configurationText(journal, queue), to: "taskq.toml")
            return try await body(LifeFolder(root: root))
        }
    }

    /// The smallest segments that the configuration allows: few posts fill one.
    private static func configurationText(_ journal: String, _ queue: String) -> String {
        """
        environment = "test"
        [journal]
        segment_bytes = "1 MiB"
        \(journal)
        [queue]
        # Keys hold for as long as the matrix may take: its lives begin where one was left.
        dedup_window = "6h"
        \(queue)
        [processor.retry]
        initial = "0s"
        [queues.fragile]
        max_attempts = 2

        """
    }

    var parent: String { root.path("parent") }
    var state: String { root.path("parent/state") }
    var journal: String { "\(state)/journal" }
    var kept: String { root.path("kept") }
    var configuration: String { root.path("taskq.toml") }
    func path(_ name: String) -> String { root.path(name) }

    /// Takes over another life's journal as it stands; nothing if there is none.
    func takeOver(_ other: LifeFolder) throws(TestSupportError) {
        let files = TemporaryDirectory.entries(of: other.journal)
        if files.isEmpty { return }
        try root.makeFolder("parent/state", mode: 0o700)
        for file in files { try leave(try TextFile.bytes(of: "\(other.journal)/\(file)"), as: file) }
    }

    /// Puts a file into the journal's directory.
    func leave(_ bytes: [UInt8], as name: String) throws(TestSupportError) {
        try root.makeFolder("parent/state/journal", mode: 0o700)
        try root.write(bytes, to: "parent/state/journal/\(name)", mode: 0o600)
    }
}
