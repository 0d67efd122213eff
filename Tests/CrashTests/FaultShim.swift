import Glibc
import TestSupport

/// The library that is preloaded into the broker, compiled for this run.
struct FaultShim: Sendable {
    let library: String

    private static let sources = ["calls.c", "faults.c", "undo-log.c"]

    /// Compiles `Shim/` into `folder`.
    static func compiled(in folder: TemporaryDirectory) async throws -> FaultShim {
        let place = BuiltProducts.repositoryRoot() + "/Tests/CrashTests/Shim/"
        let library = folder.path("fault-shim.so")
        let arguments =
            ["cc", "-std=gnu11", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", library]
            + sources.map { place + $0 } + ["-ldl"]
        try await ProcessFixture.with(ProcessDescription("/usr/bin/env", arguments)) { compiler in
            let status = try await compiler.end(within: .seconds(60))
            guard status == .exited(0) else {
                throw TestSupportError.processEnded(
                    status, waitingFor: "the shim", output: compiler.lines.map(\.text))
            }
        }
        return FaultShim(library: library)
    }

    /// The broker's variables: which directory is watched, and what goes wrong in it.
    ///
    /// - Parameter lie: the system call by which the disk says falsely that it has synced.
    func environment(
        of folder: LifeFolder, fault: FaultPoint?, trace: String? = nil, lie: String? = nil
    ) -> [String: String?] {
        var variables: [String: String?] = [
            "LD_PRELOAD": library, "TASKQ_FAULT_BELOW": folder.state, "TASKQ_FAULT_KEEP": folder.kept,
        ]
        if let fault { variables["TASKQ_FAULT"] = fault.description }
        if let lie { variables["TASKQ_FAULT_LIE"] = lie }
        if let trace { variables["TASKQ_FAULT_TRACE"] = trace }
        return variables
    }
}
